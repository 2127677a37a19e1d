/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives the numbers of endpoints that are gone free again, once no flow can have them. */
#ifndef SPILLWAY_CONTROL_REST_H
#define SPILLWAY_CONTROL_REST_H

#include "control/engine.h"

/* Called every few seconds. */
void rest_release(struct engine *e);
void rest_close(struct engine *e); /* before the data path is closed */

#endif
