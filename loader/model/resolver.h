/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the steps of model_resolve() hand to each other; nobody outside this folder needs it. Steps
 * run in the order of the declarations below.
 */
#ifndef SPILLWAY_MODEL_RESOLVER_H
#define SPILLWAY_MODEL_RESOLVER_H

#include "model/backend.h"
#include "model/certs.h"
#include "model/frontend.h"
#include "model/judges.h"
#include "model/model.h"
#include "model/refs.h"

struct listener {
	struct object *gateway;
	const struct node *node;
	const char *name;
	const char *protocol;
	uint16_t port;
	uint8_t proto;	       /* IPPROTO_TCP, IPPROTO_UDP; 0: not carried */
	bool is_l7;	       /* a frontend's */
	const char *hostname;  /* NULL: any */
	size_t *frontends;     /* of layer 7, by VIP: in model->frontends */
	size_t *places;	       /* and which listener of that it is */
	struct spw_addr *vips; /* those of the Gateway that this listener has for itself */
	size_t vip_count;
	struct problem refused;	     /* not Accepted */
	struct problem certs;	     /* not ResolvedRefs */
	struct problem kinds;	     /* allowedRoutes.kinds: likewise */
	struct problem degraded;     /* not Programmed, or not on all addresses */
	uint32_t *attached;	     /* routes; its place in the Gateway's list */
	const struct object *latest; /* of those, the one that was counted last */
	struct object *route;	     /* the oldest one attached, or NULL */
};

enum addr_family { FAMILY_V4 = 1, FAMILY_V6 = 2 };

/* A parentRef, and what became of it. */
struct parent {
	struct object *route;
	const struct node *node;
	const char *text; /* "NAMESPACE/NAME" */
	const char *kind; /* NULL: a Gateway */
	const char *section;
	int64_t port; /* 0: any */
	struct object *gateway;
	struct refs *refs;
	struct problem refused;
	const char *note; /* added to the message of an accepted one */
	bool selector;	  /* a listener asks for labels */
};

/* One policy's hold on one target. */
struct target {
	struct object *policy;
	const struct object *effective; /* what is in force: the policy, or what it was merged to */
	const char *kind;
	const char *namespace;
	const char *name;
	const char *section;   /* or NULL */
	struct target *wider;  /* of a merged one: what it was merged with */
	struct target *merged; /* the latest of this one, a chain */
	bool is_read;	       /* what follows is filled in */
	struct judges judges;  /* but for `proto` */
};

/* A service to be: everything but its endpoints. */
struct draft {
	struct spw_addr vip;
	struct listener *listener;
	struct object *route;
	struct refs *refs;
	struct target *target; /* of the policy in force, or NULL */
	const char *name;
	bool is_l7;			  /* a frontend's or, with a route, a cluster's */
	const struct pool_settings *pool; /* of a cluster, once it is built */
	size_t frontend, rule;		  /* whose it is; the rule in that frontend */
};

struct source_text;

struct resolver {
	struct arena *arena;
	struct model *model;
	struct diags *diags; /* may be NULL */
	const struct model_options *opts;
	struct object **by_name;	/* all objects: by kind, project, namespace, name */
	struct object **by_age;		/* the same: by kind, then the oldest first */
	struct backend **backend_of;	/* by the place in model->objects; NULL: no Backend */
	struct tls_target *tls_targets; /* by project, namespace, name, section; unique */
	size_t tls_target_count;
	struct client_cert *gateway_client; /* of Gateways, by the place in model->objects */
	struct listener *listeners;	    /* those of one Gateway stand together */
	size_t listener_count;
	size_t *first_listener; /* of a Gateway, by the place in model->objects */
	struct target *targets;
	size_t target_count;
	uint32_t *target_table; /* by hash of what is targeted: index + 1 */
	size_t target_table_size;
	/* Of policies, by the place in model->objects: */
	struct name_list *overriders;	  /* routes that a narrower one is in force for */
	struct name_list *mergers;	  /* routes that a narrower one is merged with it for */
	struct name_list *bases;	  /* policies that it is merged with */
	bool *serves_l7;		  /* it is in force for a rule on layer 7 */
	bool *serves_xdp;		  /* it is in force for endpoints that XDP forwards to */
	bool *lacks_port;		  /* its check cannot reach the endpoints of a UDPRoute */
	bool *lacks_load;		  /* it asks for LeastRequest where flows are not counted */
	struct source_text *source_texts; /* what lists were read already */
	size_t source_text_count;
	struct parent *parents;
	size_t parent_count;
	struct draft *drafts;
	size_t draft_count;
};

/* names.c */
void names_sort(struct resolver *r);
struct object *names_find(const struct resolver *r, enum kind_id kind, const char *project,
			  const char *namespace, const char *name);
/* The objects of a kind, in `list`'s order: r->by_name or r->by_age. */
struct object **names_of_kind(const struct resolver *r, struct object **list, enum kind_id kind,
			      size_t *count);
bool names_is_older(const struct object *a, const struct object *b);

/* What refers to an object that was refused follows from its mistake. */
bool names_was_refused(const struct resolver *r, const char *kind, const char *namespace,
		       const char *name);

/* conditions.c */
void condition_add(struct resolver *r, struct object *o, const struct condition *c);
void condition_plain(struct resolver *r, struct object *o, const char *type, bool status,
		     const char *reason, const char *message);
/* `KIND NAMESPACE/NAME: TEXT` at `loc`. */
void resolve_warn(struct resolver *r, const struct object *o, struct loc loc, const char *text);
void names_add(struct arena *a, struct name_list *list, const char *name);
const char *names_text(struct arena *a, const struct name_list *list); /* NULL when empty */
/* LIST SEPARATOR WHAT, or WHAT alone. For short lists: it copies. */
const char *text_join(struct arena *a, const char *list, const char *separator, const char *what);
/* With a capital and a full stop, as upstream has what it wraps. */
const char *text_sentence(struct arena *a, const char *text);
struct loc member_loc(const struct node *map, const char *key);

/* backends.c */
void backends_read(struct resolver *r);
struct backend *backends_find(const struct resolver *r, const char *project, const char *namespace,
			      const char *name);
void backends_report(struct resolver *r);

/* gateways.c, listeners.c */
void gateways_read(struct resolver *r);
void listeners_check(struct resolver *r);
void listeners_claim(struct resolver *r);
void gateways_report(struct resolver *r);

/* classes.c: which Gateways are another controller's */
void classes_read(struct resolver *r);
void classes_report(struct resolver *r);

/* targets.c: who holds on to what; `section` may be NULL. */
struct target *targets_find(const struct resolver *r, const struct object *aim,
			    const char *section);
void targets_add(struct resolver *r, const struct target *t);
/* The policy in force for a rule on a listener, and a note for those that it overrides. */
struct target *targets_settle(struct resolver *r, const struct object *route, size_t rule,
			      const struct listener *l);

/* merge.c: the narrower one laid over the wider one, as its mergeType says. */
struct target *targets_merge(struct resolver *r, struct target *narrow, struct target *wide);

/* selectors.c */
bool selector_matches(const struct node *selector, const struct object *o);

/* policies.c */
void policies_read(struct resolver *r);
void policies_report(struct resolver *r);
/* policy_fields.c: the fields of its spec, and their values, that nothing does; NULL: none. */
const char *policy_idle_fields(struct arena *a, const struct object *policy, bool is_l7);
/* Those that only the userspace path acts on; NULL: none. */
const char *policy_proxy_fields(struct arena *a, const struct object *policy);

/* grants.c: may the route refer to a Backend (or Service) of another namespace? */
bool grants_allow(const struct resolver *r, const struct object *route, const char *group,
		  const char *kind, const char *namespace, const char *name);

/* refs.c */
struct refs *refs_resolve(struct resolver *r, struct object *route);

/* families.c: nat keeps the address family; notes what that leaves out in refs->left_out. */
enum addr_family family_of_addr(const struct spw_addr *a);
void families_check(struct resolver *r, struct refs *refs);

/* routes.c */
void routes_attach(struct resolver *r);
void routes_report(struct resolver *r);

/* judges.c: those of a service; notes at the policy what cannot be done for it. */
struct judges judges_of(struct resolver *r, const struct draft *d);

/* zones.c: what the policy in force says of zones, once the service has its localities. */
void zones_apply(struct resolver *r, struct service *s);

/* fallbacks.c: those that cannot take over by themselves on this service, noted at the Backend. */
void fallbacks_mark(struct resolver *r, const struct draft *d, const struct service *s,
		    const struct judges *j);
void fallbacks_report(struct resolver *r, const struct backend *b);

/* members.c: once the instances are in their array. */
void members_settle(struct model *m);

/* balance.c: how the service picks, by the policy in force; notes there what cannot be done. */
void balance_read(struct resolver *r, const struct draft *d, struct service *s);

/* guards.c: the route's lists and limits; what of them cannot be had goes to refs->sources. */
void guard_read(struct resolver *r, const struct draft *d, struct guard *out);

/* quic.c: the ids of a Backend's servers; whose they are in a service; what is to be said of it. */
void quic_read(struct resolver *r, struct backend *b);
void quic_map_make(struct resolver *r, const struct draft *d, struct service *s);
void quic_report(struct resolver *r, struct backend *b);

/* services.c */
void services_build(struct resolver *r);

#endif
