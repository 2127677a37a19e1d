/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl over a Unix socket. Each run makes few requests, so each has its own handle. What can
 * go wrong on the way to the daemon is an operator's everyday question, so the answer names the
 * socket, the reason and what to do.
 */
#include "ctl/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/strbuf.h"

#define TIMEOUT_MS 120000L /* an apply of everything there may be takes seconds */

AUTO_DEFINE(CURL *, curl_easy_cleanup)
AUTO_DEFINE(struct curl_slist *, curl_slist_free_all)

static inline void cleanup_strbuf_done(struct strbuf *b)
{
	strbuf_done(b);
}

const char *http_escape(struct arena *a, const char *text)
{
	static const char unreserved[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	AUTO(strbuf_done) struct strbuf out = {0};

	for (; *text; text++) {
		if (strchr(unreserved, *text))
			strbuf_add(&out, text, 1);
		else
			strbuf_printf(&out, "%%%02X", (unsigned char)*text);
	}
	return arena_strndup(a, out.text ? out.text : "", out.len);
}

static size_t collect(char *bytes, size_t size, size_t count, void *ctx)
{
	strbuf_add(ctx, bytes, size * count);
	return size * count;
}

/* The group that may use the socket, or NULL when that cannot be seen. */
static const char *socket_group(const char *path)
{
	struct group *g;
	struct stat st;

	if (stat(path, &st))
		return NULL;
	g = getgrgid(st.st_gid);
	return g ? g->gr_name : NULL;
}

/* Why connect() fails: curl keeps the errno only for some socket kinds and versions. */
static int connect_errno(const char *path)
{
	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (fd < 0)
		return errno;
	if (strlen(path) >= sizeof(sa.sun_path))
		return ENAMETOOLONG;
	strcpy(sa.sun_path, path);
	return connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) ? errno : 0;
}

static const char *unreachable(struct ctl *c, const char *reason)
{
	return arena_printf(c->arena,
			    "cannot reach spillwayd at %s: %s; is it running? "
			    "(systemctl status spillwayd)",
			    c->socket_path, reason);
}

static int explain(struct ctl *c, CURLcode code, const char *detail, const char **why)
{
	const char *group;
	int err = 0;

	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
		err = connect_errno(c->socket_path);
	if (err == EACCES || err == EPERM) {
		group = socket_group(c->socket_path);
		*why = arena_printf(c->arena,
				    "cannot reach spillwayd at %s: %s; only root and members of "
				    "the socket's group%s%s may connect",
				    c->socket_path, strerror(err), group ? " " : "",
				    group ? group : "");
		return -err;
	}
	if (err)
		*why = unreachable(c, strerror(err));
	else
		*why = unreachable(c, detail[0] ? detail : curl_easy_strerror(code));
	return err ? -err : -EIO;
}

/* Kubernetes' paths carry the project in front; the rest (/version) belong to the daemon. */
static const char *url_of(struct ctl *c, const char *path)
{
	if (strcmp(c->project, "default") == 0 || strncmp(path, "/api", 4) != 0)
		return arena_printf(c->arena, "http://spillwayd%s", path);
	return arena_printf(c->arena, "http://spillwayd/projects/%s/control-plane%s",
			    http_escape(c->arena, c->project), path);
}

static void parse_body(struct ctl *c, struct strbuf *text, struct reply *r)
{
	struct diags d;

	diags_init(&d, c->arena);
	r->text = arena_strndup(c->arena, text->text ? text->text : "", text->len);
	r->body = NULL;
	if (text->len && node_from_json(c->arena, &d, r->text, text->len, &r->body))
		r->body = NULL;
}

int http_try(struct ctl *c, const char *method, const char *path, const struct node *body,
	     struct reply *out, const char **why)
{
	AUTO(curl_slist_free_all)
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	AUTO(curl_easy_cleanup) CURL *curl = curl_easy_init();
	AUTO(strbuf_done) struct strbuf text = {0};
	AUTO(free) char *json = body ? node_to_json(body, 0) : NULL;
	char detail[CURL_ERROR_SIZE] = "";
	struct reply reply = {0};
	CURLcode code;

	if (!curl || !headers || (body && !json)) {
		*why = "out of memory";
		return -ENOMEM;
	}
	(void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, c->socket_path);
	(void)curl_easy_setopt(curl, CURLOPT_URL, url_of(c, path));
	(void)curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
			       c->timeout_ms ? (long)c->timeout_ms : TIMEOUT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
	(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (json) {
		(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(json));
	}
	code = curl_easy_perform(curl);
	if (code)
		return explain(c, code, detail, why);
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.code);
	parse_body(c, &text, &reply);
	*out = reply;
	return 0;
}

int http_request(struct ctl *c, const char *method, const char *path, const struct node *body,
		 struct reply *out)
{
	const char *why = NULL;
	int err = http_try(c, method, path, body, out, &why);

	if (err)
		(void)ctl_error("%s", why);
	return err;
}

int http_error(const struct reply *r)
{
	const char *message = node_text_at(r->body, "message", NULL);
	const char *reason = node_text_at(r->body, "reason", NULL);

	(void)fflush(stdout);
	if (message && reason)
		fprintf(stderr, "Error from server (%s): %s\n", reason, message);
	else if (message)
		fprintf(stderr, "Error from server: %s\n", message);
	else
		fprintf(stderr, "Error from server: HTTP status %ld%s%s\n", r->code,
			r->text[0] ? ": " : "", r->text);
	return 1;
}

int http_get(struct ctl *c, const char *path, struct node **out)
{
	struct reply r;
	int err = http_request(c, "GET", path, NULL, &r);

	if (err)
		return err;
	if (r.code != 200 || !r.body) {
		(void)http_error(&r);
		return -EPROTO;
	}
	*out = r.body;
	return 0;
}
