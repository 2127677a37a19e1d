/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gRPC check: grpc.health.v1.Health/Check over HTTP/2. Whatever a server answers but SERVING takes
 * the endpoint down at once; what is no answer is counted, as Envoy does
 * (GrpcHealthCheckerImpl::onRpcComplete: type ACTIVE, not retriable).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "health/grpc_message.h"
#include "health/transfer.h"

#define REQUEST_MAX 1024
#define RESPONSE_MAX                                                                               \
	256 /* HealthCheckResponse has 2 bytes; there may be fields of a later version */

struct grpc_probe {
	struct transfer transfer;
	uint8_t request[REQUEST_MAX];
	uint8_t response[RESPONSE_MAX];
	size_t response_len; /* of all; what is beyond RESPONSE_MAX is not kept */
	bool has_code;
	unsigned code; /* grpc-status */
	bool is_grpc;  /* by its content-type */
};

static void release(struct transfer *t)
{
	free(t);
}

static struct verdict judge_code(unsigned code)
{
	const char *name = grpc_code_name(code);

	if (name)
		return verdict_make(VERDICT_BAD_AT_ONCE, "gRPC status %u (%s)", code, name);
	return verdict_make(VERDICT_BAD_AT_ONCE, "gRPC status %u", code);
}

static struct verdict judge_response(const struct grpc_probe *p)
{
	int serving = p->response_len > RESPONSE_MAX
			      ? -1
			      : grpc_decode_response(p->response, p->response_len);

	switch (serving) {
	case GRPC_SERVING:
		return verdict_make(VERDICT_GOOD, "serving");
	case GRPC_NOT_SERVING:
		return verdict_make(VERDICT_BAD_AT_ONCE, "not serving");
	case GRPC_SERVICE_UNKNOWN:
		return verdict_make(VERDICT_BAD_AT_ONCE, "service unknown");
	case GRPC_UNKNOWN:
		return verdict_make(VERDICT_BAD_AT_ONCE, "serving status unknown");
	}
	return verdict_make(VERDICT_BAD_AT_ONCE, "no valid gRPC answer");
}

static struct verdict judge(struct transfer *t)
{
	const struct grpc_probe *p = (const struct grpc_probe *)t;
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (p->has_code && p->code)
		return judge_code(p->code);
	if (status != 200)
		return verdict_make(VERDICT_BAD_AT_ONCE, "status %ld", status);
	if (!p->is_grpc || !p->has_code)
		return verdict_make(VERDICT_BAD_AT_ONCE, "no valid gRPC answer");
	return judge_response(p);
}

/* The value when the line is this header, else NULL; lines do not end with NUL. */
static const char *value_of(const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	if (len <= name_len || strncasecmp(line, name, name_len) != 0)
		return NULL;
	line += name_len;
	while (*line == ' ')
		line++;
	return line;
}

/* Headers and trailers: an answer without body has its status among the former. */
static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
	struct grpc_probe *p = ctx;
	size_t len = size * count;
	const char *type = value_of(line, len, "content-type:");
	const char *code = value_of(line, len, "grpc-status:");

	if (type && (size_t)(line + len - type) > strlen("application/grpc"))
		p->is_grpc = strncasecmp(type, "application/grpc", strlen("application/grpc")) == 0;
	if (code) {
		p->has_code = true;
		p->code = 0;
		for (; code < line + len && *code >= '0' && *code <= '9' && p->code < 1000; code++)
			p->code = p->code * 10 + (unsigned)(*code - '0');
	}
	return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct grpc_probe *p = ctx;
	size_t len = size * count;

	if (p->response_len + len <= RESPONSE_MAX)
		memcpy(p->response + p->response_len, data, len);
	p->response_len += len;
	return len;
}

static bool set_up(struct transfer *t)
{
	struct grpc_probe *p = (struct grpc_probe *)t;
	const char *service = t->probe.job->check->grpc_service;
	size_t len = grpc_encode_request(service ? service : "", p->request, REQUEST_MAX);
	CURL *e = t->easy;

	return len && transfer_header(t, "Content-Type: application/grpc") &&
	       transfer_header(t, "TE: trailers") && transfer_header(t, "Expect:") &&
	       transfer_header(t, "Accept:") &&
	       !curl_easy_setopt(e, CURLOPT_REQUEST_TARGET, "/grpc.health.v1.Health/Check") &&
	       !curl_easy_setopt(e, CURLOPT_POST, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)len) &&
	       !curl_easy_setopt(e, CURLOPT_POSTFIELDS, p->request) &&
	       !curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) &&
	       !curl_easy_setopt(e, CURLOPT_HEADERDATA, p) &&
	       !curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(e, CURLOPT_WRITEDATA, p);
}

struct probe *check_grpc_start(const struct probe_tools *tools, const struct probe_order *order,
			       struct verdict *now)
{
	static const struct transfer_type type = {true, set_up, judge, release};
	struct grpc_probe *p = calloc(1, sizeof(*p));

	if (p)
		return transfer_start(&p->transfer, &type, tools, order, now);
	*now = verdict_errno(ENOMEM);
	return NULL;
}
