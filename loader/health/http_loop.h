/* SPDX-License-Identifier: BSD-2-Clause */
/* libcurl's multi interface on the libuv loop: transfers are added, and said to have ended. */
#ifndef SPILLWAY_HEALTH_HTTP_LOOP_H
#define SPILLWAY_HEALTH_HTTP_LOOP_H

#include <curl/curl.h>

struct http;

/*
 * Called once when the transfer of `easy` has ended, from the loop and never from within
 * http_add(). CURLOPT_PRIVATE of the handle is the `owner`; the handle is out of the multi handle
 * by then and still the owner's.
 */
typedef void http_ended_fn(void *owner, CURLcode code);

int http_add(struct http *h, CURL *easy, void *owner, http_ended_fn *ended);
void http_remove(struct http *h, CURL *easy); /* before it has ended */

#endif
