/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What judges endpoints: BackendTrafficPolicy healthCheck.active and healthCheck.passive, defaults
 * filled in, and the TLS settings of the Backend that probes use like traffic does.
 */
#ifndef SPILLWAY_MODEL_CHECK_H
#define SPILLWAY_MODEL_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum check_type { CHECK_TCP, CHECK_HTTP, CHECK_GRPC };

struct check_payload {
	const uint8_t *bytes; /* decoded from Text or Binary; NULL: none */
	size_t len;
};

struct check {
	enum check_type type;
	uint32_t timeout_ms;		    /* 1000 */
	uint32_t interval_ms;		    /* 3000 */
	uint32_t jitter_ms;		    /* initialJitter, 0 */
	uint32_t unhealthy_threshold;	    /* 3 */
	uint32_t healthy_threshold;	    /* 1 */
	uint16_t port;			    /* overrides.port; 0: the endpoint's */
	struct check_payload send, receive; /* TCP */
	const char *http_path;
	const char *http_hostname; /* NULL: the endpoint's hostname, else its address */
	const char *http_method;   /* "GET" */
	const uint16_t *expected;  /* statuses; never empty for HTTP: 200 */
	size_t expected_count;
	const uint16_t *retriable;
	size_t retriable_count;
	struct check_payload request_body, expected_body;
	const char *grpc_service; /* "": the whole server */
};

/* healthCheck.passive (Envoy's outlier detection); a count of 0 switches that detector off. */
struct passive {
	uint32_t interval_ms;	       /* 3000 */
	uint32_t base_ejection_ms;     /* 30000 */
	uint32_t max_ejection_percent; /* 10; an explicit 0 means 10 as upstream */
	uint32_t consecutive;	       /* failures in a row: consecutive5XxErrors (5), with
					  splitExternalLocalOriginErrors consecutiveLocalOriginFailures (5); the
					  smaller of it and consecutiveGatewayErrors where that is set */
	uint32_t failure_percent;      /* failurePercentageThreshold; 0: unset */
	bool always_eject_one;	       /* also true for fewer than 10 endpoints: difference 20 */
	bool udp_replies; /* the Backend's annotation spillway.dev/udp-replies: silence counts */
};

/* How an endpoint wants to be spoken to; NULL in an instance: plain. Backend spec.tls. */
struct tls_settings {
	bool verify;		  /* false: insecureSkipVerify */
	const char *sni;	  /* sent, and verified unless `names` says more; NULL: none */
	const char *ca_pem;	  /* bundle; NULL: the system's */
	const char *const *names; /* subjectAltNames to accept, NULL-terminated; NULL: the SNI */
	const char *cert_pem, *key_pem;	       /* client certificate; NULL: none */
	const char *min_version, *max_version; /* "1.0" .. "1.3"; NULL: the library's */
	const char *ciphers;		       /* OpenSSL list for up to TLS 1.2; NULL */
	const char *const *alpn;	       /* NULL-terminated; NULL: by protocol */
};

#endif
