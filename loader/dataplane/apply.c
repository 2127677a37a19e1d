/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries out the steps of tables/diff.h in their order. Up to the switch a failure leaves packets
 * with the old tables: keys entered are taken back and words set back; rows and slots that were
 * written are not referred to by anything.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "dataplane/state.h"
#include "dataplane/ticks.h"

static struct spw_service_key service_key(const struct table_service *s)
{
	struct spw_service_key key;

	memset(&key, 0, sizeof(key));
	key.vip = s->vip;
	key.port = htons(s->port);
	key.proto = s->proto;
	return key;
}

/* All that can be wrong with the steps themselves; a bug elsewhere must not write out of bounds. */
static int check(const struct dataplane *dp, const struct steps *s)
{
	uint64_t slots = (uint64_t)dp->meta.slot_lines * SPW_LINE_SLOTS;

	for (size_t i = 0; i < s->endpoints_put_count; i++) {
		uint32_t id = s->endpoints_put[i]->id;

		if (id == SPW_ENDPOINT_NONE || id >= dp->meta.max_endpoints)
			return -ERANGE;
	}
	for (size_t i = 0; i < s->endpoints_del_count; i++) {
		if (s->endpoints_del[i] >= dp->meta.max_endpoints)
			return -ERANGE;
	}
	for (size_t i = 0; i < s->want->slots_count; i++) {
		const struct table_slots *t = &s->want->slots[i];

		if (t->base % SPW_LINE_SLOTS || t->base + (uint64_t)t->size > slots)
			return -ERANGE;
	}
	for (size_t i = 0; i < s->want->motion_count; i++) {
		const struct table_motion *m = &s->want->motions[i];

		if (m->line + (uint64_t)motion_lines(m->size) > motion_room(dp->meta.slot_lines))
			return -ERANGE;
	}
	for (size_t i = 0; i < s->want->endpoint_count; i++) {
		if (s->want->endpoints[i].id >= dp->meta.max_endpoints)
			return -ERANGE;
	}
	for (size_t i = 0; i < s->want->service_count; i++) {
		if (s->want->services[i].id >= dp->meta.max_services)
			return -ERANGE;
	}
	return 0;
}

static void put_slots(struct dataplane *dp, const struct table_slots *t)
{
	uint16_t *at = &dp->maps.slots[t->base / SPW_LINE_SLOTS].endpoint[0];
	uint32_t room = (t->size + SPW_LINE_SLOTS - 1) / SPW_LINE_SLOTS * SPW_LINE_SLOTS;

	memcpy(at, t->slots, t->size * sizeof(*at));
	memset(at + t->size, 0, (room - t->size) * sizeof(*at));
}

/* The head's first place has the size and the kind; the rest of a block's last line is settled. */
static void put_motion(struct dataplane *dp, const struct table_motion *m)
{
	struct spw_motion_line *at = &dp->maps.motions[m->line];

	memset(at, 0, motion_lines(m->size) * sizeof(*at));
	memcpy(at + 1, m->slots, m->size * sizeof(*m->slots));
	at->at[0].since = m->size;
	at->at[0].was = m->by_source ? SPW_MOTION_BY_SOURCE : 0;
}

static void words(struct dataplane *dp, const struct steps *s, bool take_out)
{
	for (size_t i = 0; i < s->word_count; i++) {
		const struct word_step *w = &s->words[i];

		if (w->takes_out == take_out)
			word_write(dp, w->id, w->pickable, w->up);
	}
}

/*
 * The direct write of a failed check may have left a word that no step mends, when the compile that
 * should have followed failed.
 */
static void settle_words(struct dataplane *dp, const struct tables *want)
{
	for (size_t i = 0; i < want->endpoint_count; i++) {
		const struct table_endpoint *e = &want->endpoints[i];
		uint32_t word = dp->maps.words[e->id].word;

		if (e->pickable != !!(word & SPW_WORD_PICKABLE) || e->up != !!(word & SPW_WORD_UP))
			word_write(dp, e->id, e->pickable, e->up);
	}
}

static void del_service(struct dataplane *dp, const struct table_service *s)
{
	struct spw_service_key key = service_key(s);
	int fd = dp->maps.fd[MAP_SERVICES];
	uint32_t id;

	/* The key may belong to another row by now. */
	if (!bpf_map_lookup_elem(fd, &key, &id) && id == s->id)
		(void)bpf_map_delete_elem(fd, &key);
}

/* Steps 3 and 4, and the addresses: what can fail. */
static int enter(struct dataplane *dp, const struct steps *s, size_t *entered)
{
	bool new_vips = !dp->applied || s->services_put_count;
	int err = addrs_put(dp, new_vips ? s->want : NULL);

	for (size_t i = 0; !err && i < s->services_put_count; i++) {
		struct spw_service_key key = service_key(s->services_put[i]);

		err = bpf_map_update_elem(dp->maps.fd[MAP_SERVICES], &key, &s->services_put[i]->id,
					  BPF_ANY);
		if (!err)
			*entered = i + 1;
		service_forget(dp, s->services_put[i]->id);
	}
	return err;
}

/* Words of before, for a failure; step order is as in s->words. */
static uint32_t *save_words(struct dataplane *dp, struct arena *a, const struct steps *s)
{
	uint32_t *saved = arena_array(a, s->word_count + 1, sizeof(*saved));

	for (size_t i = 0; i < s->word_count; i++)
		saved[i] = dp->maps.words[s->words[i].id].word;
	return saved;
}

static void take_back(struct dataplane *dp, const struct steps *s, size_t entered,
		      const uint32_t *saved)
{
	while (entered > 0)
		del_service(dp, s->services_put[--entered]);
	for (size_t i = 0; i < s->word_count; i++)
		word_write(dp, s->words[i].id, saved[i] & SPW_WORD_PICKABLE,
			   saved[i] & SPW_WORD_UP);
}

int dataplane_apply(struct dataplane *dp, struct arena *a, const struct steps *s, const char **why)
{
	struct why w = {a, why};
	size_t entered = 0;
	uint32_t *saved;
	int err = check(dp, s);

	if (err)
		return why_set(w, err, "the tables exceed the maps");
	if ((!dp->applied || s->services_put_count || s->services_del_count) &&
	    side_bind(dp, s->want))
		return why_set(w, -ENOMEM, "out of memory");
	saved = save_words(dp, a, s);
	words(dp, s, true);
	for (size_t i = 0; i < s->endpoints_put_count; i++)
		endpoint_put(dp, s->endpoints_put[i]);
	if (s->endpoints_put_count) {
		neighbours_sync(dp);
		neighbours_await(dp);
		for (size_t i = 0; i < s->endpoints_put_count; i++)
			hop_row_write(dp, s->endpoints_put[i]->id);
	}
	for (size_t i = 0; i < s->slots_put_count; i++)
		put_slots(dp, &s->want->slots[s->slots_put[i]]);
	for (size_t i = 0; i < s->motions_put_count; i++)
		put_motion(dp, &s->want->motions[s->motions_put[i]]);
	err = enter(dp, s, &entered);
	if (err) {
		take_back(dp, s, entered, saved);
		return why_set(w, err,
			       "the services cannot be entered in the maps: %s: after `spillwayd "
			       "--detach`, start with a larger --max-services",
			       strerror(-err));
	}
	words(dp, s, false);
	settle_words(dp, s->want);
	if (s->switch_rows || side_differs(dp))
		side_switch(dp, s->want);
	for (size_t i = 0; i < s->services_del_count; i++)
		del_service(dp, s->services_del[i]);
	for (size_t i = 0; i < s->endpoints_del_count; i++)
		endpoint_del(dp, s->endpoints_del[i]);
	if (s->endpoints_del_count)
		sweep_soon(dp);
	if (s->motions_put_count)
		(void)ticks_now(dp->sweep_fd, &dp->motions_put);
	spaces_set(dp, s->want);
	if (!dp->applied || s->services_del_count)
		(void)addrs_prune(dp, s->want);
	if (!dp->applied || s->endpoints_put_count || s->endpoints_del_count)
		neighbours_sync(dp);
	dp->applied = true;
	return 0;
}
