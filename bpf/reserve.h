/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reserves a source port. The reverse entry is the reservation: endpoint, source address and port
 * name one client, and inserting it without overwriting is the test. A cursor for each endpoint and
 * source address walks the list of ports, so that the port that has rested longest comes next, also
 * where all have been used lately. Where the walk of one source address finds none that has rested,
 * the endpoint's others are walked before a port is reused early.
 */
#ifndef SPILLWAY_BPF_RESERVE_H
#define SPILLWAY_BPF_RESERVE_H

#include "pick.h"
#include "port.h"

#define RESERVE_ENOENT 2

/* Fewer, since SYNs without number may come here: the port that rested longest is the first. */
#define RESERVE_TRIES_ELSEWHERE 4

/*
 * Turns to a source address of the endpoint's: 0 is the flow's own, chosen by its hash, and those
 * after it follow. False when there is none in that place: the daemon may have named it for the
 * endpoint, and the next switch will fill it.
 */
static inline bool reserve_turn(struct opening *o, const struct spw_settings *s, __u32 turn)
{
	__u32 nth = o->source_home + turn;

	if (nth >= o->source_count)
		nth -= o->source_count;
	o->source = (o->source_first + nth) % SPW_SOURCES_MAX;
	o->reverse_key.daddr = s->source[o->source];
	return !addr_is_none(&o->reverse_key.daddr);
}

static inline __u32 *reserve_cursor(const struct opening *o)
{
	__u32 key = o->entry.core.endpoint * SPW_SOURCES_MAX + o->source;

	return bpf_map_lookup_elem(&cursors, &key);
}

/* A fresh cursor starts anywhere: after a restart the first ports are those used last. */
static inline __u32 reserve_next_place(const struct opening *o)
{
	__u32 *cursor = reserve_cursor(o);

	if (!cursor)
		return 0;
	if (!*(volatile __u32 *)cursor)
		__sync_val_compare_and_swap(cursor, 0, bpf_get_prandom_u32() | 1);
	return __sync_fetch_and_add(cursor, 1);
}

static inline void reserve_skip(const struct opening *o, __u32 places)
{
	__u32 *cursor = reserve_cursor(o);

	if (cursor && places)
		__sync_fetch_and_add(cursor, places);
}

/*
 * The ports at one cursor: a line, -EEXIST, -ENOENT without a source address, or why none could be
 * inserted. A port that its server may refuse for a while is noted, not taken.
 */
__noinline long reserve_walk(__u32 turn, __u32 tries)
{
	struct opening *o = opening_scratch();
	const struct spw_settings *s = o ? config_settings(o->side) : NULL;
	__u32 first, i, rested = SPW_PORT_TRIES;
	long err = -INSERT_EEXIST;

	if (!o || !s || !reserve_turn(o, s, turn))
		return -RESERVE_ENOENT;
	first = reserve_next_place(o);
	for (i = 0; i < SPW_PORT_TRIES && i < tries && err == -INSERT_EEXIST; i++) {
		err = port_reserve(first + i, PORT_NO_TIME_WAIT);
		if (o->rest != PORT_IN_USE && rested == SPW_PORT_TRIES)
			rested = i;
		if (o->rest <= o->early.rest)
			continue;
		o->early.rest = o->rest;
		o->early.place = first + i;
		o->early.turn = turn;
	}
	/* The next walk begins behind the port taken, or at the first that may be reused. */
	reserve_skip(o, (err == -INSERT_EEXIST && rested < i ? rested : i) - 1);
	return err;
}

/* One source address after the other, until a port is found or none can be inserted. */
static inline long reserve_walks(const struct opening *o)
{
	long err = -RESERVE_ENOENT;
	__u32 i;

	for (i = 0; i < SPW_SOURCES_MAX && i < o->source_count; i++) {
		long walked = reserve_walk(i, i ? RESERVE_TRIES_ELSEWHERE : SPW_PORT_TRIES);

		if (walked == -RESERVE_ENOENT)
			continue;
		err = walked;
		if (err != -INSERT_EEXIST)
			break;
	}
	return err;
}

/* The port noted by the walks. Its cursor leaves it behind, if it stands there. */
static inline long reserve_early(struct opening *o, const struct spw_settings *s)
{
	__u32 place = o->early.place, *cursor;

	if (o->early.rest == PORT_IN_USE || !reserve_turn(o, s, o->early.turn))
		return -INSERT_EEXIST;
	cursor = reserve_cursor(o);
	if (cursor)
		__sync_val_compare_and_swap(cursor, place, place + 1);
	return port_reserve(place, PORT_CLOSED);
}

/*
 * Ports from anywhere in the lists: past a long block of live flows, and in a full table to the
 * flows that are over, wherever they are.
 */
static inline long reserve_scatter(struct opening *o, const struct spw_settings *s, long worst)
{
	long err;
	int i;

	for (i = 0; i < SPW_PORT_TRIES; i++) {
		if (!reserve_turn(o, s, pick_scale(bpf_get_prandom_u32(), o->source_count)))
			continue;
		err = port_reserve(bpf_get_prandom_u32(), PORT_CLOSED);
		err = port_insert_evicting(o, err);
		if (err > 0)
			return err;
		if (err != -INSERT_EEXIST)
			worst = err;
	}
	return worst;
}

/*
 * Inserts the reverse entry under a source address and a port of the list: its line or a negative errno,
 * -EEXIST when all are taken, -ENOENT without any source address.
 */
__noinline long reserve(void)
{
	struct opening *o = opening_scratch();
	const struct spw_settings *s = o ? config_settings(o->side) : NULL;
	long err;

	if (!o || !s)
		return -1;
	err = port_insert_evicting(o, reserve_walks(o));
	if (err == -INSERT_EEXIST)
		err = reserve_early(o, s);
	if (err > 0 || err == -RESERVE_ENOENT)
		return err;
	return reserve_scatter(o, s, err);
}

#endif
