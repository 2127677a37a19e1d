/* SPDX-License-Identifier: BSD-2-Clause */
/* One line a message on stderr: `what: which: why`, lower case, no full stop. */
#ifndef SPILLWAY_BASE_LOG_H
#define SPILLWAY_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Messages above this level are not written; info by default. Not thread-safe: set at start. */
void log_set_level(enum log_level level);

/* Thread-safe: a message is one write(). */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__) /* an operator must act */
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)  /* worked around, say how */
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)  /* state changed */
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
