/* SPDX-License-Identifier: BSD-2-Clause */
/* From policies to what judges an instance, and its identity. */
#ifndef SPILLWAY_MODEL_JUDGES_H
#define SPILLWAY_MODEL_JUDGES_H

#include "model/model.h"

/* What a policy says of the endpoints it judges. All zero: nothing judges them. */
struct judges {
	const struct check *check; /* NULL: none that can run */
	/* NULL: none. By whether the endpoint's Backend says that UDP requests are answered. */
	const struct passive *passive[2];
	uint32_t slow_start_ms;
	uint8_t proto;	      /* of the service */
	struct name_wish dns; /* but for `host` */
	const struct pool_settings *pool;
	/* instance_profile() of endpoints that have nothing of their own, by the same word. */
	uint64_t plain_profile[2];
};

/* duration_ms() of a field; `fallback` when it is absent or zero, which would mean without a pause. */
uint32_t check_duration(const struct node *n, const char *path, uint32_t fallback);

/* check_read.c: the active check of a policy; NULL when it has none. */
const struct check *check_read(struct arena *a, const struct object *policy);

/* pool_read.c: of a service's policy (or NULL) and its flows' idle time; and what it says of names. */
const struct pool_settings *pool_read(struct arena *a, const struct object *policy,
				      uint32_t idle_s);
struct name_wish dns_read(const struct object *policy);

/* judges.c */
const struct passive *passive_read(struct arena *a, const struct object *policy, bool udp_replies);

/* profile.c: the identity of what judges the instance; 0: nothing does. */
uint64_t check_profile(const struct check *check, const char *hostname);
uint64_t instance_profile(const struct instance *i);

#endif
