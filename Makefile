# SPDX-License-Identifier: BSD-2-Clause
# `make help` lists the targets. V=1 shows commands. Everything built goes to build/.

VERSION := 0.1.0
BUILD   := build
CC      := gcc
CLANG   := clang-19
FUZZ_CC ?= $(CLANG)
BPFTOOL := $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PYTHON  := /usr/bin/python3
# The tests and benchmarks run what was built here.
export SPILLWAY_BUILD ?= $(abspath $(BUILD))
PREFIX  ?= /usr
DESTDIR ?=
DOCDIR  := $(PREFIX)/share/doc/spillway

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

# What `make deps` installs: to build, and to test and to run the demo.
BUILD_PKGS := gcc libc6-dev make clang-19 bpftool libbpf-dev libelf-dev zlib1g-dev libyaml-dev \
	libjansson-dev libsqlite3-dev libuv1-dev libcurl4-openssl-dev libmicrohttpd-dev \
	libmnl-dev libsystemd-dev libc-ares-dev libssl-dev
TEST_PKGS := libcmocka-dev libnghttp2-dev libclang-rt-19-dev clang-format-19 cppcheck shellcheck \
	universal-ctags git iproute2 iputils-ping ethtool nftables curl iperf3 tcpdump procps util-linux \
	openssl nghttp2-server python3 python3-scapy python3-pytest python3-pytest-xdist python3-grpcio \
	tshark bind9-dnsutils dnsmasq-base traceroute haproxy
BENCH_PKGS := wrk
KERNEL_PKGS := qemu-system-x86 busybox-static cpio kmod xdp-tools

WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wswitch -Wvla -Wformat=2
CPPFLAGS := -D_GNU_SOURCE -DSPILLWAY_VERSION='"$(VERSION)"' -Iinclude -Iloader -Itools \
	-I$(BUILD)/bpf
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 -fno-strict-aliasing $(WARN) -Werror
SAN      := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LIBS_CTL := -lyaml -ljansson -lcurl -l:libbpf.a -lelf -lz
LIBS     := -lyaml -ljansson -lsqlite3 -luv -lcurl -lmicrohttpd -lmnl -lsystemd -lcares \
	-lssl -lcrypto -l:libbpf.a -lelf -lz -lpthread

BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Dinline='inline __attribute__((__always_inline__))' -Wall -Wextra -Werror -Wno-unused-parameter -Iinclude \
	-I/usr/include/$(shell uname -m)-linux-gnu

MODULES  := base manifest store model tables dns health dataplane handoff control
LIB_SRC  := $(foreach m,$(MODULES),$(wildcard loader/$(m)/*.c))
CTL_SRC  := $(wildcard tools/ctl/*.c)
DECAP_SRC := $(wildcard tools/decap/*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
CTL_OBJ  := $(CTL_SRC:%.c=$(BUILD)/%.o)
MAIN_OBJ := $(BUILD)/loader/main.o
DECAP_OBJ := $(DECAP_SRC:%.c=$(BUILD)/%.o)
ASAN_OBJ := $(LIB_SRC:%.c=$(BUILD)/asan/%.o)
# The tools' modules too, but for their main(), so that unit tests reach them.
ASAN_CTL_OBJ := $(filter-out %/main.o,$(patsubst %.c,$(BUILD)/asan/%.o,$(CTL_SRC) $(DECAP_SRC)))
BPF_SRC  := $(wildcard bpf/*.bpf.c)
SKELS    := $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/bpf/%.skel.h)
BPF_OBJ  := $(SKELS:%.skel.h=%.bpf.o)
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*_test.c))
NATIVE   := $(BUILD)/tests/native/flow_table_test
PACKET_SRC := $(wildcard tests/packet/*.c)
NETNS    := $(patsubst tests/netns/%.c,$(BUILD)/tests/netns/%,$(wildcard tests/netns/*.c))
HEAVY    := $(addprefix tests/netns/,test_flood.py test_crossing.py test_clients.py)
BENCH_BPF := $(wildcard tests/bench/packet/*.bpf.c)
BENCH_SKELS := $(BENCH_BPF:tests/bench/packet/%.bpf.c=$(BUILD)/bpf/bench/%.skel.h)
BENCH_PACKET_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %.bpf.c,$(wildcard tests/bench/packet/*.c)))
BENCH_LIVE_OBJ := $(BUILD)/tests/bench/live/bench_live.o \
	$(filter-out %/main.o,$(BENCH_PACKET_OBJ))
BENCH    := $(addprefix $(BUILD)/tests/bench/,swarm requests rebuild bench_packet bench_live)
KERNELS  := $(BUILD)/tests/kernels/insns
FUZZ     := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

.PHONY: help deps all demo check check-unit check-golden check-packet check-netns check-heavy \
	check-fuzz check-flow-table check-kernels lint format docs bench install uninstall clean
.DELETE_ON_ERROR:
.SECONDARY:

help:
	@echo 'make demo          the main job in network namespaces, on one command (root)'
	@echo 'make check         all tests (root); installs what they need'
	@echo 'make all           spillwayd, spillway, spillway-decap and the BPF objects, in build/'
	@echo 'make deps          install missing Debian packages'
	@echo 'make check-unit    unit tests under ASan and UBSan, no root needed'
	@echo 'make check-golden  manifests to tables and to errors, no root needed'
	@echo 'make check-fuzz    every fuzz target over its corpus and briefly beyond, no root needed'
	@echo 'make check-packet  packets through BPF_PROG_TEST_RUN (root)'
	@echo 'make check-netns   real clients and servers in network namespaces (root)'
	@echo 'make check-heavy   the same with all the traffic that two CPUs carry (root)'
	@echo 'make check-flow-table  the flow table under 10^8 operations of threads, minutes long'
	@echo 'make check-kernels the packet path on Linux 6.1 and 6.12 in virtual machines (root)'
	@echo 'make lint          formatting, rules of the house, static analysis'
	@echo 'make format        rewrite the sources with clang-format'
	@echo 'make docs          rewrite docs/reference/ from the tables'
	@echo 'make bench         ratios measured side by side (root)'
	@echo 'make install       to $$(DESTDIR)$$(PREFIX); PREFIX=$(PREFIX)'
	@echo 'make uninstall     take that away again; spillwayd --detach first'
	@echo 'make clean         remove build/'

deps:
	$(Q)tools/dev/deps.sh $(BUILD_PKGS) $(TEST_PKGS)

all: $(BUILD)/spillwayd $(BUILD)/spillway $(BUILD)/spillway-decap

# These install what is missing before anything is compiled, hence the second make.
demo:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) tests/netns/demo.py

check:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)rm -rf $(BUILD)/results
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tools/dev/suites.sh check-unit check-golden check-fuzz check-packet check-netns \
		check-heavy

check-unit: $(UNIT) $(NATIVE) $(NATIVE)_quick
	$(Q)$(PYTHON) tests/run_c.py unit $(UNIT) $(NATIVE) $(NATIVE)_quick

# Not part of `make check`, which runs short ones.
check-flow-table: $(NATIVE) $(NATIVE)_quick
	$(NATIVE)_quick --operations 100000000
	$(NATIVE) --operations 10000000

check-golden: all
	$(Q)tools/dev/pytest.sh golden tests/golden tests/cases

check-fuzz: $(FUZZ)
	$(Q)$(PYTHON) tests/run_fuzz.py $(FUZZ)

check-packet: all $(BUILD)/tests/packet/packet_test
	$(Q)$(PYTHON) tests/run_c.py packet $(BUILD)/tests/packet/packet_test

check-kernels:
	$(Q)tools/dev/deps.sh $(BUILD_PKGS) $(TEST_PKGS) $(KERNEL_PKGS)
	$(Q)$(MAKE) --no-print-directory all $(KERNELS) $(BUILD)/tests/packet/packet_test
	$(Q)$(PYTHON) tests/kernels/check_kernels.py $(BPF_OBJ)

check-netns: all $(NETNS)
	$(Q)tools/dev/pytest.sh netns tests/netns $(HEAVY:%=--ignore=%)

# One at a time and nothing beside them: they take both CPUs, and others have deadlines.
check-heavy: all $(NETNS)
	$(Q)JOBS=0 tools/dev/pytest.sh heavy $(HEAVY)

lint: $(SKELS)
	$(Q)tools/dev/lint.sh

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format-19 -i

docs: $(BUILD)/spillway
	$(Q)for page in $$($(BUILD)/spillway reference --pages); do \
		$(BUILD)/spillway reference $$page > docs/reference/$$page.md || exit 1; \
	done

bench:
	$(Q)tools/dev/deps.sh $(BUILD_PKGS) $(TEST_PKGS) $(BENCH_PKGS)
	$(Q)$(MAKE) --no-print-directory all $(BENCH)
	@echo '== packet: the cost of the packet path in nanoseconds'
	$(Q)$(BUILD)/tests/bench/bench_packet --json $(BUILD)/bench-packet.json
	@echo '== live: packets a second, on one core'
	$(Q)$(PYTHON) tests/bench/live/live.py
	@echo '== traffic: spillway beside nftables and haproxy'
	$(Q)$(PYTHON) tests/bench/bench.py
	@echo '== handoff: the userspace path beside haproxy configured by hand'
	$(Q)$(PYTHON) tests/bench/handoff.py
	@echo '== reaction: how long a dead endpoint still gets flows'
	$(Q)$(PYTHON) tests/bench/reaction.py
	@echo '== rebuild: tables after a change, without the maps'
	$(Q)$(BUILD)/tests/bench/rebuild
	@echo '== scale: manifests of 100, 1,000 and 10,000 Backends'
	$(Q)$(PYTHON) tests/bench/scale.py
	@echo '== probes: what checking costs the daemon'
	$(Q)$(PYTHON) tests/bench/probes.py

install: all
	install -D -m 755 $(BUILD)/spillwayd $(DESTDIR)$(PREFIX)/sbin/spillwayd
	install -D -m 755 $(BUILD)/spillway $(DESTDIR)$(PREFIX)/bin/spillway
	install -D -m 755 $(BUILD)/spillway-decap $(DESTDIR)$(PREFIX)/sbin/spillway-decap
	install -d $(DESTDIR)/lib/systemd/system $(DESTDIR)$(DOCDIR)/examples/web \
		$(DESTDIR)$(DOCDIR)/examples/failover $(DESTDIR)$(DOCDIR)/examples/direct \
		$(DESTDIR)$(DOCDIR)/reference
	for unit in spillwayd spillway-decap; do \
		sed 's|/usr/sbin/|$(PREFIX)/sbin/|; s|/usr/share/doc/spillway/|$(DOCDIR)/|' \
			packaging/$$unit.service > $(DESTDIR)/lib/systemd/system/$$unit.service; \
	done
	install -m 644 README.md LICENSE docs/*.md $(DESTDIR)$(DOCDIR)
	install -m 644 docs/reference/*.md $(DESTDIR)$(DOCDIR)/reference
	install -m 644 examples/*.yaml $(DESTDIR)$(DOCDIR)/examples
	install -m 644 examples/web/*.yaml $(DESTDIR)$(DOCDIR)/examples/web
	install -m 644 examples/failover/*.yaml $(DESTDIR)$(DOCDIR)/examples/failover
	install -m 644 examples/direct/*.yaml $(DESTDIR)$(DOCDIR)/examples/direct
	install -D -m 644 packaging/completion/spillway \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/spillway

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/spillwayd $(DESTDIR)$(PREFIX)/bin/spillway \
		$(DESTDIR)$(PREFIX)/sbin/spillway-decap
	rm -f $(DESTDIR)/lib/systemd/system/spillwayd.service \
		$(DESTDIR)/lib/systemd/system/spillway-decap.service
	rm -rf $(DESTDIR)$(DOCDIR)
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/spillway

clean:
	$(Q)rm -rf $(BUILD)

# BPF: compile with debug info, strip DWARF with `bpftool gen object`, embed as a skeleton.
# Static patterns, since implicit ones would lose to the rule for C files below.
$(BPF_OBJ:%.bpf.o=%.raw.o): $(BUILD)/bpf/%.raw.o: bpf/%.bpf.c \
		$(wildcard bpf/*.h include/spillway/*.h) Makefile
	$(say) BPF $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BPF_OBJ): $(BUILD)/bpf/%.bpf.o: $(BUILD)/bpf/%.raw.o
	$(Q)$(BPFTOOL) gen object $@ $<

$(SKELS): $(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@

# The benchmark's programs likewise; they include nothing of bpf/.
$(BENCH_SKELS:%.skel.h=%.raw.o): $(BUILD)/bpf/bench/%.raw.o: tests/bench/packet/%.bpf.c \
		tests/bench/packet/shared.h Makefile
	$(say) BPF $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BENCH_SKELS:%.skel.h=%.bpf.o): $(BUILD)/bpf/bench/%.bpf.o: $(BUILD)/bpf/bench/%.raw.o
	$(Q)$(BPFTOOL) gen object $@ $<

$(BENCH_SKELS): $(BUILD)/bpf/bench/%.skel.h: $(BUILD)/bpf/bench/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@

$(BENCH_PACKET_OBJ) $(BENCH_LIVE_OBJ): | $(BENCH_SKELS)

$(BUILD)/%.o: %.c Makefile | $(SKELS)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/asan/%.o: %.c Makefile | $(SKELS)
	$(say) CC-SAN $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -O1 $(SAN) -MMD -MP -c $< -o $@

$(BUILD)/libspillway.a: $(LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/asan/libspillway.a: $(ASAN_OBJ) $(ASAN_CTL_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/spillwayd: $(MAIN_OBJ) $(BUILD)/libspillway.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/spillway: $(CTL_OBJ) $(BUILD)/libspillway.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_CTL)

$(BUILD)/spillway-decap: $(DECAP_OBJ) $(BUILD)/libspillway.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lmnl -lsystemd -l:libbpf.a -lelf -lz

$(BUILD)/tests/unit/%: $(BUILD)/asan/tests/unit/%.o $(BUILD)/asan/libspillway.a
	$(say) LD-SAN $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ -lcmocka -lnghttp2 $(LIBS)

$(BUILD)/tests/packet/packet_test: $(PACKET_SRC:%.c=$(BUILD)/asan/%.o) $(BUILD)/asan/libspillway.a
	$(say) LD-SAN $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ -lcmocka $(LIBS)

# The packet path's own headers, natively: two programs, with the thread sanitizer and without.
NATIVE_FLAGS := -std=gnu11 -g -O2 -fno-strict-aliasing -Wall -Wextra -Wno-unused-parameter -Werror
NATIVE_SRC := tests/native/flow_table_test.c $(wildcard tests/native/*.h bpf/*.h include/spillway/*.h)
$(NATIVE): SAN_NATIVE := -fsanitize=thread
$(NATIVE) $(NATIVE)_quick: $(NATIVE_SRC) Makefile
	$(say) NATIVE $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) $(NATIVE_FLAGS) $(SAN_NATIVE) -o $@ $< -lcmocka -lpthread

$(BUILD)/tests/bench/bench_packet: $(BENCH_PACKET_OBJ) $(BUILD)/libspillway.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS) -lm

$(BUILD)/tests/bench/bench_live: $(BENCH_LIVE_OBJ) $(BUILD)/libspillway.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS) -lm

$(BUILD)/tests/kernels/insns: $(BUILD)/tests/kernels/insns.o
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -o $@ $^ -l:libbpf.a -lelf -lz

$(BUILD)/tests/netns/%: $(BUILD)/tests/netns/%.o
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -o $@ $^

$(BUILD)/tests/bench/rebuild: $(BUILD)/libspillway.a
$(BUILD)/tests/bench/rebuild: BENCH_LIBS := -lyaml -ljansson
$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(BENCH_LIBS)

# The library once more, by clang; a target takes of it what it needs.
FUZZ_FLAGS := -std=gnu11 -g -O1 -fno-strict-aliasing -fno-omit-frame-pointer -fno-sanitize-recover=undefined
FUZZ_OBJ   := $(LIB_SRC:%.c=$(BUILD)/fuzz/obj/%.o)
$(BUILD)/fuzz/obj/%.o: %.c Makefile | $(SKELS)
	$(say) CC-FUZZ $<
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c $< -o $@

$(BUILD)/fuzz/libspillway.a: $(FUZZ_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/tests/fuzz/%: $(BUILD)/fuzz/obj/tests/fuzz/%.o $(BUILD)/fuzz/libspillway.a
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
