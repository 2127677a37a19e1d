/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A connection that cannot be had, or may not go on, is refused in words: the packet becomes the RST
 * that a host sends for a port where nobody listens (RFC 9293, 3.10.7.1), and goes back the way it
 * came. Its sender learns at once what silence would tell after minutes. The cause is counted as
 * the drop it is.
 *
 * Only a SYN to a service of ours or a packet of a flow that is no RST comes here, so no RST is ever
 * answered. It needs no limit of its rate: one packet for one, never longer than that, so it serves
 * nobody to multiply traffic. UDP has no such word; it stays dropped (answer.h has one).
 */
#ifndef SPILLWAY_BPF_REJECT_H
#define SPILLWAY_BPF_REJECT_H

#include "csum.h"
#include "hop.h"
#include "plain.h"

#define REJECT_TTL	 64
#define REJECT_IP4_DF	 bpf_htons(0x4000)
#define REJECT_IP4_PLAIN 0x45 /* version 4, no options */
#define REJECT_NO_ECN4	 0xfc
#define REJECT_DSCP6	 bpf_htonl(0x0fc00000)

static inline void reject_eth(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

/* The header of an RST, but for ports and checksum; without `acks` it acknowledges nothing. */
static inline void reject_head(struct tcphdr *tcp, __be32 seq, __be32 ack_seq, bool acks)
{
	__builtin_memset(tcp, 0, sizeof(*tcp));
	tcp->seq = seq;
	tcp->ack_seq = acks ? ack_seq : 0;
	tcp->doff = sizeof(*tcp) / 4;
	tcp->rst = 1;
	tcp->ack = acks;
}

/*
 * From where the sender expects the next byte, if it says so. Else all is acknowledged that it sent:
 * SYN and FIN count one, and a SYN may carry data (RFC 7413).
 */
static inline void reject_tcp(struct pkt *p)
{
	struct tcphdr *tcp = p->tcp;
	__u32 ack = bpf_ntohl(tcp->seq) + tcp->syn + tcp->fin + p->l4_len - tcp->doff * 4;
	__be32 seq = tcp->ack ? tcp->ack_seq : 0;
	bool acks = !tcp->ack;

	reject_head(tcp, seq, bpf_htonl(ack), acks);
	tcp->source = p->key->dport;
	tcp->dest = p->key->sport;
}

/* From addresses to the end of the TCP header, which follows at once in both families. */
static inline __u16 reject_tcp_csum(void *addrs, __u32 addrs_len)
{
	__u32 pseudo = bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(struct tcphdr));
	__u32 len = addrs_len + sizeof(struct tcphdr);

	return csum_fold((__u32)bpf_csum_diff(NULL, 0, addrs, len, pseudo));
}

/* An identification says nothing where fragmenting is forbidden (RFC 6864). */
static inline void reject_ip4(struct pkt *p, const struct spw_addr *from, const struct spw_addr *to)
{
	struct iphdr *ip = p->ip4;

	*(__u8 *)ip = REJECT_IP4_PLAIN;
	ip->tos &= REJECT_NO_ECN4;
	ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(*p->tcp));
	ip->id = 0;
	ip->frag_off = REJECT_IP4_DF;
	ip->ttl = REJECT_TTL;
	ip->check = 0;
	ip->saddr = from->w[3];
	ip->daddr = to->w[3];
	ip->check = csum_fold((__u32)bpf_csum_diff(NULL, 0, (void *)ip, sizeof(*ip), 0));
	p->tcp->check = reject_tcp_csum(&ip->saddr, 2 * sizeof(ip->saddr));
}

static inline void reject_ip6(struct pkt *p, const struct spw_addr *from, const struct spw_addr *to)
{
	struct ipv6hdr *ip = p->ip6;
	__be32 *first = (__be32 *)ip;

	*first = bpf_htonl(6U << 28) | (*first & REJECT_DSCP6);
	ip->payload_len = bpf_htons(sizeof(*p->tcp));
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = REJECT_TTL;
	__builtin_memcpy(&ip->saddr, from, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, to, sizeof(ip->daddr));
	p->tcp->check = reject_tcp_csum(&ip->saddr, 2 * sizeof(ip->saddr));
}

/* What lies behind the headers goes: options, data, padding. No packet pointer is valid then. */
static inline bool reject_trim(struct pkt *p)
{
	int have = bpf_xdp_get_buff_len(p->ctx);
	int want = p->l3 - (void *)p->eth + sizeof(*p->tcp);

	want += p->v6 ? sizeof(*p->ip6) : sizeof(*p->ip4);
	return !bpf_xdp_adjust_tail(p->ctx, want - have);
}

/* The RST is made but for what differs here: addresses, checksums and length of its packet. */
static inline bool reject_finish(struct pkt *p, const struct spw_addr *from,
				 const struct spw_addr *to)
{
	if (p->ip4)
		reject_ip4(p, from, to);
	/* Linux 6.1 does not see that its TCP header follows it. */
	if (p->ip6 && (void *)(p->ip6 + 1) + sizeof(*p->tcp) <= pkt_end(p))
		reject_ip6(p, from, to);
	return reject_trim(p);
}

static inline enum verdict reject_send(const struct pkt *p)
{
	enum verdict v = send_out(p);

	if (v != DROP)
		count(SPW_COUNT_RESET_SENT);
	return v;
}

/* Where no answer can leave, the packet is dropped without one. */
static __noinline enum verdict reject(struct pkt *p)
{
	if (!p->tcp || !egress_is_attached(p, p->ctx->ingress_ifindex) || !plain(p))
		return DROP;
	reject_eth(p->eth);
	reject_tcp(p);
	return reject_finish(p, &p->key->daddr, &p->key->saddr) ? reject_send(p) : DROP;
}

#endif
