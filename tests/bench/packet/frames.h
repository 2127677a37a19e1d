/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames as the driver wants them: an image for a run, and rows with checksums that fit it. */
#ifndef SPILLWAY_BENCH_FRAMES_H
#define SPILLWAY_BENCH_FRAMES_H

#include <spillway/abi.h>
#include <stddef.h>
#include <stdint.h>

#include "shared.h"

enum {
	FRAME_SYN = 2,
	FRAME_ACK = 16,
};

/* What the packets of a run have in common; BENCH_PATCH_NONE is an ARP request. */
struct shape {
	enum bench_patch patch;
	uint8_t tcp_flags;
	struct spw_addr saddr, daddr; /* all but the last word, which each row has */
};

struct image {
	uint32_t words[BENCH_IMAGE_WORDS];
	uint32_t l3_sum, l4_sum; /* over what no row changes */
	enum bench_patch patch;
};

void frame_image(const struct shape *s, struct image *out);
/* The frame's bytes, for those who send it themselves. */
void frame_bytes(const struct image *image, uint8_t out[BENCH_FRAME]);
/* Sets the checksums of a row. */
void frame_check(const struct image *image, struct bench_row *row);

#endif
