# SPDX-License-Identifier: BSD-2-Clause
"""
Packets as they were on the wire, and what others than ourselves say of their checksums: tshark,
which does all sums once more, and the kernels, which count what their stacks refused.
"""
import collections
import contextlib
import json
import os
import signal
import struct
from concurrent import futures

import lib

PROTOCOLS = ("ip", "tcp", "udp", "icmp", "icmpv6")
STATUS = {"0": "bad", "1": "good", "2": "unverified", "3": "absent", "4": "illegal"}
KINDS = {(4, 6): "tcp", (4, 17): "udp", (4, 1): "icmp", (6, 6): "tcp", (6, 17): "udp",
         (6, 58): "icmpv6"}
# Unreachable or too big, time exceeded.
ERRORS = {("icmp", b"\x03"), ("icmp", b"\x0b"), ("icmpv6", b"\x01"), ("icmpv6", b"\x02"),
          ("icmpv6", b"\x03")}
WHERE = ("frame.number", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.checksum",
         "tcp.checksum_calculated", "udp.checksum")
# Of fragments it puts the datagram together, and the last one carries the outcome. What is said
# inside the streams matters nothing here, and would take most of the time.
OPTIONS = ("ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE",
           "ip.defragment:TRUE", "ipv6.defragment:TRUE", "tcp.analyze_sequence_numbers:FALSE",
           "tcp.desegment_tcp_streams:FALSE")
# Counters that a packet with a wrong checksum raises. Time exceeded counts as a header error too.
CHECKSUMS = ("IpExtInCsumErrors", "TcpInCsumErrors", "UdpInCsumErrors", "IcmpInCsumErrors",
             "Udp6InCsumErrors", "Icmp6InCsumErrors")
HEADERS = ("IpInHdrErrors", "Ip6InHdrErrors")


class Capture:
    """
    tcpdump on a device, full frames. The device's GRO must be off, or what is captured has been put
    together from several packets and its checksum is none of theirs.
    """

    def __init__(self, net, name, dev, *match):
        self.path = os.path.join(net.dir, f"{name}-{dev}-{next(net.links)}.pcap")
        addresses = json.loads(net.exec(name, "ip", "-j", "addr", "show", "dev", dev).stdout)
        self.own = {a["local"] for a in addresses[0]["addr_info"]}
        # A buffer that holds more than a test sends: nothing is lost on a busy machine. Immediate,
        # since what waits in the kernel's buffer when tcpdump ends is lost.
        self.process = net.popen(name, "tcpdump", "-i", dev, "-Z", "root", "-s", "1600", "-B",
                                 "262144", "--immediate-mode", "-U", "-w", self.path, *match)
        lib.wait_for("tcpdump", lambda: "listening on" in self.log())

    def log(self):
        """What tcpdump said."""
        with open(self.process.log_path, encoding="utf8") as text:
            return text.read()

    def stop(self):
        """Ends it once nothing comes any more; a packet that was lost is an error."""
        before = -1
        while before != os.path.getsize(self.path):
            before = os.path.getsize(self.path)
            lib.time.sleep(0.2)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)
        if "\n0 packets dropped by kernel" not in self.log():
            raise lib.Failed(f"tcpdump: {self.log()}")

    def checksums(self):
        """
        How many checksums are good, bad and so on, as {"tcp good": n}, and where those are that are
        not good. Quotes in ICMP errors are looked at too, but of one that is cut short only the IP
        header can be judged; quotes() is for the rest.
        """
        fields = [*(f"{p}.checksum.status" for p in PROTOCOLS), "ip.len", "ipv6.plen", *WHERE]
        done = lib.run("tshark", "-n", "-r", self.path, "-T", "fields", "-E", "occurrence=a",
                       *(f"-o{o}" for o in OPTIONS), "--disable-protocol", "http",
                       *(f"-e{f}" for f in fields), timeout=120)
        found, bad = collections.Counter(), []
        for line in done.stdout.splitlines():
            row = dict(zip(fields, line.split("\t")))
            for name in self.judged(row):
                found[name] += 1
                if name.split()[1] not in ("good", "0xffff"):
                    bad.append(f"{name}: {[row[f] for f in WHERE]}")
        return found, bad

    def judged(self, row):
        """What tshark says of one packet, as "tcp good"."""
        cut = quote_is_cut(row["ip.len"], 20 + 8) or quote_is_cut(row["ipv6.plen"], 40 + 8)
        # Linux writes a sum of 0 as 0xffff, in TCP too (skb_checksum_help()). It means the same to
        # all receivers, but tshark wants it as RFC 1624 does, and so do we of the gateway.
        sums = (row["tcp.checksum"], row["tcp.checksum_calculated"])
        if sums == ("0xffff", "0x0000") and {row["ip.src"], row["ipv6.src"]} & self.own:
            row["tcp.checksum.status"] = ""
            yield "tcp 0xffff"
        for protocol in PROTOCOLS:
            names = [STATUS[s] for s in row[f"{protocol}.checksum.status"].split(",") if s]
            if cut and protocol != "ip":  # left is that of the error itself
                names = names[:1] if protocol.startswith("icmp") else []
            yield from (f"{protocol} {name}" for name in names)

    def quotes(self):
        """
        Each ICMP error quotes a packet whose TCP or UDP part, checksum and all, is in this capture:
        what a host is told of is what that host sent. Returns the number of those errors, and the
        quotes that are of no packet here.
        """
        sent, quoted = collections.defaultdict(set), []
        for frame in self.frames():
            kind, l4 = transport(frame[14:])
            if kind in ("tcp", "udp"):
                sent[l4[:8]].add(l4)
            elif (kind, l4[:1]) in ERRORS:
                quoted.append(transport(l4[8:])[1])
        strange = [q[:40].hex() for q in quoted if not any(s.startswith(q) for s in sent[q[:8]])]
        return len(quoted), strange

    def frames(self):
        """The frames, from a file as tcpdump writes it."""
        with open(self.path, "rb") as file:
            file.seek(24)
            while head := file.read(16):
                yield file.read(struct.unpack("=I", head[8:12])[0])


def quote_is_cut(lengths, heads):
    """
    Does an ICMP error quote less than the packet that it tells of? Of lengths that are listed, the
    first is that of the error, the second that of the quoted packet.
    """
    row = [int(n) for n in lengths.split(",") if n]
    return len(row) > 1 and row[1] > row[0] - heads


def transport(packet):
    """An IP packet's protocol and what it carries; both are empty for fragments and oddities."""
    if packet[:1] == b"\x45" and not struct.unpack_from("!H", packet, 6)[0] & 0x3fff:
        end = struct.unpack_from("!H", packet, 2)[0]
        return KINDS.get((4, packet[9]), ""), packet[20:end]
    if packet[:1] and packet[0] >> 4 == 6:
        end = 40 + struct.unpack_from("!H", packet, 4)[0]
        return KINDS.get((6, packet[6]), ""), packet[40:end]
    return "", b""


def counters(net, names):
    """The kernels' counters of these names in all namespaces that are not 0, as {(ns, name): n}."""
    found = {}
    for ns in net.names:
        here = json.loads(net.exec(ns, "nstat", "-aszj").stdout)["kernel"]
        found.update({(ns, name): here[name] for name in names if here[name]})
    return found


@contextlib.contextmanager
def watched(net, ends, *match, names=CHECKSUMS + HEADERS):
    """
    Captures at these ends, (namespace, device) each, while the block runs. No checksum may be wrong
    then, by tshark or by a kernel, and where all packets are captured, ICMP errors are about those.
    Yields a Counter that tells of all ends when the block is over; "quotes" counts the errors.
    """
    captures = [Capture(net, name, dev, *match) for name, dev in ends]
    total = collections.Counter()
    yield total
    for capture in captures:
        capture.stop()
    with futures.ThreadPoolExecutor() as pool:
        results = list(pool.map(Capture.checksums, captures))
    for capture, (found, bad) in zip(captures, results):
        assert bad == [], bad[:20]
        total.update(found)
        if not match:
            count, strange = capture.quotes()
            assert strange == [], strange
            total["quotes"] += count
    print("checksums:", dict(total))
    assert counters(net, names) == {}
