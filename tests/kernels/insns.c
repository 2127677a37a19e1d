/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insns OBJECT...: loads every program of BPF objects into the running kernel and prints a row for
 * each, `OBJECT PROGRAM WALKED MADE`: the instructions that the verifier walked, and the bytes that
 * they became. Maps have the sizes the object says; the verifier does not care. Where an object is
 * refused, the end of what the verifier said goes to standard error, and the exit code is 1.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static int warnings(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, format, args);
}

static int print_program(const char *path, const struct bpf_program *program)
{
	const char *slash = strrchr(path, '/');
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
		return -errno;
	printf("%s %s %u %u\n", slash ? slash + 1 : path, bpf_program__name(program),
	       info.verified_insns, info.jited_prog_len);
	return 0;
}

static int load(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	int err;

	if (!object)
		return -errno;
	err = bpf_object__load(object);
	bpf_object__for_each_program(program, object)
	{
		if (!err)
			err = print_program(path, program);
	}
	bpf_object__close(object);
	return err;
}

int main(int argc, char **argv)
{
	int failed = 0;
	int err;

	libbpf_set_print(warnings);
	for (int i = 1; i < argc; i++) {
		err = load(argv[i]);
		if (err)
			fprintf(stderr, "%s: %s\n", argv[i], strerror(-err));
		failed |= err;
	}
	return failed ? 1 : 0;
}
