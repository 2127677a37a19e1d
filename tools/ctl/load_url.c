/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -f URL. A manifest from elsewhere says what this host does, so it is read whole or not at all, and
 * over http or https only, also after a redirect.
 */
#include <curl/curl.h>
#include <string.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "ctl/ctl.h"

#define TIMEOUT_MS    60000L
#define REDIRECTS_MAX 10L

AUTO_DEFINE(CURL *, curl_easy_cleanup)

static inline void cleanup_strbuf_done(struct strbuf *b)
{
	strbuf_done(b);
}

bool ctl_is_url(const char *path)
{
	return strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0;
}

/* Taking fewer bytes than came ends the transfer. */
static size_t collect(char *bytes, size_t size, size_t count, void *ctx)
{
	struct strbuf *text = ctx;

	if (text->len + size * count > LIMIT_MANIFEST_BYTES)
		return 0;
	strbuf_add(text, bytes, size * count);
	return size * count;
}

static const char *fetch(struct arena *a, const char *url, struct strbuf *text)
{
	AUTO(curl_easy_cleanup) CURL *curl = curl_easy_init();
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode code;
	long status = 0;

	if (!curl)
		return "out of memory";
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, text);
	code = curl_easy_perform(curl);
	if (code == CURLE_WRITE_ERROR)
		return "larger than a manifest may be";
	if (code)
		return arena_strdup(a, detail[0] ? detail : curl_easy_strerror(code));
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 ? NULL : arena_printf(a, "server reported status code=%ld", status);
}

void ctl_load_url(struct ctl *c, struct diags *d, const char *url,
		  const struct manifest_options *opts, struct resources *out)
{
	AUTO(strbuf_done) struct strbuf text = {0};
	const char *why = fetch(c->arena, url, &text);
	const struct loc nowhere = {0};

	if (why)
		diag_add(d, nowhere, "error: unable to read URL \"%s\", %s", url, why);
	else
		(void)manifest_read_text(c->arena, d, url, text.text ? text.text : "", text.len,
					 opts, out);
}
