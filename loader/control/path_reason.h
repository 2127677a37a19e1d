/* SPDX-License-Identifier: BSD-2-Clause */
/* Why packets of an endpoint take the way they take. */
#ifndef SPILLWAY_CONTROL_PATH_REASON_H
#define SPILLWAY_CONTROL_PATH_REASON_H

#include "model/model.h"

/* "TLS, host name", "mode nat": what of the service and the endpoint decided it. In `a`. */
const char *path_reason(struct arena *a, const struct service *s, const struct instance *i);

#endif
