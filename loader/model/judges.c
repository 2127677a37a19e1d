/* SPDX-License-Identifier: BSD-2-Clause */
/* What judges the endpoints of a service: the active check, passive detection and slow start. */
#include <string.h>

#include "model/resolver.h"

#define PASSIVE_INTERVAL_MS  3000
#define BASE_EJECTION_MS     30000
#define MAX_EJECTION_PERCENT 10
#define CONSECUTIVE_FAILURES 5

/*
 * On layer 4 all failures are failures to connect. Upstream counts these as 5xx and as gateway
 * errors, or, when they are counted apart, as local ones only.
 */
static uint32_t consecutive(const struct node *n)
{
	const uint32_t any = (uint32_t)node_int_at(n, "consecutive5XxErrors", CONSECUTIVE_FAILURES);
	const uint32_t gateway = (uint32_t)node_int_at(n, "consecutiveGatewayErrors", 0);

	if (node_bool_at(n, "splitExternalLocalOriginErrors", false))
		return (uint32_t)node_int_at(n, "consecutiveLocalOriginFailures",
					     CONSECUTIVE_FAILURES);
	if (!any || !gateway)
		return any + gateway;
	return any < gateway ? any : gateway;
}

const struct passive *passive_read(struct arena *a, const struct object *policy, bool udp_replies)
{
	const struct node *n = node_at(policy->res.root, "spec.healthCheck.passive");
	struct passive *p;

	if (!n || n->type != NODE_MAP)
		return NULL;
	p = arena_alloc(a, sizeof(*p));
	p->interval_ms = check_duration(n, "interval", PASSIVE_INTERVAL_MS);
	p->base_ejection_ms = check_duration(n, "baseEjectionTime", BASE_EJECTION_MS);
	p->max_ejection_percent =
		(uint32_t)node_int_at(n, "maxEjectionPercent", MAX_EJECTION_PERCENT);
	if (p->max_ejection_percent == 0) /* upstream does not send it on */
		p->max_ejection_percent = MAX_EJECTION_PERCENT;
	p->consecutive = consecutive(n);
	p->failure_percent = (uint32_t)node_int_at(n, "failurePercentageThreshold", 0);
	p->always_eject_one = node_bool_at(n, "alwaysEjectOneEndpoint", false);
	p->udp_replies = udp_replies;
	return p;
}

/* Upstream's schema has it for BackendUtilization too, which does not exist on layer 4. */
static uint32_t read_slow_start(const struct object *policy)
{
	const struct node *n = node_at(policy->res.root, "spec.loadBalancer");
	const char *type = node_text_at(n, "type", "");

	if (strcmp(type, "RoundRobin") != 0 && strcmp(type, "LeastRequest") != 0)
		return 0;
	return check_duration(n, "slowStart.window", 0);
}

static void read_all(struct arena *a, struct target *t)
{
	t->judges = (struct judges){
		.check = check_read(a, t->effective),
		.passive = {passive_read(a, t->effective, false),
			    passive_read(a, t->effective, true)},
		.slow_start_ms = read_slow_start(t->effective),
	};
	t->is_read = true;
}

/* Hashed once a service, not once for each of its endpoints. */
static void hash_plain(struct judges *j)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct instance plain = {
			.check = j->check,
			.passive = j->passive[i],
			.proto = j->proto,
			.slow_start_ms = j->slow_start_ms,
		};

		j->plain_profile[i] = instance_profile(&plain);
	}
}

struct judges judges_of(struct resolver *r, const struct draft *d)
{
	struct target *t = d->target;
	struct judges j = {0};

	if (!t)
		return j;
	if (!t->is_read)
		read_all(r->arena, t);
	j = t->judges;
	j.proto = d->listener->proto;
	if (j.proto != IPPROTO_UDP)
		j.passive[1] = j.passive[0];
	/* Over UDP nothing answers a probe: it needs a port of its own. */
	if (j.proto == IPPROTO_UDP && j.check && j.check->port == 0) {
		r->lacks_port[t->policy - r->model->objects] = true;
		j.check = NULL;
	}
	hash_plain(&j);
	return j;
}
