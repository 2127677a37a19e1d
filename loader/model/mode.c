/* SPDX-License-Identifier: BSD-2-Clause */
/* Modes and their words: in annotations, conditions and answers. */
#include "model/mode.h"

#include <string.h>

const char *mode_text(enum spw_mode mode)
{
	switch (mode) {
	case SPW_MODE_NONE:
		return "none";
	case SPW_MODE_NAT:
		return "nat";
	case SPW_MODE_L2:
		return "l2";
	case SPW_MODE_IPIP:
		return "ipip";
	case SPW_MODE_GUE:
		return "gue";
	case SPW_MODE_HANDOFF:
		return "handoff";
	}
	return "unknown";
}

enum spw_mode mode_of_word(const char *word)
{
	static const enum spw_mode direct[] = {SPW_MODE_L2, SPW_MODE_IPIP, SPW_MODE_GUE};

	for (size_t i = 0; i < sizeof(direct) / sizeof(direct[0]); i++) {
		if (strcmp(word, mode_text(direct[i])) == 0)
			return direct[i];
	}
	return SPW_MODE_NAT;
}
