/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's own connections use ip_local_port_range; flows of ours must not share a tuple with
 * them, so their ports are what is left. The BPF side walks the list with a cursor.
 */
#include "dataplane/port_list.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void port_set_init(struct port_set *s)
{
	memset(s, 0xff, sizeof(*s));
	port_set_remove(s, 0, PORT_LIST_FIRST - 1);
}

void port_set_remove(struct port_set *s, uint32_t first, uint32_t last)
{
	for (uint32_t p = first; p <= last && p < 65536; p++)
		s->bits[p / 64] &= ~(1ull << (p % 64));
}

int port_set_remove_range(struct port_set *s, const char *text)
{
	unsigned int low, high;
	int end = 0;

	if (sscanf(text, "%5u %5u %n", &low, &high, &end) != 2 || text[end] || low > high ||
	    high > 65535)
		return -EINVAL;
	port_set_remove(s, low, high);
	return 0;
}

/* One port; *text is moved behind it. -1 when there is none. */
static long take_port(const char **text)
{
	char *end;
	unsigned long port;

	if (**text < '0' || **text > '9')
		return -1;
	port = strtoul(*text, &end, 10);
	*text = end;
	return port > 65535 ? -1 : (long)port;
}

int port_set_remove_list(struct port_set *s, const char *text)
{
	struct port_set out = *s;
	long first, last;

	while (*text) {
		first = last = take_port(&text);
		if (*text == '-') {
			text++;
			last = take_port(&text);
		}
		if (first < 0 || last < first || (*text && *text != ','))
			return -EINVAL;
		if (*text == ',' && !*++text)
			return -EINVAL;
		port_set_remove(&out, (uint32_t)first, (uint32_t)last);
	}
	*s = out;
	return 0;
}

uint32_t port_set_fill(const struct port_set *s, struct spw_port_line *lines)
{
	uint32_t count = 0;

	memset(lines, 0, SPW_PORT_LINES * sizeof(*lines));
	for (uint32_t p = 1; p < 65536; p++) {
		if (!(s->bits[p / 64] >> (p % 64) & 1))
			continue;
		lines[count / SPW_LINE_SLOTS].port[count % SPW_LINE_SLOTS] = htons((uint16_t)p);
		count++;
	}
	return count;
}
