/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server ids that a Backend's endpoints have to put into QUIC connection IDs: what whoever sets up a
 * server looks for. Names have no id, their addresses have.
 */
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "ctl/describe_health.h"
#include "ctl/table.h"
#include "manifest/annotations.h"
#include "manifest/quic_ids.h"

struct listing {
	struct table table;
	struct quic_ids ids;
	const char **shown; /* addresses of names that have their rows */
	size_t count;
};

static bool is_new(struct listing *l, const char *endpoint)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->shown[i], endpoint) == 0)
			return false;
	}
	*arena_push(l->table.arena, l->shown, l->count) = endpoint;
	return true;
}

static void add(struct listing *l, const char *endpoint)
{
	uint8_t id[SPW_QUIC_ID_MAX];
	struct spw_addr addr;
	uint16_t port;

	if (addr_parse_port(endpoint, &addr, &port))
		return;
	for (unsigned int i = 0; i < SPW_QUIC_CONFIGS; i++) {
		const struct quic_config *c = &l->ids.configs[i];

		if (!c->id_len)
			continue;
		table_row(&l->table);
		table_cell(&l->table, endpoint);
		table_cellf(&l->table, "%u", i);
		table_cell(&l->table, quic_ids_find(c, &addr, port, id)
					      ? quic_ids_text(l->table.arena, id, c->id_len)
					      : "<none>");
	}
}

static void add_written(struct listing *l, const struct node *backend)
{
	const struct node *list = node_at(backend, "spec.endpoints");

	for (size_t i = 0; i < node_count(list); i++) {
		const struct node *ip = node_member(node_item(list, i), "ip");
		const uint16_t port = (uint16_t)node_int_at(ip, "port", 0);
		char text[ADDR_PORT_TEXT_MAX];
		struct spw_addr addr;

		if (ip && !addr_parse(node_text_at(ip, "address", ""), &addr))
			add(l, arena_strdup(l->table.arena, addr_print_port(&addr, port, text)));
	}
}

static void add_resolved(struct listing *l, const char *backend, const struct node *service)
{
	const struct node *list = node_member(service, "endpoints");

	for (size_t i = 0; i < node_count(list); i++) {
		const struct node *e = node_item(list, i);

		if (*node_text_at(e, "fqdn", "") &&
		    strcmp(node_text_at(e, "backend", ""), backend) == 0 &&
		    is_new(l, node_text_at(e, "address", "")))
			add(l, node_text_at(e, "address", ""));
	}
}

void describe_backend_quic(struct arena *a, const struct node *backend, const struct node *services)
{
	const char *text = annotation_value(backend, ANNOTATION_QUIC_SERVER_IDS);
	const char *name = arena_printf(a, "%s/%s", node_text_at(backend, "metadata.namespace", ""),
					node_text_at(backend, "metadata.name", ""));
	struct listing l = {.shown = NULL};

	if (!text || quic_ids_parse(a, text, strlen(text), &l.ids))
		return;
	table_init(&l.table, a);
	l.table.indent = "  ";
	table_head(&l.table, "ENDPOINT CONFIGURATION ID");
	add_written(&l, backend);
	for (size_t i = 0; i < node_count(services); i++)
		add_resolved(&l, name, node_item(services, i));
	puts("QUIC server ids:");
	table_print(&l.table, stdout);
}
