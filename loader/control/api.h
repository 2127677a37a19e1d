/* SPDX-License-Identifier: BSD-2-Clause */
/* The API's handlers, in files by topic; each answers its call. Rows of the table in routes.c. */
#ifndef SPILLWAY_CONTROL_API_H
#define SPILLWAY_CONTROL_API_H

#include "control/call.h"

/* api_objects.c: Kubernetes' paths */
void api_list(struct call *c);
void api_get(struct call *c);
void api_create(struct call *c);
void api_replace(struct call *c);
void api_delete(struct call *c);

/* api_apply.c */
void api_apply(struct call *c);

/* api_endpoints.c */
void api_endpoints(struct call *c);
void api_set_state(struct call *c);

/* api_events.c */
void api_events(struct call *c);

/* api_drains.c */
void api_begin_drain(struct call *c);
void api_drains(struct call *c);

/* api_flows.c */
void api_add_flow(struct call *c, struct node *list, const struct flow_row *row);
void api_flows(struct call *c);
void api_flows_count(struct call *c);

/* api_status.c */
void api_version(struct call *c);
void api_healthz(struct call *c);
void api_metrics(struct call *c);
void api_stats(struct call *c);
void api_status(struct call *c);

#endif
