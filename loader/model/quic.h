/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose server ids in QUIC connection IDs are, in one service. */
#ifndef SPILLWAY_MODEL_QUIC_H
#define SPILLWAY_MODEL_QUIC_H

#include <spillway/quic.h>
#include <stddef.h>
#include <stdint.h>

struct quic_id {
	union spw_quic_key key;
	uint32_t instance; /* index in model.instances */
};

struct quic_map {
	uint8_t id_len[SPW_QUIC_CONFIGS]; /* of each configuration's ids; 0: there is none */
	struct quic_id *ids;		  /* by key, each once */
	size_t count;
};

#endif
