/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `GET /metrics`: counters, flows and endpoints in Prometheus' text format (version 0.0.4), all
 * projects together. An endpoint that policies judge apart is apart here, too, by its number.
 */
#include "base/clock.h"
#include "base/strbuf.h"
#include "control/api.h"
#include "model/mode.h"

static const char *const kind_names[] = {"pass", "forward", "drop", "count"};

enum counter_kind { KIND_PASS, KIND_FORWARD, KIND_DROP, KIND_COUNT };

static const struct {
	enum counter_kind kind;
	const char *name;
} counters[SPW_STAT_MAX] = {
#define ROW(k, id, text, meaning) {KIND_##k, text},
	SPW_STATS(ROW)
#undef ROW
};

static void add_head(struct strbuf *b, const char *name, const char *type, const char *help)
{
	strbuf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line end have a backslash in front. */
static const char *quoted(struct arena *a, const char *text)
{
	struct strbuf b = {0};
	const char *out;

	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			strbuf_puts(&b, "\\");
		if (*text == '\n')
			strbuf_puts(&b, "\\n");
		else
			strbuf_add(&b, text, 1);
	}
	out = arena_strdup(a, b.text ? b.text : "");
	strbuf_done(&b);
	return out;
}

static void add_counters(struct call *c, struct strbuf *b)
{
	uint64_t stats[SPW_STAT_MAX] = {0};

	dataplane_stats(c->engine->dp, stats);
	add_head(b, "spillway_events_total", "counter",
		 "Ways that packets ended, and what happened to flows.");
	for (size_t i = 0; i < SPW_STAT_MAX; i++)
		strbuf_printf(b, "spillway_events_total{name=\"%s\",kind=\"%s\"} %llu\n",
			      counters[i].name, kind_names[counters[i].kind],
			      (unsigned long long)stats[i]);
}

static void add_flows(struct call *c, struct strbuf *b)
{
	const struct spw_meta *meta = dataplane_meta(c->engine->dp);

	add_head(b, "spillway_flows", "gauge", "Live flows, as the latest sweep counted them.");
	strbuf_printf(b, "spillway_flows %llu\n",
		      (unsigned long long)dataplane_flow_count(c->engine->dp));
	add_head(b, "spillway_flows_promised", "gauge", "Flows that the tables hold for sure.");
	strbuf_printf(b, "spillway_flows_promised{family=\"ipv4\"} %u\n", meta->max_flows);
	strbuf_printf(b, "spillway_flows_promised{family=\"ipv6\"} %u\n", meta->max_flows6);
}

/* One endpoint's labels and numbers. */
struct sample {
	const char *labels;
	struct spw_endpoint_stats stats;
	struct handoff_counters proxy; /* of the userspace path */
	enum standing standing;
	bool is_direct; /* its flows and answers are not seen */
};

static void read_sample(struct call *c, const struct instance *i,
			const struct spw_endpoint_stats *stats, struct sample *s)
{
	struct engine *e = c->engine;
	const bool handoff = i->mode == SPW_MODE_HANDOFF;
	const uint32_t id = engine_endpoint_id(e, i);
	struct health_info info = {.reason = ""};

	health_get(e->health, i, &info);
	s->standing = info.standing;
	s->is_direct = mode_is_direct(i->mode);
	s->stats = *stats;
	s->labels = arena_printf(
		c->arena, "backend=\"%s\",endpoint=\"%s\",fqdn=\"%s\",path=\"%s\",number=\"%u\"",
		quoted(c->arena, i->backend), quoted(c->arena, i->name),
		i->fqdn ? quoted(c->arena, i->fqdn) : "", handoff ? "userspace" : "xdp", id);
	if (!handoff || !e->handoff)
		return;
	handoff_count(e->handoff, id, &s->proxy);
	s->stats.bytes_in = s->proxy.bytes_in;
	s->stats.bytes_out = s->proxy.bytes_out;
}

enum value { UP, OPENED, ACTIVE, FAILED, PACKETS_IN, PACKETS_OUT, BYTES_IN, BYTES_OUT, VALUE_MAX };

static const struct {
	const char *name, *type, *help;
} values[VALUE_MAX] = {
	[UP] = {"spillway_endpoint_up", "gauge", "1 while it may get new flows."},
	[OPENED] = {"spillway_endpoint_flows_total", "counter", "Flows opened."},
	[ACTIVE] = {"spillway_endpoint_flows_active", "gauge", "Flows that are open."},
	[FAILED] = {"spillway_endpoint_failed_connections_total", "counter",
		    "Connections that the userspace path could not make."},
	[PACKETS_IN] = {"spillway_endpoint_packets_in_total", "counter",
			"Packets towards the endpoint."},
	[PACKETS_OUT] = {"spillway_endpoint_packets_out_total", "counter",
			 "Packets towards clients; not of the userspace path."},
	[BYTES_IN] =
		{"spillway_endpoint_bytes_in_total", "counter",
		 "Bytes towards the endpoint: of packets, or of the userspace path's streams."},
	[BYTES_OUT] = {"spillway_endpoint_bytes_out_total", "counter",
		       "Bytes towards clients, likewise."},
};

static uint64_t value_of(const struct sample *s, enum value v)
{
	const struct spw_endpoint_stats *n = &s->stats;

	switch (v) {
	case UP:
		return s->standing == STANDING_UP || s->standing == STANDING_UNKNOWN ||
		       s->standing == STANDING_STARTING;
	case OPENED:
		return n->flows_opened;
	case ACTIVE:
		return n->flows_opened > n->flows_closed ? n->flows_opened - n->flows_closed : 0;
	case FAILED:
		return s->proxy.failed;
	case PACKETS_IN:
		return n->packets_in;
	case PACKETS_OUT:
		return n->packets_out;
	case BYTES_IN:
		return n->bytes_in;
	case BYTES_OUT:
		return n->bytes_out;
	case VALUE_MAX:
		break;
	}
	return 0;
}

/* What is not seen of direct return has no sample: 0 would be a lie. */
static bool is_known(const struct sample *s, enum value v)
{
	return !s->is_direct || (v != OPENED && v != ACTIVE && v != PACKETS_OUT && v != BYTES_OUT);
}

static void add_endpoints(struct call *c, struct strbuf *b)
{
	const struct model *m = c->engine->now->model;
	struct sample *samples = arena_array(c->arena, m->instance_count, sizeof(*samples));
	static const struct spw_endpoint_stats none;
	struct spw_endpoint_stats *all = NULL;
	size_t known = 0, count = 0;

	dataplane_all_endpoint_stats(c->engine->dp, c->arena, &all, &known);
	for (size_t n = 0; n < m->instance_count; n++) {
		const struct instance *i = &m->instances[n];
		const uint32_t id = engine_endpoint_id(c->engine, i);

		if (id != SPW_ENDPOINT_NONE)
			read_sample(c, i, id < known ? &all[id] : &none, &samples[count++]);
	}
	for (int v = 0; v < VALUE_MAX; v++) {
		add_head(b, values[v].name, values[v].type, values[v].help);
		for (size_t i = 0; i < count; i++) {
			if (is_known(&samples[i], (enum value)v))
				strbuf_printf(
					b, "%s{%s} %llu\n", values[v].name, samples[i].labels,
					(unsigned long long)value_of(&samples[i], (enum value)v));
		}
	}
}

static void add_daemon(struct call *c, struct strbuf *b)
{
	const struct engine *e = c->engine;

	add_head(b, "spillway_uptime_seconds", "gauge", "Age of the daemon.");
	strbuf_printf(b, "spillway_uptime_seconds %llu\n",
		      (unsigned long long)((clock_ms() - e->started_ms) / 1000));
	add_head(b, "spillway_tables_in_force", "gauge",
		 "1 while the maps hold what the store says.");
	strbuf_printf(b, "spillway_tables_in_force %d\n", e->problem == NULL);
	add_head(b, "spillway_userspace_path_up", "gauge",
		 "1 while HAProxy runs, or is not needed.");
	strbuf_printf(b, "spillway_userspace_path_up %d\n",
		      e->handoff && !handoff_problem(e->handoff));
}

void api_metrics(struct call *c)
{
	struct strbuf b = {0};

	add_daemon(c, &b);
	add_counters(c, &b);
	add_flows(c, &b);
	add_endpoints(c, &b);
	call_answer_text(c, 200, b.text);
	c->content_type = "text/plain; version=0.0.4; charset=utf-8";
	strbuf_done(&b);
}
