/* SPDX-License-Identifier: BSD-2-Clause */
/* What the API shows of resources, status too, fits the tables of their kinds. */
/* The model has a struct of this name, too. */
#define check object_check
#include "manifest/schema.h"
#undef check

#include "engine_fixture.h"

#define POLICY                                                                                     \
	"{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"BackendTrafficPolicy\","    \
	"\"metadata\":{\"name\":\"p\"},\"spec\":{\"targetRefs\":[{\"group\":"                      \
	"\"gateway.networking.k8s.io\",\"kind\":\"TCPRoute\",\"name\":\"web\"}],"                  \
	"\"useClientProtocol\":true,\"healthCheck\":{\"passive\":{}}}}"
#define TLS_POLICY                                                                                 \
	"{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"BackendTLSPolicy\","          \
	"\"metadata\":{\"name\":\"t\"},\"spec\":{\"targetRefs\":[{\"group\":"                      \
	"\"gateway.envoyproxy.io\",\"kind\":\"Backend\",\"name\":\"web\"}],\"validation\":{"       \
	"\"hostname\":\"a.example\",\"wellKnownCACertificates\":\"System\"}}}"
#define CLASS                                                                                      \
	"{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"GatewayClass\",\"metadata\":" \
	"{\"name\":\"spillway\"},\"spec\":{\"controllerName\":\"spillway.dev/gateway\"}}"

/* Every field is known, and has the type and the limits of its row. */
static void fits(struct fixture *f, const char *path)
{
	struct node *shown = must(f, 200, "GET", path, NULL);
	struct diags d;
	struct object_check c = {.arena = f->arena, .diags = &d, .version = "v1", .name = path};

	diags_init(&d, f->arena);
	c.kind =
		kind_lookup(node_text_at(shown, "apiVersion", ""), node_text_at(shown, "kind", ""));
	assert_non_null(c.kind);
	assert_non_null(node_member(shown, "status"));
	schema_unknown(&c, c.kind->fields, shown);
	schema_types(&c, c.kind->fields, shown);
	schema_rules(&c, c.kind->fields, shown);
	if (d.count)
		fail_msg("%s: %s", path, d.items[0].text);
}

static void what_is_shown_fits_the_tables(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(GATEWAY "," ROUTE "," WEB "," POLICY "," TLS_POLICY "," CLASS));
	fits(f, BACKENDS "/web");
	fits(f, GATEWAYS "/edge");
	fits(f, "/apis/gateway.networking.k8s.io/v1/gatewayclasses/spillway");
	fits(f, "/apis/gateway.networking.k8s.io/v1/namespaces/default/tcproutes/web");
	fits(f, "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/default/backendtrafficpolicies/p");
	fits(f, "/apis/gateway.networking.k8s.io/v1/namespaces/default/backendtlspolicies/t");
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(what_is_shown_fits_the_tables)};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
