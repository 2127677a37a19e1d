/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small name server on 127.0.0.1 for HAProxy, which resolves the names that clients choose: it
 * answers from the daemon's cache and keeps addresses back that are no target. UDP, A and AAAA.
 */
#ifndef SPILLWAY_DNS_STUB_H
#define SPILLWAY_DNS_STUB_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/cleanup.h"

#define STUB_WAITING_MAX 512 /* questions; more are answered with SERVFAIL */

struct dns;
struct stub;

struct stub_options {
	struct dns *dns;    /* with DNS_SEARCH_NONE; outlives the stub */
	uint16_t port;	    /* 0, or when it is taken: the kernel's choice */
	bool allow_private; /* see dns/target.h */
};

struct stub_counts {
	uint64_t questions;	/* that could be read */
	uint64_t answered;	/* with an address */
	uint64_t empty;		/* no address of the family */
	uint64_t no_name;	/* NXDOMAIN */
	uint64_t failed;	/* SERVFAIL */
	uint64_t refused_names; /* NXDOMAIN without asking */
	uint64_t refused_addrs; /* each address of an answer that was kept back */
	uint64_t full;		/* STUB_WAITING_MAX were waiting */
	uint64_t not_for_us;	/* another type, class or version */
	uint64_t malformed;	/* dropped */
	uint64_t unsent;	/* the socket took no more */
};

int stub_new(uv_loop_t *loop, const struct stub_options *opts, struct stub **out);
void stub_free(struct stub *s); /* before its dns; run the loop afterwards */
AUTO_DEFINE(struct stub *, stub_free)

uint16_t stub_port(const struct stub *s); /* host order */

/* These addresses and no others are refused besides those of dns/target.h. Takes a copy. */
int stub_refuse(struct stub *s, const struct spw_addr *addrs, size_t count);

const struct stub_counts *stub_counts(const struct stub *s);

#endif
