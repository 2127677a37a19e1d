/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a BackendTrafficPolicy works for requests: the words of HAProxy for it are in handoff/. */
#include <string.h>

#include "model/frontend.h"

static const struct {
	const char *trigger, *words;
} triggers[] = {
	{"connect-failure", "conn-failure"},
	{"reset", "empty-response junk-response"},
	{"5xx", "conn-failure empty-response junk-response response-timeout 500 501 502 503 504"},
	{"gateway-error", "502 503 504"},
	{"refused-stream", "conn-failure"},
};

const char *policy_retry_words(const char *trigger)
{
	for (size_t i = 0; trigger && i < sizeof(triggers) / sizeof(triggers[0]); i++) {
		if (strcmp(triggers[i].trigger, trigger) == 0)
			return triggers[i].words;
	}
	return NULL;
}

bool policy_can_retry(int64_t status)
{
	static const int64_t known[] = {401, 403, 404, 408, 425, 500, 501, 502, 503, 504};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i] == status)
			return true;
	}
	return false;
}

static bool is_token(const char *text)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_";

	return *text && !text[strspn(text, chars)];
}

enum balance policy_balance(const struct node *spec, const char **header)
{
	const struct node *n = node_member(spec, "loadBalancer");
	const char *type = node_text_at(n, "type", "RoundRobin");
	const char *hash = node_text_at(n, "consistentHash.type", "");

	*header = node_text_at(n, "consistentHash.header.name", "");
	if (strcmp(type, "RoundRobin") == 0)
		return BALANCE_ROUND_ROBIN;
	if (strcmp(type, "Random") == 0)
		return BALANCE_RANDOM;
	if (strcmp(type, "LeastRequest") == 0)
		return BALANCE_LEAST;
	if (strcmp(hash, "SourceIP") == 0)
		return BALANCE_SOURCE;
	if (strcmp(hash, "Header") == 0 && is_token(*header))
		return BALANCE_HEADER;
	return BALANCE_NONE;
}
