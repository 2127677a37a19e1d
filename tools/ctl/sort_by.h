/* SPDX-License-Identifier: BSD-2-Clause */
/* `--sort-by JSONPATH`. */
#ifndef SPILLWAY_CTL_SORT_BY_H
#define SPILLWAY_CTL_SORT_BY_H

#include "ctl/target.h"

/* Objects without the field come first, equal ones keep their order. Nonzero, and said so. */
int sort_by(struct ctl *c, const char *path, struct found_list *found);

#endif
