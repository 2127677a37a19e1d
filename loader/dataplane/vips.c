/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VIPs: each is asked for three times within 300 ms before it is claimed, in the background. If
 * somebody answers it is not claimed and asked for again every 30 s. Packets to a VIP are forwarded
 * from the moment its services are in the maps; the claim is what makes neighbours find us. A VIP
 * that no attached interface's subnet holds is claimed at once: routes lead to it, and several
 * gateways may share it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "dataplane/ear.h"
#include "dataplane/state.h"
#include "dataplane/sysctl.h"

#define PROBES	       3
#define PROBE_EVERY_MS 100
#define ANNOUNCEMENTS  2 /* RFC 5227 2.3 */
#define ANNOUNCE_MS    2000
#define RETRY_MS       30000
#define WAIT_MS	       1000 /* for an interface to come up */
#define TICK_MS	       50
#define FINISH_TICKS   10

static void on_timer(uv_timer_t *timer);

static struct vip *find(struct dataplane *dp, const struct spw_addr *addr)
{
	for (size_t i = 0; i < dp->vip_count; i++) {
		if (addr_equal(&dp->vips[i].addr, addr))
			return &dp->vips[i];
	}
	return NULL;
}

static bool in_list(const struct spw_addr *list, size_t count, const struct spw_addr *addr)
{
	for (size_t i = 0; i < count; i++) {
		if (addr_equal(&list[i], addr))
			return true;
	}
	return false;
}

static bool is_of_host(struct dataplane *dp, const struct spw_addr *addr)
{
	struct host_addr *addrs = NULL;
	size_t count = 0;
	bool found = false;

	if (host_addrs_read(&dp->netlink, &addrs, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		found = found ||
			(addr_equal(&addrs[i].addr, addr) && addrs[i].protocol != NETLINK_OURS);
	free(addrs);
	return found;
}

static void schedule(struct dataplane *dp)
{
	bool pending = false, listening = false;

	for (size_t i = 0; i < dp->vip_count; i++) {
		pending = pending || dp->vips[i].due_ms;
		listening = listening || dp->vips[i].state == VIP_PROBING;
	}
	if (listening)
		ears_listen(dp);
	else
		ears_rest(dp);
	if (pending)
		(void)uv_timer_start(&dp->vip_timer, on_timer, TICK_MS, 0);
}

static void claim(struct dataplane *dp, struct vip *v, uint64_t now)
{
	char text[ADDR_TEXT_MAX];
	int err = claim_put(dp, &v->addr);

	if (err) {
		v->state = VIP_FAILED;
		v->due_ms = now + RETRY_MS;
		(void)snprintf(v->problem, sizeof(v->problem),
			       "the address cannot be added to this host: %s; tried again every "
			       "30 s",
			       strerror(-err));
		log_error("vip: %s: %s", addr_print(&v->addr, text), v->problem);
		return;
	}
	v->state = VIP_CLAIMED;
	v->problem[0] = '\0';
	v->probes = 1;
	v->due_ms = now + ANNOUNCE_MS;
	(void)ears_announce(dp, &v->addr);
	log_info("vip: %s: claimed", addr_print(&v->addr, text));
}

static bool is_on_link(const struct dataplane *dp, const struct spw_addr *vip)
{
	for (size_t i = 0; i < dp->interface_count; i++) {
		if (interface_on_link(dp, &dp->interfaces[i], vip))
			return true;
	}
	return false;
}

static void probe(struct dataplane *dp, struct vip *v, uint64_t now)
{
	if (v->state != VIP_PROBING && is_of_host(dp, &v->addr)) {
		v->state = VIP_OF_HOST;
		v->due_ms = 0;
		v->problem[0] = '\0';
		return;
	}
	if (v->state == VIP_PROBING && v->probes == PROBES) {
		claim(dp, v, now);
		return;
	}
	if (v->state != VIP_PROBING) {
		v->state = VIP_PROBING;
		v->probes = 0;
		ears_listen(dp);
	}
	if (!ears_ask(dp, &v->addr)) {
		if (!is_on_link(dp, &v->addr)) {
			claim(dp, v, now);
			return;
		}
		v->state = VIP_WAITING;
		v->due_ms = now + WAIT_MS;
		(void)snprintf(v->problem, sizeof(v->problem),
			       "no attached interface is up to claim it on");
		return;
	}
	v->probes++;
	v->due_ms = now + PROBE_EVERY_MS;
}

static void announce_again(struct dataplane *dp, struct vip *v, uint64_t now)
{
	(void)ears_announce(dp, &v->addr);
	v->due_ms = ++v->probes < ANNOUNCEMENTS ? now + ANNOUNCE_MS : 0;
}

static void tick(struct dataplane *dp)
{
	uint64_t now = clock_ms();

	for (size_t i = 0; i < dp->vip_count; i++) {
		struct vip *v = &dp->vips[i];

		if (!v->due_ms || v->due_ms > now)
			continue;
		if (v->state == VIP_CLAIMED)
			announce_again(dp, v, now);
		else
			probe(dp, v, now);
	}
	schedule(dp);
}

static void on_timer(uv_timer_t *timer)
{
	tick(timer->data);
}

static bool is_being_probed(const struct dataplane *dp)
{
	uint64_t now = clock_ms();

	for (size_t i = 0; i < dp->vip_count; i++) {
		const struct vip *v = &dp->vips[i];

		if (v->state == VIP_PROBING ||
		    (v->state == VIP_WAITING && v->due_ms && v->due_ms <= now))
			return true;
	}
	return false;
}

void vips_finish(struct dataplane *dp)
{
	const struct timespec pause = {.tv_nsec = TICK_MS * 1000000L};

	for (int i = 0; i < FINISH_TICKS && is_being_probed(dp); i++) {
		tick(dp);
		(void)nanosleep(&pause, NULL);
		ears_hear(dp);
	}
}

void vip_heard(struct dataplane *dp, const struct spw_addr *addr, const uint8_t mac[6],
	       const char *interface)
{
	struct vip *v = find(dp, addr);
	char text[ADDR_TEXT_MAX], before[PROBLEM_BYTES];

	if (!v || v->state != VIP_PROBING || link_has_mac(&dp->netlink, mac))
		return;
	memcpy(before, v->problem, sizeof(before));
	v->state = VIP_CONFLICT;
	v->due_ms = clock_ms() + RETRY_MS;
	(void)snprintf(v->problem, sizeof(v->problem),
		       "the address is in use by %02x:%02x:%02x:%02x:%02x:%02x on %s: remove it "
		       "there, or use another; asked again every 30 s",
		       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], interface);
	if (strcmp(before, v->problem))
		log_error("vip: %s: %s", addr_print(addr, text), v->problem);
}

static void give_up(struct dataplane *dp, const struct spw_addr *addr)
{
	char text[ADDR_TEXT_MAX];
	int err = claim_remove(&dp->netlink, addr);

	if (err)
		log_warn("vip: %s: cannot be removed: %s", addr_print(addr, text), strerror(-err));
	else
		log_info("vip: %s: given up", addr_print(addr, text));
}

/* Adds a wanted VIP; one whose claim is in the kernel (an earlier run) is ours already. */
static int want(struct dataplane *dp, const struct spw_addr *addr, bool claimed)
{
	struct vip *v = find(dp, addr), *vips;

	if (!v) {
		vips = realloc(dp->vips, (dp->vip_count + 1) * sizeof(*vips));
		if (!vips)
			return -ENOMEM;
		dp->vips = vips;
		v = &vips[dp->vip_count++];
		*v = (struct vip){.addr = *addr, .state = VIP_WAITING, .due_ms = clock_ms()};
		if (claimed) {
			v->state = VIP_CLAIMED;
			v->due_ms = 0;
			(void)claim_put(dp, addr);
		}
	} else if (v->state == VIP_CLAIMED && !claimed) {
		v->state = VIP_WAITING; /* somebody took our route away */
		v->due_ms = clock_ms();
	}
	v->wanted = true;
	return 0;
}

static void drop_unwanted(struct dataplane *dp)
{
	size_t kept = 0;

	for (size_t i = 0; i < dp->vip_count; i++) {
		if (dp->vips[i].wanted)
			dp->vips[kept++] = dp->vips[i];
	}
	dp->vip_count = kept;
}

int dataplane_set_vips(struct dataplane *dp, const struct spw_addr *vips, size_t count)
{
	AUTO(free) struct spw_addr *claims = NULL;
	size_t claim_count = 0;
	int err = claims_list(&dp->netlink, &claims, &claim_count);

	for (size_t i = 0; i < dp->vip_count; i++)
		dp->vips[i].wanted = false;
	for (size_t i = 0; !err && i < count; i++)
		err = want(dp, &vips[i], in_list(claims, claim_count, &vips[i]));
	if (err)
		return err;
	for (size_t i = 0; i < claim_count; i++) {
		if (!in_list(vips, count, &claims[i]))
			give_up(dp, &claims[i]);
	}
	drop_unwanted(dp);
	schedule(dp);
	return 0;
}

/* A new interface has neighbours that were never asked; claims stand meanwhile. */
void vips_interfaces_changed(struct dataplane *dp)
{
	for (size_t i = 0; i < dp->vip_count; i++) {
		struct vip *v = &dp->vips[i];

		if (v->state == VIP_PROBING || v->state == VIP_OF_HOST)
			continue;
		v->state = VIP_WAITING;
		v->due_ms = clock_ms();
	}
	schedule(dp);
}

void vip_lost(struct dataplane *dp, const struct spw_addr *addr)
{
	struct vip *v = find(dp, addr);
	char text[ADDR_TEXT_MAX];

	if (!v || v->state != VIP_CLAIMED)
		return;
	log_warn("vip: %s: its local route was removed: claimed again", addr_print(addr, text));
	v->state = VIP_WAITING;
	v->due_ms = clock_ms();
	schedule(dp);
}

/* Linux answers ARP for an AnyIP address unless arp_ignore says "only configured addresses". */
static const char *arp_problem(struct arena *a, const char *interface)
{
	const char *const scopes[] = {"all", interface};
	char name[64], value[16];

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof(name), "net/ipv4/conf/%s/arp_ignore", scopes[i]);
		if (!sysctl_read(name, value, sizeof(value)) && strcmp(value, "0"))
			return arena_printf(a,
					    "net.ipv4.conf.%s.arp_ignore is %s, so this host does "
					    "not answer ARP for it: set it to 0, or route the "
					    "address to this host",
					    scopes[i], value);
	}
	return NULL;
}

const char *dataplane_vip_problem(struct dataplane *dp, struct arena *a, const struct spw_addr *vip)
{
	const struct vip *v = find(dp, vip);
	const char *problem = NULL;

	if (!v || v->problem[0])
		return v ? arena_strdup(a, v->problem) : NULL;
	for (size_t i = 0; !problem && addr_is_v4(vip) && i < dp->interface_count; i++) {
		if (v->state == VIP_CLAIMED && dp->interfaces[i].bpf_link >= 0 &&
		    interface_on_link(dp, &dp->interfaces[i], vip))
			problem = arp_problem(a, dp->interfaces[i].link.name);
	}
	return problem;
}

int vips_open(struct dataplane *dp)
{
	int err = uv_timer_init(dp->loop, &dp->vip_timer);

	if (err)
		return err;
	handle_opened(dp, &dp->vip_timer);
	return ears_open(dp);
}

void vips_close(struct dataplane *dp)
{
	ears_close(dp);
	free(dp->vips);
	dp->vips = NULL;
	dp->vip_count = 0;
}
