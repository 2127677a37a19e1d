/* SPDX-License-Identifier: BSD-2-Clause */
/* Scope-bound release and visible hand-over of ownership (gcc and clang `cleanup` attribute). */
#ifndef SPILLWAY_BASE_CLEANUP_H
#define SPILLWAY_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/* AUTO(thing_free) struct thing *t = thing_new(); frees t when it leaves its scope. */
#define AUTO(free_fn) __attribute__((cleanup(cleanup_##free_fn)))

/* Declares what AUTO(free_fn) needs for a pointer type; put it behind free_fn's declaration. */
#define AUTO_DEFINE(type, free_fn)                                                                 \
	static inline void cleanup_##free_fn(type *p)                                              \
	{                                                                                          \
		free_fn(*p);                                                                       \
	}

/* Hands the pointer over and leaves NULL behind, so that AUTO releases nothing. */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) take_ = (p);                                                         \
		(p) = NULL;                                                                        \
		take_;                                                                             \
	})

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* AUTO(fd_close) int fd = -1; */
static inline void fd_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}
AUTO_DEFINE(int, fd_close)

/* Hands a descriptor over and leaves -1 behind. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
