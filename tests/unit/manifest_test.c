/* SPDX-License-Identifier: BSD-2-Clause */
/* From text and files to resources: kinds, lists, metadata, the other kinds' rules, places. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "manifest/manifest.h"

struct fixture {
	struct arena *arena;
	struct diags diags;
	struct resources rs;
	char dir[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new();
	diags_init(&f->diags, f->arena);
	strcpy(f->dir, "/tmp/manifest_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void read_text(struct fixture *f, const char *text, const struct manifest_options *opts)
{
	f->rs = (struct resources){0};
	diags_init(&f->diags, f->arena);
	assert_int_equal(
		manifest_read_text(f->arena, &f->diags, "f.yaml", text, strlen(text), opts, &f->rs),
		0);
}

struct row {
	const char *text;
	size_t count;	     /* resources */
	const char *said[3]; /* parts of messages, in order; as many as there are messages */
};

static const char *all_messages(struct fixture *f)
{
	const char *out = "";

	for (size_t i = 0; i < f->diags.count; i++)
		out = arena_printf(f->arena, "%s\n%s: %s", out,
				   loc_text(f->arena, f->diags.items[i].loc),
				   f->diags.items[i].text);
	return out;
}

static bool as_expected(struct fixture *f, const struct row *row)
{
	size_t said = 0;

	while (said < 3 && row->said[said])
		said++;
	if (f->rs.count != row->count || f->diags.count != said)
		return false;
	for (size_t i = 0; i < said; i++) {
		if (!strstr(arena_printf(f->arena, "%s: %s",
					 loc_text(f->arena, f->diags.items[i].loc),
					 f->diags.items[i].text),
			    row->said[i]))
			return false;
	}
	return true;
}

static void expect(struct fixture *f, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		read_text(f, rows[i].text, NULL);
		if (!as_expected(f, &rows[i]))
			fail_msg("%s\ngives %zu resources and%s", rows[i].text, f->rs.count,
				 all_messages(f));
	}
}

#define EXPECT(rows) expect(*state, rows, sizeof(rows) / sizeof((rows)[0]))
#define BE	     "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
#define GOOD(name)   BE "metadata: {name: " name "}\nspec: {}\n"

static const struct row envelopes[] = {
	{GOOD("a") "---\n" GOOD("b") "---\n# nothing\n", 2, {0}},
	{"apiVersion: v1\nkind: List\nmetadata: {}\nitems:\n- {apiVersion: gateway.envoyproxy.io/"
	 "v1alpha1, kind: Backend, metadata: {name: a}, spec: {}}\n- {apiVersion: v1, kind: List, "
	 "items: [{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: Backend, metadata: {name: b}, "
	 "spec: {}}]}\n",
	 2,
	 {0}},
	{"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendList\nitems:\n- metadata: {name: "
	 "a}\n  spec: {}\n",
	 1,
	 {0}},
	{"", 0, {0}}, /* one empty file among others is no mistake: who reads them all says so */
	{"apiVersion: v1\nkind: List\nitems: []\n", 0, {0}},
	{"apiVersion: v1\nkind: List\nitems: 5\n", 0, {"f.yaml:3:8: error: error validating"}},
	{"just text", 0, {"error validating data: invalid object to validate"}},
	{"- a",
	 0,
	 {"error validating \"f.yaml\": error validating data: invalid object to validate"}},
	{"kind: Backend", 0, {"apiVersion not set"}},
	{"apiVersion: v1", 0, {"kind not set"}},
	{"kind: ~\napiVersion: ''", 0, {"apiVersion not set", "kind not set"}},
	{"kind: 5\napiVersion: [v1]",
	 0,
	 {"f.yaml:1:7: error: error validating \"f.yaml\": error validating data: kind isn't string "
	  "type",
	  "f.yaml:2:13: error: error validating \"f.yaml\": error validating data: apiVersion isn't "
	  "string type"}},
	{"kind: Backend\napiVersion: a/b/c",
	 0,
	 {"f.yaml:2:13: error: error validating \"f.yaml\": error validating data: unexpected "
	  "GroupVersion string: a/b/c"}},
	{"kind: Backends\napiVersion: gateway.envoyproxy.io/v1alpha1\nmetadata: {name: q}",
	 0,
	 {"f.yaml:1:7: error: resource mapping not found for name: \"q\" namespace: \"\" from "
	  "\"f.yaml\": no matches for kind \"Backends\" in version "
	  "\"gateway.envoyproxy.io/v1alpha1\""}},
	{"kind: BackendsList\napiVersion: gateway.envoyproxy.io/v1alpha1\nitems: []",
	 0,
	 {"no matches for kind \"BackendsList\""}},
	{"kind: backend\napiVersion: gateway.envoyproxy.io/v1alpha1\nmetadata: {name: q}\nspec: {}",
	 0,
	 {"The Backend \"q\" is invalid: kind: Invalid value: \"backend\": must be Backend"}},
	{"kind: bACKEND\napiVersion: gateway.envoyproxy.io/v1alpha1\nmetadata: {name: q}\nspec: {}",
	 0,
	 {"no matches for kind \"bACKEND\""}},
	{GOOD("a") "---\n" GOOD("B") "---\na: [\n---\n" GOOD("c"),
	 2,
	 {"f.yaml:8:18: The Backend \"B\" is invalid: metadata.name",
	  "f.yaml:12:1: error: error parsing"}},
};

static void every_object_is_read_or_its_mistake_named(void **state)
{
	EXPECT(envelopes);
}

static const struct row metadata[] = {
	{BE "spec: {}", 0, {"resource name may not be empty"}},
	{BE "metadata: ~\nspec: {}", 0, {"resource name may not be empty"}},
	{BE "metadata: {name: ''}\nspec: {}", 0, {"resource name may not be empty"}},
	{BE "metadata: {generateName: a-}\nspec: {}", 0, {"from a-: cannot use generate name"}},
	{BE "metadata: {name: yes}\nspec: {}",
	 0,
	 {"f.yaml:3:18: error: unable to decode \"f.yaml\": json: cannot unmarshal bool into Go struct "
	  "field ObjectMeta.metadata.name of type string"}},
	{BE "metadata: {name: a, labels: [x]}\nspec: {}",
	 0,
	 {"cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type "
	  "map[string]string"}},
	{BE "metadata: {name: a, annotations: {x: {}}}\nspec: {}",
	 0,
	 {"cannot unmarshal object into Go struct field ObjectMeta.metadata.annotations of type "
	  "string"}},
	{BE "metadata: {name: a, ownerReferences: [{uid: 1}, {}], generation: a}\nspec: {}",
	 0,
	 {"OwnerReference.metadata.ownerReferences.uid of type string",
	  "ObjectMeta.metadata.generation of type int64"}},
	{BE "metadata: {name: a, ownerReferences: {}}\nspec: {}",
	 0,
	 {"ObjectMeta.metadata.ownerReferences of type []v1.OwnerReference"}},
	{BE "metadata: []\nspec: {}", 0, {"cannot unmarshal array into Go struct field .metadata"}},
	{BE "metadata: {name: a, colour: ~}\nspec: {}", 0, {"unknown field \"metadata.colour\""}},
	{BE "metadata: {name: a, labels: {a.b/c-d_e.F: A_b.c-1, x: ''}}\nspec: {}", 1, {0}},
	{BE "metadata: {name: a, labels: {a/b/c: x, /a: x, A/b: x}}\nspec: {}",
	 0,
	 {"metadata.labels: Invalid value: \"a/b/c\": a qualified name must consist of",
	  "Invalid value: \"/a\": prefix part must be non-empty",
	  "Invalid value: \"A/b\": prefix part a lowercase RFC 1123 subdomain"}},
	{BE "metadata: {name: a, labels: {a/: x, '-': x}}\nspec: {}",
	 0,
	 {"Invalid value: \"a/\": name part must be non-empty",
	  "Invalid value: \"a/\": name part must consist of",
	  "Invalid value: \"-\": name part must consist of"}},
	{BE "metadata: {name: a, annotations: {A.b/C: x}}\nspec: {}", 1, {0}},
	{BE "metadata: {name: a, annotations: {A_b/C: x}}\nspec: {}",
	 0,
	 {"metadata.annotations: Invalid value: \"A_b/C\": prefix part a lowercase"}},
	{BE "metadata: {name: \"a\\nb\"}\nspec: {\"c\\nd\\e\": 1}",
	 0,
	 {"The Backend \"a\\nb\" is invalid: metadata.name: Invalid value: \"a\\nb\": ",
	  "unknown field \"spec.c\\nd\\x1b\""}},
	{BE "metadata: {name: a, labels: {a: {b: c}}}\nspec: {}",
	 0,
	 {"cannot unmarshal object into Go struct field ObjectMeta.metadata.labels of type string"}},
	{BE "metadata: {name: a, labels: {a: b-}}\nspec: {}",
	 0,
	 {"metadata.labels: Invalid value: \"b-\": a valid label must be an empty string or"}},
	{BE "metadata: {name: a, annotations: {a: 'any thing !'}}\nspec: {}", 1, {0}},
	{BE "metadata: {name: a, creationTimestamp: ~, uid: x, managedFields: [{fieldsV1: {f:a: "
	    "{}}}]}\nspec: {}",
	 1,
	 {0}},
};

static void metadata_is_decoded_as_go_does(void **state)
{
	EXPECT(metadata);
}

#define GW(spec)                                                                                   \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\n"           \
	"spec: {gatewayClassName: c, " spec "}\n"
#define LISTENERS "listeners: [{name: a, protocol: TCP, port: 80}]"

static const struct row gateways[] = {
	{GW(LISTENERS), 1, {0}},
	{GW("listeners: [{name: t, protocol: TCP, port: 53}, {name: u, protocol: UDP, port: 53}]"),
	 1,
	 {0}},
	{GW(LISTENERS ", addresses: [{value: 2001:db8::1}, {type: Hostname, value: '*.a.b'}, {}]"),
	 1,
	 {0}},
	{GW(LISTENERS ", addresses: [{value: 1.2.3}]"), 0, {"spec.addresses[0].value"}},
	{GW(LISTENERS ", addresses: [{value: 192.0.2.1}, {value: 192.0.2.1}]"),
	 0,
	 {"IPAddress values must be unique"}},
	{GW(LISTENERS ", addresses: [{type: Hostname, value: a b}]"),
	 0,
	 {"Hostname value must be empty or contain only valid characters"}},
	{GW("listeners: [{name: a, protocol: TCP, port: 0}]"),
	 0,
	 {"spec.listeners[0].port in body should be greater than or equal to 1"}},
	{GW("listeners: [{name: a, protocol: HTTPS, port: 443, tls: {mode: Passthrough}}]"),
	 0,
	 {"tls mode must be Terminate for protocol HTTPS"}},
	{GW("listeners: [{name: a, protocol: TLS, port: 443}]"),
	 0,
	 {"tls mode must be set for protocol TLS"}},
	{GW("listeners: [{name: a, protocol: TLS, port: 443, tls: {}}]"),
	 0,
	 {"certificateRefs or options must be specified when mode is Terminate"}},
	{GW("listeners: [{name: a, protocol: TLS, port: 443, tls: {certificateRefs: [{name: c}]}}]"),
	 1,
	 {0}},
	{GW("listeners: [{name: a, protocol: HTTP, port: 80, hostname: '*.x.y'}, {name: b, protocol: "
	    "HTTP, port: 80}]"),
	 1,
	 {0}},
	{GW("listeners: [{name: a, protocol: TCP, port: 80}, {name: b, protocol: TCP, port: 80}]"),
	 0,
	 {"Combination of port, protocol and hostname must be unique for each listener"}},
	{GW("listeners: [{name: a, protocol: 'acme.io/x/', port: 80}]"),
	 0,
	 {"spec.listeners[0].protocol in body should match '^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|"}},
	{GW("listeners: []"), 0, {"spec.listeners in body should have at least 1 items"}},
};

static void gateways_follow_their_rules(void **state)
{
	EXPECT(gateways);
}

#define ROUTE(kind, version, spec)                                                                 \
	"apiVersion: gateway.networking.k8s.io/" version "\nkind: " kind "\nmetadata: {name: r}\n" \
	"spec: {" spec "}\n"
#define REF "{group: gateway.envoyproxy.io, kind: Backend, name: b}"

static const struct row routes[] = {
	{ROUTE("TCPRoute", "v1", "rules: [{backendRefs: [" REF "]}]"), 1, {0}},
	{ROUTE("UDPRoute", "v1alpha2", "rules: [{backendRefs: [" REF "], name: x}]"), 1, {0}},
	{ROUTE("TCPRoute", "v1beta1", "rules: []"), 0, {"no matches for kind \"TCPRoute\""}},
	{ROUTE("TCPRoute", "v1", "rules: [{backendRefs: [{name: b}]}]"),
	 0,
	 {"Must have port for Service reference"}},
	{ROUTE("TCPRoute", "v1", "rules: [{backendRefs: [{name: b, port: 80}]}]"), 1, {0}},
	{ROUTE("TCPRoute", "v1",
	       "parentRefs: [{name: g}, {name: g}], rules: [{backendRefs: [" REF "]}]"),
	 0,
	 {"sectionName must be unique when parentRefs includes 2 or more"}},
	{ROUTE("TCPRoute", "v1",
	       "parentRefs: [{name: g}, {name: g, sectionName: a}], rules: [{backendRefs: [" REF
	       "]}]"),
	 0,
	 {"sectionName must be specified when parentRefs includes 2 or more"}},
	{ROUTE("TCPRoute", "v1",
	       "parentRefs: [{name: g}, {name: g, namespace: ns}], rules: [{backendRefs: [" REF
	       "]}]"),
	 1,
	 {0}},
	{ROUTE("ReferenceGrant", "v1beta1",
	       "from: [{group: '', kind: A, namespace: ns}], to: [{group: '', kind: B}]"),
	 1,
	 {0}},
	{ROUTE("ReferenceGrant", "v1", "from: [{kind: A}], to: [{group: ''}]"),
	 0,
	 {"spec.from[0].group: Required value", "spec.from[0].namespace: Required value",
	  "spec.to[0].kind: Required value"}},
};

static void routes_and_grants_follow_their_rules(void **state)
{
	struct fixture *f = *state;

	/* The last row has a fourth message: that rules were not asked. */
	expect(f, routes, sizeof(routes) / sizeof(routes[0]) - 1);
	read_text(f, routes[sizeof(routes) / sizeof(routes[0]) - 1].text, NULL);
	assert_int_equal(f->diags.count, 4);
	assert_non_null(strstr(f->diags.items[2].text, "spec.to[0].kind: Required value"));
	assert_non_null(strstr(f->diags.items[3].text, "some validation rules were not checked"));
}

#define BTP(spec)                                                                                  \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\n"                 \
	"metadata: {name: p}\nspec: {targetRefs: [{group: gateway.networking.k8s.io, kind: "       \
	"TCPRoute, name: r}], " spec "}\n"

static const struct row policies[] = {
	{BTP("healthCheck: {active: {type: TCP, tcp: {}}, passive: {}, panicThreshold: 0}"),
	 1,
	 {0}},
	{BTP("healthCheck: {active: {type: TCP}}"),
	 0,
	 {"If Health Checker type is TCP, tcp field"}},
	{BTP("healthCheck: {active: {type: HTTP, http: {path: /, method: GET, requestBody: {type: "
	     "Text, text: a}}}}"),
	 0,
	 {"The requestBody field can only be set when method is POST or PUT."}},
	{BTP("healthCheck: {active: {type: TCP, tcp: {}, interval: 1.5s}}"),
	 0,
	 {"should match '^([0-9]{1,5}(h|m|s|ms)){1,4}$'"}},
	{BTP("loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP}}"), 1, {0}},
	{BTP("loadBalancer: {type: RoundRobin, consistentHash: {type: SourceIP}}"),
	 0,
	 {"If LoadBalancer type is consistentHash"}},
	{BTP("loadBalancer: {type: Random, slowStart: {window: 1s}}"),
	 0,
	 {"Currently SlowStart is only supported for"}},
	{BTP("targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: g}"),
	 0,
	 {"either targetRef or targetRefs must be used"}},
	{BTP("circuitBreaker: {maxConnections: 4294967296}"),
	 0,
	 {"spec.circuitBreaker.maxConnections in body should be less than or equal to 4294967295"}},
	{BTP("loadBalancer: {type: DynamicModule, dynamicModule: {name: m, lbPolicyName: p, "
	     "config: {anything: [1, {a: ~}]}}}"),
	 1,
	 {0}},
};

static void policies_follow_their_rules(void **state)
{
	EXPECT(policies);
}

static void defaults_make_a_route_complete(void **state)
{
	struct fixture *f = *state;
	const struct node *spec;

	read_text(f,
		  ROUTE("TCPRoute", "v1alpha2",
			"parentRefs: [{name: g}], rules: [{backendRefs: [" REF "]}]"),
		  &(struct manifest_options){.namespace = "team"});
	assert_int_equal(f->rs.count, 1);
	spec = node_member(f->rs.items[0].root, "spec");
	assert_string_equal(f->rs.items[0].namespace, "team");
	assert_string_equal(node_text_at(f->rs.items[0].root, "apiVersion", ""),
			    "gateway.networking.k8s.io/v1");
	assert_string_equal(node_text_at(node_item(node_member(spec, "parentRefs"), 0), "kind", ""),
			    "Gateway");
	spec = node_item(node_member(node_item(node_member(spec, "rules"), 0), "backendRefs"), 0);
	assert_int_equal(node_int_at(spec, "weight", 0), 1);
	read_text(f, GW(LISTENERS), NULL);
	spec = node_item(node_at(f->rs.items[0].root, "spec.listeners"), 0);
	assert_string_equal(node_text_at(spec, "allowedRoutes.namespaces.from", ""), "Same");
	read_text(f, BTP("healthCheck: {active: {type: TCP, tcp: {}}}"), NULL);
	spec = node_at(f->rs.items[0].root, "spec.healthCheck.active");
	assert_string_equal(node_text_at(spec, "interval", ""), "3s");
	assert_int_equal(node_int_at(spec, "unhealthyThreshold", 0), 3);
}

static void one_object_of_a_request_is_checked_without_a_place(void **state)
{
	struct fixture *f = *state;
	static const char good[] = "{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":"
				   "\"Backend\",\"metadata\":{\"name\":\"a\"},\"spec\":{}}";
	static const char bad[] = "{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":"
				  "\"Backend\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"x\":1}}";
	struct resource r = {0};
	struct node *root;

	assert_int_equal(node_from_json(f->arena, &f->diags, good, strlen(good), &root), 0);
	assert_int_equal(manifest_check(f->arena, &f->diags, root, NULL, &r), 0);
	assert_string_equal(r.name, "a");
	assert_int_equal(node_from_json(f->arena, &f->diags, bad, strlen(bad), &root), 0);
	assert_int_equal(manifest_check(f->arena, &f->diags, root, NULL, &r), -EINVAL);
	assert_int_equal(f->diags.count, 1);
	assert_string_equal(
		f->diags.items[0].text,
		"Error from server (BadRequest): Backend in version \"v1alpha1\" cannot be "
		"handled as a Backend: strict decoding error: unknown field \"spec.x\"");
}

static const char strange[] = "apiVersion: gateway.envoyproxy.io/v1alpha1\n"
			      "kind: Backend\n"
			      "metadata: {name: a, labels: {app: web}}\n"
			      "spec:\n"
			      "  more: 1\n"
			      "  endpoints:\n"
			      "  - ip: {address: 10.0.0.1, port: 80, prt: 81}\n";

static void unknown_fields_are_dropped_where_that_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct diags dropped;
	const struct manifest_options opts = {.unknown = &dropped};
	const struct node *spec;

	diags_init(&dropped, f->arena);
	read_text(f, strange, &opts);
	assert_int_equal(f->diags.count, 0);
	assert_int_equal(f->rs.count, 1);
	spec = node_member(f->rs.items[0].root, "spec");
	assert_null(node_member(spec, "more"));
	assert_null(node_at(node_item(node_member(spec, "endpoints"), 0), "ip.prt"));
	assert_int_equal(dropped.warnings, 2);
	assert_int_equal(dropped.errors, 0);
	assert_string_equal(dropped.items[1].text, "unknown field \"spec.endpoints[0].ip.prt\"");
	assert_int_equal(dropped.items[1].loc.line, 7);
	/* What else is wrong is a mistake all the same. */
	read_text(f,
		  "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
		  "metadata: {name: a}\nspec: {endpoints: [{ip: {address: x, port: 0, z: 1}}]}\n",
		  &opts);
	assert_true(f->diags.errors > 0);
	assert_int_equal(f->rs.count, 0);
}

static void only_names_are_read_where_that_is_asked_for(void **state)
{
	const struct manifest_options opts = {.names_only = true, .namespace = "ns"};
	struct fixture *f = *state;

	read_text(f, strange, &opts);
	assert_int_equal(f->diags.count, 0);
	assert_string_equal(f->rs.items[0].name, "a");
	assert_string_equal(f->rs.items[0].namespace, "ns");
	read_text(f, "apiVersion: v1\nkind: Secret\nmetadata: {name: Bad_Name}\ndata: {a: 5}\n",
		  &opts);
	assert_int_equal(f->rs.count, 0);
	assert_int_equal(f->diags.count, 1);
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
	FILE *file = fopen(arena_printf(f->arena, "%s/%s", f->dir, name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int read_path(struct fixture *f, const char *name, bool recursive)
{
	struct manifest_options opts = {.recursive = recursive};

	f->rs = (struct resources){0};
	diags_init(&f->diags, f->arena);
	return manifest_read_path(f->arena, &f->diags, arena_printf(f->arena, "%s%s", f->dir, name),
				  &opts, &f->rs);
}

static void a_directory_is_read_in_order_of_names(void **state)
{
	struct fixture *f = *state;

	write_file(f, "b.yml", GOOD("b"));
	write_file(f, "a.yaml", GOOD("a"));
	write_file(f, "c.json", "{\"kind\": \"Backend\"}");
	write_file(f, "d.txt", "not: [read");
	assert_int_equal(mkdir(arena_printf(f->arena, "%s/ab", f->dir), 0700), 0);
	write_file(f, "ab/z.yaml", GOOD("z"));
	assert_int_equal(read_path(f, "", false), 0);
	assert_int_equal(f->rs.count, 2);
	assert_string_equal(f->rs.items[0].name, "a");
	assert_int_equal(f->diags.count, 1);
	assert_non_null(strstr(f->diags.items[0].loc.file, "c.json"));
	assert_int_equal(read_path(f, "/", true), 0);
	assert_int_equal(f->rs.count, 3);
	assert_string_equal(f->rs.items[1].name, "z");
}

static void what_cannot_be_read_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_path(f, "/nope.yaml", false), -ENOENT);
	assert_non_null(strstr(f->diags.items[0].text, "nope.yaml\" does not exist"));
	assert_int_equal(read_path(f, "", false), 0);
	assert_non_null(strstr(f->diags.items[0].text, "recognized file extensions are"));
}

static void kinds_are_found_by_every_name(void **state)
{
	(void)state;
	assert_int_equal(kind_find("be")->id, KIND_BACKEND);
	assert_int_equal(kind_find("Backends.gateway.envoyproxy.io")->id, KIND_BACKEND);
	assert_int_equal(kind_find("TCPRoute")->id, KIND_TCPROUTE);
	assert_int_equal(kind_find("btp")->id, KIND_BACKENDTRAFFICPOLICY);
	assert_null(kind_find("backends.gateway.networking.k8s.io"));
	assert_null(kind_find("nope"));
	assert_null(kind_lookup("gateway.envoyproxy.io/v1", "Backend"));
	assert_null(kind_lookup("v1alpha1", "Backend"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_object_is_read_or_its_mistake_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(metadata_is_decoded_as_go_does, setup, teardown),
		cmocka_unit_test_setup_teardown(gateways_follow_their_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(routes_and_grants_follow_their_rules, setup,
						teardown),
		cmocka_unit_test_setup_teardown(policies_follow_their_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(defaults_make_a_route_complete, setup, teardown),
		cmocka_unit_test_setup_teardown(one_object_of_a_request_is_checked_without_a_place,
						setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_fields_are_dropped_where_that_is_asked_for,
						setup, teardown),
		cmocka_unit_test_setup_teardown(only_names_are_read_where_that_is_asked_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_directory_is_read_in_order_of_names, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds_are_found_by_every_name, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
