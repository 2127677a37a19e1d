/* SPDX-License-Identifier: BSD-2-Clause */
/* Upper bounds of everything a user controls. */
#ifndef SPILLWAY_BASE_LIMITS_H
#define SPILLWAY_BASE_LIMITS_H

#define LIMIT_MANIFEST_BYTES (64u << 20)  /* one file, or one request body */
#define LIMIT_UPLOAD_BYTES   (192u << 20) /* request bodies that arrive at the same time */
#define LIMIT_MANIFEST_FILES 10000
#define LIMIT_DEPTH	     100
#define LIMIT_NODES	     4000000 /* values of one text, those that aliases stand for included */
#define LIMIT_SCALAR_BYTES   (2u << 20) /* one key or value: twice what a ConfigMap may hold */
#define LIMIT_RESOURCES	     200000	/* stored; also documents of a file */
#define LIMIT_MISTAKES	     10000	/* that are shown */
#define LIMIT_MISTAKE_BYTES  8192	/* of one; what is longer is cut */
#define LIMIT_SERVICES	     16384
#define LIMIT_ENDPOINTS	     65534	/* 16-bit ids, 0 is none, 65535 nobody */
#define LIMIT_SLOTS	     (1u << 27) /* 256 MiB */

#define DEFAULT_MAX_FLOWS     1048576
#define DEFAULT_MAX_SERVICES  4096
#define DEFAULT_MAX_ENDPOINTS 16384
/* A pick table of ten endpoints takes 512 slots. The larger of the two products, and at least this. */
#define DEFAULT_MAX_SLOTS      2097152 /* 4 MiB */
#define DEFAULT_SERVICE_SLOTS  512
#define DEFAULT_ENDPOINT_SLOTS 128

#define DEFAULT_STATE_DIR "/var/lib/spillway"
#define DEFAULT_RUN_DIR	  "/run/spillway"
#define DEFAULT_HAPROXY	  "/usr/sbin/haproxy"
#define DEFAULT_BPFFS	  "/sys/fs/bpf/spillway"
#define DEFAULT_SOCKET	  DEFAULT_RUN_DIR "/spillwayd.sock"

#endif
