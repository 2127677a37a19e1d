/* SPDX-License-Identifier: BSD-2-Clause */
/* ConfigMaps and Secrets, whose keys are data and not fields. */
#ifndef SPILLWAY_CTL_DESCRIBE_CONFIG_H
#define SPILLWAY_CTL_DESCRIBE_CONFIG_H

#include "base/arena.h"
#include "manifest/node.h"

void describe_configmap(struct arena *a, const struct node *object);
/* Sizes only: no value leaves the daemon. */
void describe_secret(struct arena *a, const struct node *object);

#endif
