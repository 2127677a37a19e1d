# SPDX-License-Identifier: BSD-2-Clause
"""
Ordinary clients and servers through the gateway: iperf3, curl, dig and dnsmasq, traceroute. The
network is that of test_icmp.py, without its narrow routes:

    client -- cr -- [front] gw [back] -- sr -- p1

The stacks and offloads of client and p1 neither put packets together nor leave checksums to others,
and the routers put none together either: what is captured at both ends is, packet for packet, what
the gateway sent. Every capture and every kernel's counters are asked for wrong checksums, of which
none is allowed.
"""
import hashlib
import json
import os
import re
import sys

import pytest

import lib
import webserver
from capture import CHECKSUMS, Capture, counters, watched
from test_icmp import build, probe
from test_traffic import UDP_SERVER

VIPS = {4: lib.VIP4, 6: lib.VIP6}
SERVERS = {4: lib.addr4("p1"), 6: lib.addr6("p1")}
SOURCES = {4: "100.64.2.1", 6: "2001:db8:a2::1"}  # what p1 sees as its client
CLIENTS = {4: "198.51.100.2", 6: "2001:db8:f::2"}
ENDS = (("client", "c0"), ("p1", "eth0"))
GIGABYTE, MODEST = 1 << 30, 10 << 20  # the latter captured whole
SERVICES = (  # (name, protocol, port of the VIP, port of p1)
    ("web", "TCP", 80, 8080), ("speed", "TCP", 5201, 5201), ("speed", "UDP", 5201, 5201),
    ("dns", "TCP", 53, 53), ("dns", "UDP", 53, 53), ("echo", "UDP", 7, 7007),
    ("nobody", "TCP", 81, 81), ("nobody", "UDP", 81, 81),
)
GATEWAY = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: spillway
  addresses: [{{value: {lib.VIP4}}}, {{value: '{lib.VIP6}'}}]
  listeners:"""
SERVICE = """
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: {name}}}
spec:
  endpoints:
  - ip: {{address: {ip4}, port: {target}}}
  - ip: {{address: '{ip6}', port: {target}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: {protocol}Route
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: edge, sectionName: {name}}}]
  rules:
  - backendRefs: [{{group: gateway.envoyproxy.io, kind: Backend, name: {name}}}]
"""


def manifest():
    """All services on one Gateway, each with a Backend of its own."""
    listeners, rest = [], []
    for name, protocol, port, target in SERVICES:
        full = f"{name}-{protocol.lower()}"
        listeners.append(f"\n  - {{name: {full}, port: {port}, protocol: {protocol}}}")
        rest.append(SERVICE.format(name=full, protocol=protocol, target=target, ip4=SERVERS[4],
                                   ip6=SERVERS[6]))
    return GATEWAY + "".join(listeners) + "".join(rest)


@pytest.fixture
def wires():
    """The network of the head of this file, without processes."""
    with lib.Net() as net:
        build(net, narrow=())
        for name, dev in ENDS:
            net.exec(name, "ethtool", "-K", dev, "gro", "off")
        for router in ("cr", "sr"):  # a redirect needs their GRO on: it is kept from merging
            for dev in ("near", "far"):
                net.exec(router, "ip", "link", "set", dev, "gro_max_size", "1")
        yield net


@pytest.fixture
def routed(wires):
    """The same with the gateway and its services."""
    start(wires)
    yield wires
    print(wires.gw.log(), {k: v for k, v in wires.gw.counters().items() if v})


def start(net):
    """The gateway and its services; servers are the tests' to start."""
    net.gw = lib.Gateway(net).start()
    net.gw.apply(manifest())


def none_dropped(net):
    """The gateway dropped nothing, and made no error that was not asked for."""
    dropped = {k: v for k, v in net.gw.counters().items() if k.startswith("drop_") and v}
    assert dropped == {}


def ip(family):
    """-4 or -6, as many tools take it."""
    return f"-{family}"


def route_mtu(net, name, address):
    """The MTU that a host has learnt for an address; None: that of its interface."""
    row = json.loads(net.exec(name, "ip", "-j", "route", "get", address).stdout)[0]
    return next((m["mtu"] for m in row.get("metrics", []) if "mtu" in m), None)


def forget(net, name):
    """A host forgets what it has learnt of its paths."""
    for family in (4, 6):
        net.exec(name, "ip", ip(family), "route", "flush", "cache")


def narrow(net, router, dev, address, mtu):
    """A router's way to an address gets a smaller MTU than its device has."""
    family = 6 if ":" in address else 4
    net.exec(router, "ip", ip(family), "route", "add", address, "dev", dev, "mtu", str(mtu))


def url(family, path):
    """A path of the VIP."""
    host = VIPS[family] if family == 4 else f"[{VIPS[family]}]"
    return f"http://{host}{path}"


def want_sum(size):
    """SHA-256 of that many bytes of noise."""
    total = hashlib.sha256()
    for piece in webserver.noise(size):
        total.update(piece)
    return total.hexdigest()


def download(net, family, size):
    """A download by curl; what arrived is what was sent."""
    began = lib.time.monotonic()
    done = net.exec("client", "sh", "-c", f"curl -sS --max-time 110 {url(family, f'/noise/{size}')}"
                    " | sha256sum", timeout=120)
    print(f"IPv{family}: {size >> 20} MiB down in {lib.time.monotonic() - began:.1f} s")
    assert done.stdout.split()[0] == want_sum(size)


def upload(net, family, size):
    """An upload by curl; what arrived is what was sent."""
    path = os.path.join(net.dir, "upload")
    with open(path, "wb") as file:
        file.writelines(webserver.noise(size))
    began = lib.time.monotonic()
    done = net.exec("client", "curl", "-sS", "--max-time", "110", "-H", "Expect:", "--data-binary",
                    f"@{path}", url(family, "/sum"), timeout=120)
    print(f"IPv{family}: {size >> 20} MiB up in {lib.time.monotonic() - began:.1f} s")
    os.unlink(path)
    assert done.stdout == want_sum(size)


# What comes wrong is sent on as wrong as it came: a balancer that mended checksums would hide what
# broke a packet. What would not be forwarded is sent "near" p1, by the router next to it.
WRONG = """
import sys
from scapy.all import (ICMP, ICMPv6EchoRequest, IP, IPv6, IPv6ExtHdrFragment, Raw, TCP, UDP, conf,
                       fragment, fragment6, send)
conf.verb = 0
kind, to = sys.argv[1:]
v6 = ":" in to
def send_both(packet, name):
    # as it should be, and with one bit turned round
    right = packet.__class__(bytes(packet))
    send(right)
    layer = right[name]
    field = "cksum" if hasattr(layer, "cksum") else "chksum"
    setattr(layer, field, getattr(layer, field) ^ 0x0100)
    send(right)
head = IPv6(dst=to) if v6 else IP(dst=to)
if kind == "through":
    send_both(head / TCP(sport=40001, dport=81), "TCP")
    send_both(head / UDP(sport=40002, dport=81) / Raw(b"x" * 100), "UDP")
    ports = UDP(sport=40003, dport=81, chksum=1) / Raw(bytes(3000))
    send(fragment6(IPv6(dst=to) / IPv6ExtHdrFragment(id=9) / ports, 1400) if v6 else
         fragment(IP(dst=to, id=9) / ports, 1400))
elif v6:
    send_both(head / ICMPv6EchoRequest(data=b"x" * 100), "ICMPv6EchoRequest")
else:
    send_both(head / ICMP() / Raw(b"x" * 100), "ICMP")
    send_both(head / UDP(sport=40004, dport=81) / Raw(b"x" * 100), "IP")
"""


@pytest.mark.parametrize("family", (4, 6))
def test_wrong_checksums_are_noticed_by_the_dissector_and_by_the_kernels(routed, family):
    capture = Capture(routed, *ENDS[1])
    for name, kind, to in (("client", "through", VIPS[family]), ("sr", "near", SERVERS[family])):
        routed.exec(name, sys.executable, "-c", WRONG, kind, to)
    capture.stop()
    found, bad = capture.checksums()
    print(found, bad)
    wrong = {"tcp bad": 1, "udp bad": 2, **({"ip bad": 1, "icmp bad": 1} if family == 4 else
                                            {"icmpv6 bad": 1})}
    assert {k: v for k, v in found.items() if not k.endswith("good")} == wrong
    assert len(bad) == sum(wrong.values())
    assert all(found[f"{k.split()[0]} good"] for k in wrong)
    own = {4: {"IpExtInCsumErrors": 1, "TcpInCsumErrors": 1, "UdpInCsumErrors": 2,
               "IcmpInCsumErrors": 1},
           6: {"TcpInCsumErrors": 1, "Udp6InCsumErrors": 2, "Icmp6InCsumErrors": 1}}[family]
    assert counters(routed, CHECKSUMS) == {("p1", name): n for name, n in own.items()}


# One of 65,536 packets has it by chance.
ZERO = """
import sys
from scapy.all import IP, IPv6, TCP, conf, send
conf.verb = 0
to = sys.argv[1]
head = IPv6(dst=to) if ":" in to else IP(dst=to)
syn = head / TCP(sport=40001, dport=81, window=0)
syn["TCP"].window = syn.__class__(bytes(syn))["TCP"].chksum
assert syn.__class__(bytes(syn))["TCP"].chksum == 0
syn["TCP"].chksum = 0xffff
send(syn)
"""


@pytest.mark.parametrize("family", (4, 6))
def test_a_sum_of_zero_that_linux_writes_as_all_ones_is_forwarded(routed, family):
    with watched(routed, ENDS) as found:
        routed.exec("client", sys.executable, "-c", ZERO, VIPS[family])
    assert found["tcp 0xffff"] == 1  # at the client; p1 got one that no dissector minds
    assert found["tcp good"] == 3  # that, and an RST at both ends


def iperf3(net, family, *args):
    """One run of the client; the `end` of its report."""
    done = net.exec("client", "iperf3", "-c", VIPS[family], "-J", *args)
    return json.loads(done.stdout)["end"]


@pytest.fixture
def speed(routed):
    """An iperf3 server on p1."""
    routed.popen("p1", "iperf3", "-s")
    lib.wait_for("iperf3", lambda: routed.exec("p1", "ss", "-Hltn", "sport = :5201").stdout)
    return routed


@pytest.mark.parametrize("family", (4, 6))
def test_iperf3_over_tcp_both_ways(speed, family):
    with watched(speed, ENDS) as found:
        for more in ((), ("-R",)):
            end = iperf3(speed, family, "-n", "40M", *more)
            print(more, end["sum_received"])
            # what is on its way when the client has written all is not waited for
            assert end["sum_received"]["bytes"] > 20 << 20
    # Both ends saw both directions' segments, and acknowledgements besides.
    assert found["tcp good"] > 4 * (20 << 20) / 1448
    none_dropped(speed)


@pytest.mark.parametrize("family", (4, 6))
def test_iperf3_over_udp_both_ways(speed, family):
    sent = 0
    with watched(speed, ENDS) as found:
        # datagrams of a packet, and of three fragments
        for size, more in ((1400, ()), (1400, ("-R",)), (4000, ()), (4000, ("-R",))):
            end = iperf3(speed, family, "-u", "-b", "200M", "-n", "10M", "-l", str(size), *more)
            print(size, more, end["sum"])
            assert end["sum"]["packets"] >= (10 << 20) // size
            assert end["sum"]["lost_percent"] < 20  # a socket's buffer may overflow
            sent += end["sum"]["packets"] - end["sum"]["lost_packets"]
    assert found["udp good"] >= 2 * sent
    assert speed.gw.counters()["forward_fragment"] > 3 * 2 * (10 << 20) // 4000
    none_dropped(speed)


def sample(family):
    """
    A filter for a 32nd of TCP's segments, by bits of the checksum, which sequence numbers, data and
    timestamps scatter. (Sequence numbers alone are no dice: a server that writes 64 KiB at a time
    goes through the same few remainders again and again.) SYNs and ICMP are few and kept.
    """
    tcp = 14 + (20 if family == 4 else 40)
    flags = f"ether[{tcp + 13}] & 2 != 0"
    chosen = f"ether[{tcp + 16}:2] & 0x1f = 0"
    return f"icmp or icmp6 or (tcp and ({flags} or {chosen}))"


@pytest.mark.parametrize("family", (4, 6))
def test_a_gigabyte_passes_a_narrow_path_behind_the_gateway(routed, family):
    """
    The router behind the gateway has an MTU of 1400 in both directions, and nobody knows. Who sends
    more at once is told by it: p1 itself when it is the sender, and the gateway's source address
    when the client is, which is the gateway's to pass on.
    """
    narrow(routed, "sr", "near", SERVERS[family], 1400)
    narrow(routed, "sr", "far", SOURCES[family], 1400)
    lib.Web(routed, "p1").start()
    with watched(routed, ENDS, sample(family)) as found:
        download(routed, family, GIGABYTE)
        assert route_mtu(routed, "p1", SOURCES[family]) == 1400
        assert routed.gw.counters()["forward_icmp"] == 0
        # p1 has learnt, so it would ask the client for small segments: the latter is to find out
        forget(routed, "p1")
        assert route_mtu(routed, "client", VIPS[family]) is None
        upload(routed, family, 100 << 20)
        assert route_mtu(routed, "client", VIPS[family]) == 1400
        assert routed.gw.counters()["forward_icmp"] > 0
    # A 32nd of all segments at both ends, the upload's and acknowledgements on top of these.
    assert found["tcp good"] > 2 * (GIGABYTE / 1348) / 32
    assert found["icmp good" if family == 4 else "icmpv6 good"] > 0
    none_dropped(routed)


@pytest.mark.parametrize("family", (4, 6))
def test_both_sides_learn_the_mtu_of_their_path(routed, family):
    """Narrow routes behind the gateway and before it, which neither side's own router has."""
    narrow(routed, "sr", "near", SERVERS[family], 1400)
    narrow(routed, "cr", "near", CLIENTS[family], 1360)
    lib.Web(routed, "p1").start()
    with watched(routed, ENDS) as found:
        upload(routed, family, MODEST)
        assert route_mtu(routed, "client", VIPS[family]) == 1400
        assert route_mtu(routed, "p1", SOURCES[family]) is None
        told = routed.gw.counters()["forward_icmp"]
        assert told > 0
        download(routed, family, MODEST)
        assert route_mtu(routed, "p1", SOURCES[family]) == 1360
        assert routed.gw.counters()["forward_icmp"] > told
    assert found["tcp good"] > 4 * MODEST / 1448
    assert found["quotes"] > 0
    none_dropped(routed)


@pytest.mark.parametrize("family", (4, 6))
def test_the_gateways_own_narrow_link_is_told_in_the_mss_and_by_icmp(wires, family):
    """TCP never sends more than fits. UDP is told by the gateway itself."""
    for name, dev in (("gw", "back"), ("sr", "far")):
        wires.exec(name, "ip", "link", "set", dev, "mtu", "1400")
    start(wires)
    lib.Web(wires, "p1").start()
    with watched(wires, ENDS) as found:
        upload(wires, family, MODEST)
        download(wires, family, MODEST)
        assert wires.gw.counters()["mss_clamped"] == 4
        assert wires.gw.counters()["forward_icmp"] == wires.gw.counters()["too_big_sent"] == 0
        assert [route_mtu(wires, *who) for who in (("client", VIPS[family]),
                                                   ("p1", SOURCES[family]))] == [None, None]
        none_dropped(wires)
        heard = probe(wires, family, size=1440)
        assert (heard["errno"], heard["mtu"], heard["from"]) == ("EMSGSIZE", 1400, VIPS[family])
        assert wires.gw.counters()["too_big_sent"] == 1
        assert route_mtu(wires, "client", VIPS[family]) == 1400
    assert found["tcp good"] > 4 * MODEST / 1448
    assert found["quotes"] == 1


NAMES = 1000
BIG = [f"{n:02d}-" + hashlib.sha256(b"%d" % n).hexdigest() * 3 for n in range(16)]  # 3.3 kB


def address_of(number, family):
    """The address of host n0, n1, ... in the zone."""
    if family == 4:
        return f"10.9.{number // 250}.{number % 250 + 1}"
    return f"2001:db8:9::{number + 1:x}"


@pytest.fixture
def dns(routed):
    """dnsmasq on p1, with many names and one of which a lot is to be said."""
    hosts = os.path.join(routed.dir, "hosts")
    with open(hosts, "w", encoding="ascii") as file:
        file.writelines(f"{address_of(n, f)} n{n}.test\n" for n in range(NAMES) for f in (4, 6))
    routed.popen("p1", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
                 "--no-hosts", f"--addn-hosts={hosts}", "--user=root", "--pid-file",
                 "--log-facility=-", "--bind-interfaces", f"--listen-address={SERVERS[4]}",
                 f"--listen-address={SERVERS[6]}", "--edns-packet-max=4096",
                 *(f"--txt-record=big.test,{text}" for text in BIG))
    lib.wait_for("dnsmasq", lambda: routed.exec("p1", "ss", "-Hltn", "sport = :53").stdout)
    return routed


def dig(net, family, *args, timeout=60):
    """What dig prints."""
    return net.exec("client", "dig", f"@{VIPS[family]}", "+tries=1", "+time=3", *args,
                    timeout=timeout).stdout


def dig_many(net, family, count, *args):
    """As many questions for addresses, one after the other: how many answers are wrong."""
    kind = "A" if family == 4 else "AAAA"
    path = os.path.join(net.dir, "questions")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"n{n % NAMES}.test {kind}\n" for n in range(count))
    began = lib.time.monotonic()
    answers = dig(net, family, "+short", *args, "-f", path).split()
    print(f"IPv{family}: {count} of {args} in {lib.time.monotonic() - began:.1f} s")
    want = [address_of(n % NAMES, family) for n in range(count)]
    return sum(a != b for a, b in zip(answers, want)) + abs(len(answers) - len(want))


def dig_big(net, family, count, *args):
    """As many questions for much text: how many answers are not all of it."""
    path = os.path.join(net.dir, "questions")
    with open(path, "w", encoding="ascii") as file:
        file.write("big.test TXT\n" * count)
    lines = [x for x in dig(net, family, "+short", *args, "-f", path).split("\n") if x]
    answers = [sorted(lines[at:at + len(BIG)]) for at in range(0, len(lines), len(BIG))]
    want = sorted(f'"{text}"' for text in BIG)
    return sum(a != want for a in answers) + abs(len(answers) - count)


@pytest.mark.parametrize("family", (4, 6))
def test_dig_asks_thousands_of_questions_over_udp_and_tcp(dns, family):
    with watched(dns, ENDS) as found:
        assert dig_many(dns, family, 2500) == 0
        assert dig_many(dns, family, 500, "+tcp") == 0
        for _ in range(3):  # dnsmasq closes connections after 100
            assert dig_many(dns, family, 100, "+tcp", "+keepopen") == 0
    assert found["udp good"] >= 2 * 2 * 2500
    assert found["tcp good"] >= 2 * 2 * 800
    none_dropped(dns)


@pytest.mark.parametrize("family", (4, 6))
def test_dig_gets_answers_that_do_not_fit_into_a_packet(dns, family):
    with watched(dns, ENDS) as found:  # in fragments, never by TCP
        said = dig(dns, family, "+bufsize=4096", "+ignore", "big.test", "TXT")
        assert int(re.search(r"MSG SIZE\s+rcvd: (\d+)", said).group(1)) > 2 * 1472
        assert "(UDP)" in said and " tc " not in said
        assert dig_big(dns, family, 300, "+bufsize=4096", "+ignore") == 0
        assert dns.gw.counters()["forward_fragment"] >= 3 * 301
    assert found["udp good"] >= 2 * 2 * 301
    assert found["tcp good"] == 0
    with watched(dns, ENDS) as found:  # cut short, and asked once more over TCP
        said = dig(dns, family, "+bufsize=1232", "+ignore", "big.test", "TXT")
        assert re.search(r"flags:[a-z ]* tc\b", said)
        said = dig(dns, family, "+bufsize=1232", "big.test", "TXT")
        assert "Truncated, retrying in TCP mode" in said and "(TCP)" in said
        assert dig_big(dns, family, 300, "+bufsize=1232") == 0
    assert found["udp good"] >= 2 * 2 * 302
    assert found["tcp good"] >= 2 * 3 * 301
    none_dropped(dns)


def traceroute(net, family, *args):
    """The hops of the real traceroute, with all that it says of each but the times."""
    text = net.exec("client", "traceroute", ip(family), "-n", "-w", "2", *args, VIPS[family]).stdout
    print(text)
    return [" ".join(re.sub(r"[\d.]+ ms", "", line).split()[1:]) for line in text.splitlines()[1:]]


@pytest.mark.parametrize("family", (4, 6))
def test_traceroute_sees_the_gateway_and_all_behind_it(routed, family):
    """
    What traceroute sees, and why, for a service's port by UDP or TCP:

    1  the client's router, which is not ours
    2  the gateway, which uses up the second hop and says so from an address of its own: were it the
       VIP, tools that end a trace at the destination would end it here
    3  the VIP: the router behind. Its error is about a packet from the gateway's source address and
       comes there; the client could make nothing of it, nor of the router's address perhaps, so
       the error is rewritten like a reply (RFC 5508)
    4  the VIP: the server, by what it answers: data or "port unreachable" over UDP, a SYN-ACK or
       RST over TCP

    So the number of hops is true, and whoever is behind the VIP stays hidden there. At a port
    without a service, the gateway is the last hop.
    """
    router = "198.51.100.1" if family == 4 else "2001:db8:f::1"
    gateway = "100.64.2.1" if family == 4 else "2001:db8:a2::1"
    vip = VIPS[family]
    routed.exec("p1", "sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
    routed.popen("p1", sys.executable, "-c", UDP_SERVER)
    lib.Web(routed, "p1").start()
    lib.wait_for("echo", lambda: routed.exec("p1", "ss", "-Hlun", "sport = :7007").stdout)
    with watched(routed, ENDS, names=CHECKSUMS) as found:
        for args, last in ((("-U", "-p", "7"), vip), (("-U", "-p", "81"), vip),
                           (("-T", "-p", "80", "-O", "info"), f"{vip} <syn,ack>"),
                           (("-T", "-p", "81", "-O", "info"), f"{vip} <rst,ack>")):
            before = routed.gw.counters()
            assert traceroute(routed, family, *args) == [router, gateway, vip, last]
            after = routed.gw.counters()
            # three probes a hop: the gateway's own answers, and those it passed on
            assert after["ttl_exceeded_sent"] - before["ttl_exceeded_sent"] == 3
            told = after["forward_icmp"] - before["forward_icmp"]
            assert told >= (6 if args == ("-U", "-p", "81") else 3)
        assert traceroute(routed, family, "-T", "-p", "82", "-O", "info") == [
            router, f"{vip} <rst,ack>"]
        assert traceroute(routed, family) == [router, vip]  # UDP to high ports
    assert found["quotes"] > 0
