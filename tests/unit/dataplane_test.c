/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of dataplane/ that need no kernel: ports, sources, the journal, probe frames. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "dataplane/journal.h"
#include "dataplane/maps.h"
#include "dataplane/oldest.h"
#include "dataplane/port_list.h"
#include "dataplane/probe_packet.h"
#include "dataplane/sources.h"
#include "dataplane/state.h"

static struct spw_addr ip(const char *text)
{
	struct spw_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static bool has_port(const struct port_set *s, uint32_t port)
{
	return s->bits[port / 64] >> (port % 64) & 1;
}

static struct spw_port_line lines[SPW_PORT_LINES];

static void the_default_range_leaves_36_thousand_ports(void **state)
{
	struct port_set s;

	(void)state;
	port_set_init(&s);
	assert_int_equal(port_set_remove_range(&s, "32768\t60999"), 0);
	assert_int_equal(port_set_fill(&s, lines), 65536 - 1024 - (60999 - 32768 + 1));
	assert_int_equal(ntohs(lines[0].port[0]), 1024);
	assert_int_equal(ntohs(lines[0].port[31]), 1055);
	assert_int_equal(ntohs(lines[1].port[0]), 1056);
	assert_int_equal(lines[SPW_PORT_LINES - 1].port[31], 0);
}

static void reserved_ports_are_taken_out_one_by_one_and_in_ranges(void **state)
{
	struct port_set s;

	(void)state;
	port_set_init(&s);
	assert_int_equal(port_set_remove_list(&s, "8080,9000-9002,65535"), 0);
	assert_false(has_port(&s, 8080));
	assert_false(has_port(&s, 9000));
	assert_false(has_port(&s, 9002));
	assert_false(has_port(&s, 65535));
	assert_true(has_port(&s, 8081));
	assert_true(has_port(&s, 9003));
	assert_true(has_port(&s, 65534));
}

static void an_empty_reserved_list_takes_nothing_out(void **state)
{
	struct port_set s;

	(void)state;
	port_set_init(&s);
	assert_int_equal(port_set_remove_list(&s, ""), 0);
	assert_int_equal(port_set_fill(&s, lines), 65536 - 1024);
}

static void a_senseless_port_text_is_refused_and_takes_nothing_out(void **state)
{
	static const char *const lists[] = {
		"1-",	 "-5",	 "x",	   "8080,", "9-8",
		"70000", "1,,2", "8080 9", "5-x",   "99999999999999999999"};
	static const char *const ranges[] = {"", "5", "9 8", "1 70000", "a b", "1 2 3"};
	struct port_set s, before;

	(void)state;
	port_set_init(&s);
	before = s;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		assert_int_equal(port_set_remove_list(&s, lists[i]), -EINVAL);
		assert_memory_equal(&s, &before, sizeof(s));
	}
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		assert_int_equal(port_set_remove_range(&s, ranges[i]), -EINVAL);
		assert_memory_equal(&s, &before, sizeof(s));
	}
}

static void fixed_sources_are_ordered_by_family(void **state)
{
	const struct spw_addr list[] = {ip("2001:db8::1"), ip("10.0.0.1"), ip("10.0.0.2")};
	struct sources s = {0};

	(void)state;
	assert_int_equal(sources_fix(&s, list, 3), 0);
	assert_int_equal(s.fixed_v4, 2);
	assert_int_equal(s.fixed_v6, 1);
	assert_true(addr_equal(&s.fixed[0], &list[1]));
	assert_true(addr_equal(&s.fixed[2], &list[0]));
	assert_int_equal(sources_fix(&s, list, SPW_SOURCES_MAX + 1), -ENOSPC);
}

static void a_source_keeps_its_place_while_it_is_used(void **state)
{
	const struct spw_addr a = ip("10.0.0.1"), b = ip("10.0.0.2"), c = ip("10.0.0.3");
	struct spw_addr source[SPW_SOURCES_MAX] = {0};

	(void)state;
	assert_int_equal(sources_place(source, &a, 1), 0);
	assert_int_equal(sources_place(source, &b, 1), 1);
	assert_int_equal(sources_place(source, &a, 1), 0);
	assert_true(sources_keep(source, 1u << 1));
	assert_int_equal(sources_place(source, &b, 1), 1);
	assert_int_equal(sources_place(source, &c, 1), 0);
	assert_false(sources_keep(source, 3));
}

static void a_run_of_sources_goes_where_it_fits_or_nowhere(void **state)
{
	const struct spw_addr one = ip("10.0.0.9");
	struct spw_addr source[SPW_SOURCES_MAX] = {0}, before[SPW_SOURCES_MAX];
	struct spw_addr run[SPW_SOURCES_MAX];

	(void)state;
	for (size_t i = 0; i < SPW_SOURCES_MAX; i++) {
		run[i] = ip("10.1.0.1");
		run[i].b[15] = (uint8_t)(i + 1);
	}
	assert_int_equal(sources_place(source, &one, 1), 0);
	assert_int_equal(sources_place(source, run, 15), 1);
	memcpy(before, source, sizeof(source));
	assert_int_equal(sources_place(source, run, 16), -1);
	assert_memory_equal(before, source, sizeof(source));
	assert_int_equal(sources_place(source, &run[3], 4), 4);
	assert_int_equal(sources_place(source, run, 0), -1);
}

static void a_journal_is_read_and_nonsense_in_it_left_out(void **state)
{
	struct journal j = {0};

	(void)state;
	assert_int_equal(journal_parse(&j, "sysctl net/ipv4/conf/eth0/forwarding 0 1\n"
					   "mount /sys/fs/bpf\n"
					   "sysctl net/ipv4/conf/eth0/forwarding 5 1\n"
					   "sysctl ../../etc/passwd 0 1\n"
					   "sysctl /etc/passwd 0 1\n"
					   "sysctl net/x 1\n"
					   "sysctl net/x 1 2 3\n"
					   "\nmount\nmount \nhello world\n"
					   "mount /a dir\n"
					   "rx-vlan-offload eth0.5 on off\n"
					   "rx-vlan-offload eth0.5 on off\n"
					   "rx-vlan-offload a/b on off\n"
					   "rx-vlan-offload longer-than-fits on off\n"
					   "rx-vlan-offload eth1 on\n"
					   "generic-receive-offload eth0 on off\n"
					   "clsact eth0 none clsact\n"
					   "clsact a/b none clsact\n"),
			 0);
	assert_int_equal(j.count, 6);
	assert_int_equal(j.items[0].kind, CHANGE_SYSCTL);
	assert_string_equal(j.items[0].name, "net/ipv4/conf/eth0/forwarding");
	assert_string_equal(j.items[0].from, "0");
	assert_string_equal(j.items[0].to, "1");
	assert_int_equal(j.items[1].kind, CHANGE_MOUNT);
	assert_string_equal(j.items[1].name, "/sys/fs/bpf");
	assert_string_equal(j.items[2].name, "/a dir");
	assert_int_equal(j.items[3].kind, CHANGE_RX_VLAN);
	assert_string_equal(j.items[3].name, "eth0.5");
	assert_int_equal(j.items[4].kind, CHANGE_GRO);
	assert_int_equal(j.items[5].kind, CHANGE_CLSACT);
	assert_string_equal(j.items[5].name, "eth0");
	journal_done(&j);
}

static void an_entry_that_is_forgotten_is_gone_from_the_file_too(void **state)
{
	char dir[] = "/tmp/spillway-test-XXXXXX";
	struct journal j = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(journal_open(&j, dir), 0);
	assert_int_equal(journal_note(&j, CHANGE_MOUNT, "/bpf", NULL, NULL), 0);
	assert_int_equal(journal_note(&j, CHANGE_RX_VLAN, "eth0", "on", "off"), 0);
	assert_int_equal(journal_note(&j, CHANGE_SYSCTL, "net/a", "1", "2"), 0);
	assert_int_equal(journal_forget(&j, CHANGE_RX_VLAN, "eth1"), 0);
	assert_int_equal(j.count, 3);
	assert_int_equal(journal_forget(&j, CHANGE_RX_VLAN, "eth0"), 0);
	assert_null(journal_find(&j, CHANGE_RX_VLAN, "eth0"));
	journal_done(&j);
	assert_int_equal(journal_open(&j, dir), 0);
	assert_int_equal(j.count, 2);
	assert_string_equal(j.items[0].name, "/bpf");
	assert_string_equal(j.items[1].name, "net/a");
	assert_string_equal(j.items[1].to, "2");
	assert_int_equal(journal_clear(&j), 0);
	journal_done(&j);
	assert_int_equal(rmdir(dir), 0);
}

static void a_journal_keeps_the_oldest_value_across_runs(void **state)
{
	char dir[] = "/tmp/spillway-test-XXXXXX", file[64];
	struct journal j = {0};
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/host-changes", dir);
	assert_int_equal(journal_open(&j, dir), 0);
	assert_int_equal(j.count, 0);
	assert_int_equal(journal_note(&j, CHANGE_SYSCTL, "net/a", "1", "2"), 0);
	assert_int_equal(journal_note(&j, CHANGE_MOUNT, "/bpf", NULL, NULL), 0);
	journal_done(&j);
	assert_int_equal(journal_open(&j, dir), 0);
	assert_int_equal(journal_note(&j, CHANGE_SYSCTL, "net/a", "7", "2"), 0);
	assert_int_equal(j.count, 2);
	assert_string_equal(j.items[0].from, "1");
	assert_int_equal(journal_clear(&j), 0);
	assert_int_equal(j.count, 0);
	assert_int_not_equal(stat(file, &st), 0);
	assert_int_equal(journal_clear(&j), 0);
	journal_done(&j);
	assert_int_equal(rmdir(dir), 0);
}

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1};

static void an_arp_probe_names_no_sender_and_asks_for_the_address(void **state)
{
	static const uint8_t expected[42] = {
		[0] = 0xff, 0xff,     0xff, 0xff, 0xff, 0xff, /* to all */
		[6] = 2,    [11] = 1,			      /* from our_mac */
		[12] = 8,   6,				      /* ARP */
		[15] = 1,   8,	      0,    6,	  4,	0,
		1,		      /* a request for IPv4 on Ethernet */
		[22] = 2,   [27] = 1, /* our_mac, no sender address */
		[38] = 192, 0,	      2,    1,
	};
	const struct spw_addr a = ip("192.0.2.1");
	uint8_t frame[PROBE_PACKET_BYTES];

	(void)state;
	assert_int_equal(probe_packet_ask(frame, our_mac, &a), 42);
	assert_memory_equal(frame, expected, 42);
	assert_int_equal(probe_packet_announce(frame, our_mac, &a), 42);
	assert_memory_equal(frame + 28, "\300\0\2\1", 4);
}

/* The one's complement sum over pseudo-header and message is all ones when the checksum is right. */
static uint16_t icmp6_sum(const uint8_t *frame, size_t len)
{
	uint32_t sum = 58 + (uint32_t)(len - 54);

	for (size_t i = 14 + 8; i < len; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void nd_frames_are_well_formed(void **state)
{
	const struct spw_addr a = ip("2001:db8::12:3456");
	uint8_t frame[PROBE_PACKET_BYTES];
	size_t len;

	(void)state;
	len = probe_packet_ask(frame, our_mac, &a);
	assert_int_equal(len, 78);
	assert_memory_equal(frame, "\x33\x33\xff\x12\x34\x56", 6);
	assert_int_equal(icmp6_sum(frame, len), 0xffff);
	len = probe_packet_announce(frame, our_mac, &a);
	assert_int_equal(len, 86);
	assert_memory_equal(frame, "\x33\x33\0\0\0\1", 6);
	assert_memory_equal(frame + 22, a.b, 16);
	assert_memory_equal(frame + 80, our_mac, 6);
	assert_int_equal(icmp6_sum(frame, len), 0xffff);
}

static void an_answer_says_who_has_the_address(void **state)
{
	static const char *const texts[] = {"192.0.2.1", "2001:db8::1"};
	uint8_t frame[PROBE_PACKET_BYTES], mac[6];
	struct spw_addr a, heard;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		a = ip(texts[i]);
		len = probe_packet_announce(frame, our_mac, &a);
		assert_true(probe_packet_read(frame, len, &heard, mac));
		assert_true(addr_equal(&a, &heard));
		assert_memory_equal(mac, our_mac, 6);
		len = probe_packet_ask(frame, our_mac, &a);
		assert_true(probe_packet_read(frame, len, &heard, mac));
		assert_true(addr_equal(&a, &heard));
		for (size_t cut = 0; cut < len; cut++)
			assert_false(probe_packet_read(frame, cut, &heard, mac));
	}
}

static void an_address_resolution_of_another_host_is_no_answer(void **state)
{
	const struct spw_addr a = ip("2001:db8::1");
	uint8_t frame[PROBE_PACKET_BYTES], mac[6];
	struct spw_addr heard;
	size_t len = probe_packet_ask(frame, our_mac, &a);

	(void)state;
	frame[14 + 8] = 0xfe; /* it has a source: somebody looks for the owner */
	assert_false(probe_packet_read(frame, len, &heard, mac));
	frame[12] = 0x12;
	assert_false(probe_packet_read(frame, len, &heard, mac));
}

/* More than an eighth of what the table is for, and fewer than half of that. */
static void far_sets_come_first_while_there_are_many_flows(void **state)
{
	struct spw_config config = {0};
	struct dataplane dp = {.meta = {.max_flows = 8000, .max_flows6 = 800},
			       .maps = {.config = &config}};
	static const struct {
		__u64 live[2];
		uint32_t first;
	} steps[] = {{{0, 0}, 0},    {{1000, 100}, 0}, {{1001, 100}, 1}, {{500, 101}, 3},
		     {{499, 50}, 2}, {{8000, 49}, 1},  {{1000, 0}, 1},	 {{0, 0}, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		sweep_place(&dp, steps[i].live);
		assert_int_equal(config.far_first, steps[i].first);
	}
}

static void every_map_has_a_name_and_its_size(void **state)
{
	const struct spw_meta meta = {
		.max_flows = 100, .max_endpoints = 10, .max_services = 5, .slot_lines = 7};

	(void)state;
	for (int i = 0; i < MAP_COUNT; i++)
		assert_non_null(map_name((enum map_id)i));
	assert_string_equal(map_name(MAP_COUNT - 1), "meta");
	assert_in_range(map_entries(MAP_FLOWS4, &meta), 200 * 15 / 8, 200 * 15 / 6);
	assert_int_equal(map_entries(MAP_SERVICE_ROWS, &meta), 10);
	assert_int_equal(map_entries(MAP_ENDPOINT_SIGNALS, &meta), 10);
	assert_int_equal(map_entries(MAP_CURSORS, &meta), 160);
	assert_int_equal(map_entries(MAP_SLOTS, &meta), 7);
	assert_int_equal(map_entries(MAP_EVENTS, &meta), 0);
}

static void note_flow(struct oldest_flows *lists, size_t count, uint32_t id, uint64_t age_ms)
{
	const struct flow_row row = {.endpoint_id = id, .age_ms = age_ms};

	oldest_note(lists, count, &row);
}

static void the_oldest_flows_of_each_endpoint_are_listed_in_order(void **state)
{
	static const uint32_t ids[] = {9, 3, 9, 5};
	struct oldest_flows lists[4];
	size_t count = oldest_start(lists, ids, 4);

	(void)state;
	assert_int_equal(count, 3);
	for (uint64_t i = 0; i < 1000; i++)
		note_flow(lists, count, 5, i * 7919 % 1000); /* each age once, in no order */
	note_flow(lists, count, 9, 1);
	note_flow(lists, count, 9, 3);
	note_flow(lists, count, 9, 2);
	note_flow(lists, count, 4, 5);
	assert_int_equal(lists[0].endpoint_id, 3);
	assert_int_equal(lists[0].open, 0);
	assert_int_equal(lists[0].count, 0);
	assert_int_equal(lists[1].endpoint_id, 5);
	assert_int_equal(lists[1].open, 1000);
	assert_int_equal(lists[1].count, OLDEST_FLOWS);
	for (uint32_t i = 0; i < OLDEST_FLOWS; i++)
		assert_int_equal(lists[1].rows[i].age_ms, 999 - i);
	assert_int_equal(lists[2].endpoint_id, 9);
	assert_int_equal(lists[2].count, 3);
	assert_int_equal(lists[2].rows[0].age_ms, 3);
	assert_int_equal(lists[2].rows[2].age_ms, 1);
}

static void a_closed_flow_is_none_of_the_oldest(void **state)
{
	static const uint32_t ids[] = {7};
	struct flow_row row = {.endpoint_id = 7, .age_ms = 5, .state = SPW_FLOW_CLOSED};
	struct oldest_flows list;

	(void)state;
	assert_int_equal(oldest_start(&list, ids, 1), 1);
	oldest_note(&list, 1, &row);
	assert_int_equal(list.open, 0);
	assert_int_equal(list.count, 0);
	row.state = SPW_FLOW_REPLIED;
	oldest_note(&list, 1, &row);
	assert_int_equal(list.open, 1);
	assert_int_equal(list.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_range_leaves_36_thousand_ports),
		cmocka_unit_test(reserved_ports_are_taken_out_one_by_one_and_in_ranges),
		cmocka_unit_test(an_empty_reserved_list_takes_nothing_out),
		cmocka_unit_test(a_senseless_port_text_is_refused_and_takes_nothing_out),
		cmocka_unit_test(fixed_sources_are_ordered_by_family),
		cmocka_unit_test(a_source_keeps_its_place_while_it_is_used),
		cmocka_unit_test(a_run_of_sources_goes_where_it_fits_or_nowhere),
		cmocka_unit_test(a_journal_is_read_and_nonsense_in_it_left_out),
		cmocka_unit_test(a_journal_keeps_the_oldest_value_across_runs),
		cmocka_unit_test(an_entry_that_is_forgotten_is_gone_from_the_file_too),
		cmocka_unit_test(an_arp_probe_names_no_sender_and_asks_for_the_address),
		cmocka_unit_test(nd_frames_are_well_formed),
		cmocka_unit_test(an_answer_says_who_has_the_address),
		cmocka_unit_test(an_address_resolution_of_another_host_is_no_answer),
		cmocka_unit_test(far_sets_come_first_while_there_are_many_flows),
		cmocka_unit_test(every_map_has_a_name_and_its_size),
		cmocka_unit_test(the_oldest_flows_of_each_endpoint_are_listed_in_order),
		cmocka_unit_test(a_closed_flow_is_none_of_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
