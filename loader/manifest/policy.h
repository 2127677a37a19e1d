/* SPDX-License-Identifier: BSD-2-Clause */
/* The two halves of BackendTrafficPolicy's table. */
#ifndef SPILLWAY_MANIFEST_POLICY_H
#define SPILLWAY_MANIFEST_POLICY_H

#include "manifest/schema.h"

extern const struct field policy_health_fields[]; /* spec.healthCheck */

#endif
