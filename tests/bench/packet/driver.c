/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time is that of this thread's CPU clock around the system call: what else runs on the machine
 * takes cache and frequency from us, but is not counted. The kernel's own figure is in whole
 * nanoseconds, too coarse for differences of a few.
 */
#include "driver.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench/driver.skel.h"
#include "world.h"

static struct {
	struct driver_bpf *skel;
	struct bench_row *trace;
	int ifindex;
} driver;

int driver_open(uint32_t flags)
{
	struct driver_bpf *s = driver_bpf__open();
	struct bpf_program *p;
	int err;

	if (!s)
		return -errno;
	driver.skel = s;
	driver.ifindex = world_ifindex();
	bpf_map__set_max_entries(s->maps.trace, DRIVER_ROWS);
	bpf_object__for_each_program(p, s->obj) bpf_program__set_flags(p, flags);
	err = driver_bpf__load(s);
	if (err)
		return err;
	driver.trace = mmap(NULL, DRIVER_ROWS * sizeof(*driver.trace), PROT_READ | PROT_WRITE,
			    MAP_SHARED, bpf_map__fd(s->maps.trace), 0);
	if (driver.trace == MAP_FAILED)
		return -errno;
	err = driver_set_target(BENCH_EMPTY, bpf_program__fd(s->progs.bench_empty));
	return err ? err
		   : driver_set_target(BENCH_REFLECTOR, bpf_program__fd(s->progs.bench_reflector));
}

void driver_close(void)
{
	driver_bpf__destroy(driver.skel);
}

int driver_set_target(enum bench_target target, int program)
{
	uint32_t key = target;

	if (bpf_map_update_elem(bpf_map__fd(driver.skel->maps.targets), &key, &program, BPF_ANY))
		return -errno;
	return 0;
}

void driver_image(const struct image *image)
{
	memcpy(driver.skel->bss->image, image->words, sizeof(image->words));
	driver.skel->bss->drive.patch = image->patch;
}

struct bench_row *driver_trace(void)
{
	return driver.trace;
}

void driver_length(uint32_t rows)
{
	driver.skel->bss->drive.length = rows;
}

static double cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int driver_run(enum bench_target target, uint32_t at, uint32_t packets, struct driver_run *out)
{
	static const uint8_t frame[BENCH_FRAME];
	struct bench_drive *d = &driver.skel->bss->drive;
	struct xdp_md ctx = {.data_end = BENCH_FRAME, .ingress_ifindex = (uint32_t)driver.ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = BENCH_FRAME,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)packets);
	int fd = bpf_program__fd(driver.skel->progs.bench_drive);
	double start;
	int err;

	d->target = target;
	d->at = at % d->length;
	d->failed = 0;
	start = cpu_ns();
	err = bpf_prog_test_run_opts(fd, &opts);
	if (err)
		return err;
	out->ns = (cpu_ns() - start) / packets;
	out->verdict = opts.retval;
	out->failed = d->failed;
	return 0;
}

int driver_send(uint32_t packets)
{
	static const uint8_t frame[BENCH_FRAME];
	struct xdp_md ctx = {.data_end = BENCH_FRAME, .ingress_ifindex = (uint32_t)driver.ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = BENCH_FRAME,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)packets,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int err = bpf_prog_test_run_opts(bpf_program__fd(driver.skel->progs.bench_send), &opts);

	if (err)
		return err;
	return driver.skel->bss->drive.failed ? -EIO : 0;
}
