/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables as text. The fingerprint of a slot table shows any slot that moved, without its number. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/hash.h"
#include "model/idle.h"
#include "model/mode.h"
#include "tables/diff.h"
#include "tables/tables.h"

static const char *answer_name(uint8_t answer)
{
	switch ((enum spw_no_endpoint)answer) {
	case SPW_NO_ENDPOINT_ANSWER:
		return "answer";
	case SPW_NO_ENDPOINT_UNREACHABLE:
		return "unreachable";
	case SPW_NO_ENDPOINT_DROP:
		return "drop";
	case SPW_NO_ENDPOINT_PASS:
		return "pass";
	case SPW_NO_ENDPOINT_LEAVE:
		return "leave";
	}
	return "unknown";
}

static const char *pick_name(uint8_t pick)
{
	switch ((enum spw_pick)pick) {
	case SPW_PICK_FLOW:
		return "flow";
	case SPW_PICK_SOURCE:
		return "source";
	case SPW_PICK_LEAST:
		return "least";
	}
	return "unknown";
}

static const char *proto_name(uint8_t proto)
{
	return proto == 17 ? "udp" : "tcp";
}

static void print_endpoint(const struct table_endpoint *e, struct strbuf *out)
{
	char text[ADDR_PORT_TEXT_MAX];

	strbuf_printf(out, "endpoint %u: %s %s", e->id, addr_print_port(&e->addr, e->port, text),
		      mode_text((enum spw_mode)e->mode));
	if (e->profile)
		strbuf_printf(out, " profile %016" PRIx64, e->profile);
	strbuf_printf(out, "%s%s%s%s\n", e->pickable ? " pickable" : "", e->up ? " up" : " down",
		      e->flags & SPW_ENDPOINT_RESET_ON_REMOVAL ? " reset-on-removal" : "",
		      e->flags & SPW_ENDPOINT_COUNTED ? " counted" : "");
}

static void print_ref(const struct tables *t, const char *what, uint32_t index, struct strbuf *out)
{
	if (index == TABLE_NONE || index >= t->slots_count)
		strbuf_printf(out, " %s none", what);
	else
		strbuf_printf(out, " %s %u", what, index);
}

/* What is not the default. */
static void print_idle(const struct table_service *s, struct strbuf *out)
{
	const char *before = "; idle";

	for (unsigned int i = 0; i < SPW_IDLE_MAX; i++) {
		const enum spw_idle state = (enum spw_idle)i;

		if (!idle_has(s->proto, state) || s->idle_s[i] == idle_default_s(s->proto, state))
			continue;
		strbuf_printf(out, "%s %s %us", before, idle_name(state), s->idle_s[i]);
		before = ",";
	}
}

static void print_limit(const char *what, uint64_t every_ns, uint64_t burst_ns, struct strbuf *out)
{
	if (every_ns)
		strbuf_printf(out, "; %s every %" PRIu64 " ns, %" PRIu64 " at once", what, every_ns,
			      burst_ns / every_ns);
}

static void print_extras(const struct tables *t, const struct table_service *s, struct strbuf *out)
{
	if (s->pick != SPW_PICK_FLOW)
		strbuf_printf(out, "; pick %s", pick_name(s->pick));
	if (table_weights(s) != TABLE_NONE)
		print_ref(t, "weights", s->weights, out);
	if (s->quic)
		print_ref(t, "; server ids", table_quic(s), out);
	if (!s->guarded)
		return;
	strbuf_puts(out, ";");
	print_ref(t, "allow", s->guard.allow, out);
	print_ref(t, "deny", s->guard.deny, out);
	print_limit("one", s->guard.every_ns, s->guard.burst_ns, out);
	print_limit("of a source one", s->guard.source_every_ns, s->guard.source_burst_ns, out);
}

static void print_service(const struct tables *t, const struct table_service *s, struct strbuf *out)
{
	char text[ADDR_PORT_TEXT_MAX];

	strbuf_printf(out, "service %u: %s/%s", s->id, addr_print_port(&s->vip, s->port, text),
		      proto_name(s->proto));
	print_ref(t, "table", s->table, out);
	print_ref(t, "spare", s->spare, out);
	strbuf_printf(out, " without endpoint: new %s, established %s%s", answer_name(s->new_flows),
		      answer_name(s->live_flows), s->empty ? "; empty" : "");
	print_idle(s, out);
	print_extras(t, s, out);
	strbuf_puts(out, "\n");
}

static const char *kind_name(enum table_kind kind)
{
	switch (kind) {
	case TABLE_PICK:
		break;
	case TABLE_WEIGHTS:
		return "weights";
	case TABLE_LIST:
		return "list";
	case TABLE_QUIC:
		return "server ids";
	}
	return "table";
}

static void print_slots(uint32_t index, const struct table_slots *s, struct strbuf *out)
{
	uint32_t *counts = calloc(SPW_ENDPOINTS_LIMIT, sizeof(*counts));

	if (!counts)
		abort();
	strbuf_printf(out, "%s %u: size %u fingerprint %016" PRIx64 "\n", kind_name(s->kind), index,
		      s->size, hash_bytes(s->slots, s->size * sizeof(*s->slots), 0));
	if (s->kind != TABLE_PICK) {
		free(counts);
		return;
	}
	for (uint32_t i = 0; i < s->size; i++)
		counts[s->slots[i]]++;
	for (uint32_t id = 0; id < SPW_ENDPOINTS_LIMIT; id++) {
		if (counts[id])
			strbuf_printf(out, "  endpoint %u: %u slots, %.2f %%\n", id, counts[id],
				      100.0 * counts[id] / s->size);
	}
	free(counts);
}

void tables_print(const struct tables *t, struct strbuf *out)
{
	for (size_t i = 0; i < t->endpoint_count; i++)
		print_endpoint(&t->endpoints[i], out);
	for (size_t i = 0; i < t->service_count; i++)
		print_service(t, &t->services[i], out);
	for (size_t i = 0; i < t->slots_count; i++)
		print_slots((uint32_t)i, &t->slots[i], out);
}

static void print_service_step(const char *verb, const struct table_service *s, struct strbuf *out)
{
	char text[ADDR_PORT_TEXT_MAX];

	strbuf_printf(out, "%s service %u: %s/%s\n", verb, s->id,
		      addr_print_port(&s->vip, s->port, text), proto_name(s->proto));
}

static void print_words(const struct steps *s, bool takes_out, struct strbuf *out)
{
	for (size_t i = 0; i < s->word_count; i++) {
		const struct word_step *w = &s->words[i];

		if (w->takes_out == takes_out)
			strbuf_printf(out, "word %u:%s%s\n", w->id, w->pickable ? " pickable" : "",
				      w->up ? " up" : " down");
	}
}

void steps_print(const struct steps *s, struct strbuf *out)
{
	print_words(s, true, out);
	for (size_t i = 0; i < s->endpoints_put_count; i++) {
		strbuf_puts(out, "put ");
		print_endpoint(s->endpoints_put[i], out);
	}
	for (size_t i = 0; i < s->slots_put_count; i++) {
		const struct table_slots *t = &s->want->slots[s->slots_put[i]];

		strbuf_printf(out, "put table %u: size %u at slot %u\n", s->slots_put[i], t->size,
			      t->base);
	}
	for (size_t i = 0; i < s->services_put_count; i++)
		print_service_step("put", s->services_put[i], out);
	print_words(s, false, out);
	if (s->switch_rows)
		strbuf_puts(out, "switch rows\n");
	for (size_t i = 0; i < s->services_del_count; i++)
		print_service_step("delete", s->services_del[i], out);
	for (size_t i = 0; i < s->endpoints_del_count; i++)
		strbuf_printf(out, "delete endpoint %u\n", s->endpoints_del[i]);
}
