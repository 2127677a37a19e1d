/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a certificate and a key go together. */
#ifndef SPILLWAY_HEALTH_PAIR_H
#define SPILLWAY_HEALTH_PAIR_H

#include "base/arena.h"

/* NULL: they do; else why not. */
const char *pair_refuse(struct arena *a, const char *cert_pem, const char *key_pem);

#endif
