/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicy healthCheck.active with upstream's defaults. */
#include <ctype.h>
#include <string.h>

#include "model/resolver.h"

#define TIMEOUT_MS	    1000
#define INTERVAL_MS	    3000
#define UNHEALTHY_THRESHOLD 3
#define HEALTHY_THRESHOLD   1

static const uint16_t status_ok = 200;

uint32_t check_duration(const struct node *n, const char *path, uint32_t fallback)
{
	const char *text = node_text_at(n, path, NULL);
	const int64_t ms = text ? duration_ms(text) : -1;

	if (ms <= 0)
		return fallback;
	return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* RFC 4648 section 4; -1 for what is no digit of it. */
static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static struct check_payload decode_base64(struct arena *a, const char *text, size_t len)
{
	uint8_t *bytes = arena_alloc(a, len / 4 * 3 + 3);
	uint32_t bits = 0;
	size_t n = 0, have = 0;

	for (size_t i = 0; i < len; i++) {
		const int digit = base64_digit(text[i]);

		if (digit < 0)
			continue; /* padding; the schema has refused the rest */
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[n++] = (uint8_t)(bits >> have);
		}
	}
	return (struct check_payload){bytes, n};
}

static struct check_payload read_payload(struct arena *a, const struct node *n)
{
	const struct node *text = node_member(n, "text");
	const struct node *binary = node_member(n, "binary");

	if (text && text->type == NODE_STRING)
		return (struct check_payload){(const uint8_t *)text->text, text->text_len};
	if (binary && binary->type == NODE_STRING)
		return decode_base64(a, binary->text, binary->text_len);
	return (struct check_payload){0};
}

static const uint16_t *read_statuses(struct arena *a, const struct node *list, size_t *count)
{
	uint16_t *out = arena_array(a, node_count(list), sizeof(*out));

	*count = node_count(list);
	for (size_t i = 0; i < *count; i++) {
		const struct node *n = node_item(list, i);

		out[i] = (uint16_t)(n->type == NODE_FLOAT ? (int64_t)n->number : n->integer);
	}
	return out;
}

static void read_http(struct arena *a, const struct node *http, struct check *c)
{
	char *method = arena_strdup(a, node_text_at(http, "method", "GET"));

	for (char *p = method; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	c->http_method = method;
	c->http_path = node_text_at(http, "path", "/");
	c->http_hostname = node_text_at(http, "hostname", NULL);
	c->expected = read_statuses(a, node_member(http, "expectedStatuses"), &c->expected_count);
	c->retriable =
		read_statuses(a, node_member(http, "retriableStatuses"), &c->retriable_count);
	if (c->expected_count == 0) {
		c->expected = &status_ok;
		c->expected_count = 1;
	}
	c->request_body = read_payload(a, node_member(http, "requestBody"));
	c->expected_body = read_payload(a, node_member(http, "expectedResponse"));
}

const struct check *check_read(struct arena *a, const struct object *policy)
{
	const struct node *n = node_at(policy->res.root, "spec.healthCheck.active");
	const char *type = node_text_at(n, "type", "");
	struct check *c = arena_alloc(a, sizeof(*c));

	if (strcmp(type, "HTTP") == 0)
		c->type = CHECK_HTTP;
	else if (strcmp(type, "TCP") == 0)
		c->type = CHECK_TCP;
	else if (strcmp(type, "GRPC") == 0)
		c->type = CHECK_GRPC;
	else
		return NULL;
	c->timeout_ms = check_duration(n, "timeout", TIMEOUT_MS);
	c->interval_ms = check_duration(n, "interval", INTERVAL_MS);
	c->jitter_ms = check_duration(n, "initialJitter", 0);
	c->unhealthy_threshold =
		(uint32_t)node_int_at(n, "unhealthyThreshold", UNHEALTHY_THRESHOLD);
	c->healthy_threshold = (uint32_t)node_int_at(n, "healthyThreshold", HEALTHY_THRESHOLD);
	c->port = (uint16_t)node_int_at(n, "overrides.port", 0);
	if (c->type == CHECK_HTTP)
		read_http(a, node_member(n, "http"), c);
	if (c->type == CHECK_GRPC)
		c->grpc_service = node_text_at(n, "grpc.service", "");
	c->send = read_payload(a, node_at(n, "tcp.send"));
	c->receive = read_payload(a, node_at(n, "tcp.receive"));
	return c;
}
