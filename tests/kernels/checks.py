# SPDX-License-Identifier: BSD-2-Clause
"""The checks of one guest. Those of CHECKS run in this order on one set of hosts; a name is a
sentence. What they count is compared at both ends: answers, servers, counters, flows."""
import os
import re
import subprocess
import sys

import cards
import direct
import lib
import load
import run_c

INSNS = os.path.join(lib.BUILD, "tests", "kernels", "insns")
PACKET_TEST = os.path.join(lib.BUILD, "tests", "packet", "packet_test")
VIPS = {4: lib.VIP4, 6: lib.VIP6}
REQUESTS, DATAGRAMS = 200, 50

# Two more services: one whose endpoint is on the clients' own network, and one of UDP.
MORE = f"""
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: more}}
spec:
  gatewayClassName: spillway
  addresses: [{{value: {lib.VIP4}}}, {{value: '{lib.VIP6}'}}]
  listeners:
  - {{name: near, port: 81, protocol: TCP}}
  - {{name: echo, port: 7, protocol: UDP}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: near}}
spec:
  endpoints:
  - ip: {{address: 198.51.100.11, port: 8080}}
  - ip: {{address: '2001:db8:f::11', port: 8080}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: echo}}
spec:
  endpoints:
  - ip: {{address: 203.0.113.11, port: 7007}}
  - ip: {{address: '2001:db8:b::11', port: 7007}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: near}}
spec:
  parentRefs: [{{name: more, sectionName: near}}]
  rules:
  - backendRefs: [{{group: gateway.envoyproxy.io, kind: Backend, name: near}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: {{name: echo}}
spec:
  parentRefs: [{{name: more, sectionName: echo}}]
  rules:
  - backendRefs: [{{group: gateway.envoyproxy.io, kind: Backend, name: echo}}]
"""

# Of an endpoint behind a VLAN device.
TAGGED = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: tagged}}
spec:
  gatewayClassName: spillway
  addresses: [{{value: {lib.VIP4}}}, {{value: '{lib.VIP6}'}}]
  listeners: [{{name: tagged, port: 82, protocol: TCP}}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: tagged}}
spec:
  endpoints:
  - ip: {{address: 198.19.0.11, port: 8080}}
  - ip: {{address: '2001:db8:65::11', port: 8080}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: tagged}}
spec:
  parentRefs: [{{name: tagged}}]
  rules:
  - backendRefs: [{{group: gateway.envoyproxy.io, kind: Backend, name: tagged}}]
"""

ECHO_SERVER = """
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(("::", 7007))
while True:
    data, peer = s.recvfrom(65535)
    s.sendto(data, peer)
"""

ECHO_CLIENT = """
import os, socket, sys
good = 0
for n in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.bind(("", 20000 + n))
    s.connect((sys.argv[1], 7))
    for size in (0, 33, 1400):
        data = os.urandom(size)
        s.send(data)
        good += s.recv(65535) == data
print(good)
"""


def walked(objects):
    """What the verifier walked for each program: {"OBJECT PROGRAM": instructions}, or its words."""
    done = subprocess.run([INSNS, *objects], capture_output=True, text=True, check=False)
    rows = (row.split() for row in done.stdout.splitlines())
    return {"walked": {f"{name} {program}": int(count) for name, program, count, _ in rows},
            "text": "" if done.returncode == 0 else done.stderr[-6000:] or "insns failed"}


def packet_tests():
    """(passed, failed, output) of the packet tests, those that take long shortened."""
    return run_c.run(PACKET_TEST, "-q")


class World:
    """The hosts, their servers, and the gateway between them."""

    def __init__(self, net):
        self.net = net
        self.web = {host: lib.Web(net, host) for host in ("p1", "p2", "near")}
        self.gw = lib.Gateway(net, args=("--xdp-mode", "native"))
        self.requests = 0

    def fetch(self, family, requests=REQUESTS, port=80):
        """Requests from the client, all of which must be answered; returns who answered how many."""
        result = lib.fetch(self.net, VIPS[family], requests, parallel=16, port=port, timeout=10)
        assert result["errors"] == [], (result, self.gw.counters())
        assert sum(result["answers"].values()) == requests, result
        return result["answers"]

    def grown(self, before):
        """Counters that grew, by how much."""
        return {name: value - before[name] for name, value in self.gw.counters().items()
                if value != before[name]}


def native_xdp_attaches_to_virtio_net(world):
    for web in world.web.values():
        web.start()
    world.net.popen("p1", sys.executable, "-c", ECHO_SERVER)
    lib.wait_for("echo server", lambda: world.net.exec("p1", "ss", "-Hlun").stdout)
    world.gw.start()
    rows = {i["name"]: i for i in world.gw.json("status")["interfaces"]}
    for card in ("front", "back"):
        assert rows[card]["attached"] and rows[card]["mode"] == "native", rows
        assert cards.xdp(world.net, "gw", card) == ("native", "spillway_xdp")
    world.gw.apply(lib.manifest(primaries=("p1", "p2"), fallbacks=(), interval="1s", timeout="3s")
                   + MORE)
    for family in (4, 6):
        for host in ("p1", "p2"):
            world.gw.wait_state(lib.endpoint(host, family), "up", timeout=30)


def tcp_is_redirected_and_every_count_agrees(world, family):
    before, flows = world.gw.counters(), world.gw.endpoints()
    served = {host: world.web[host].count() for host in ("p1", "p2")}
    answers = world.fetch(family)
    grown = world.grown(before)
    for host in ("p1", "p2"):
        address = lib.endpoint(host, family)
        assert answers.get(host, 0) > REQUESTS / 4, answers
        assert world.web[host].count() - served[host] == answers[host]
        now = world.gw.endpoints()[address]
        assert now["totalFlows"] - flows[address]["totalFlows"] == answers[host]
    assert grown["flow_created"] == REQUESTS, grown
    # SYN, SYN+ACK, ACK, request, answer, two FINs: seven packets at the least
    assert grown["forward_redirect"] >= 7 * REQUESTS and "forward_tx" not in grown, grown
    return f"{grown['forward_redirect']} packets"


def tcp_over_ipv4_is_redirected_and_every_count_agrees(world):
    return tcp_is_redirected_and_every_count_agrees(world, 4)


def tcp_over_ipv6_is_redirected_and_every_count_agrees(world):
    return tcp_is_redirected_and_every_count_agrees(world, 6)


def an_endpoint_beside_the_clients_gets_packets_out_of_the_same_card(world):
    for family in (4, 6):
        before = world.gw.counters()
        assert world.fetch(family, port=81) == {"near": REQUESTS}
        grown = world.grown(before)
        assert grown["forward_tx"] >= 7 * REQUESTS and grown["flow_created"] == REQUESTS, grown


def udp_is_echoed_over_both_families(world):
    for family in (4, 6):
        before = world.gw.counters()
        done = world.net.exec("client", sys.executable, "-c", ECHO_CLIENT, VIPS[family],
                              str(DATAGRAMS))
        assert done.stdout.strip() == str(3 * DATAGRAMS), done
        assert world.gw.endpoints()[lib.endpoint("p1", family, 7007)]["totalFlows"] == DATAGRAMS
        grown = world.grown(before)
        assert grown["flow_created"] == DATAGRAMS, grown


def flows_shows_the_connections_that_are_open(world):
    for family in (4, 6):
        held = load.Connections(world.net, 20, VIPS[family])
        rows = [f for f in world.gw.json("flows", "--limit", "100000")["flows"]
                if f["state"] == "established" and f["protocol"] == "TCP"
                and (f["vip"].startswith("[") == (family == 6))]
        ends = {lib.endpoint(host, family): host for host in ("p1", "p2")}
        assert sorted(ends[f["endpoint"]] for f in rows) == sorted(held.where), rows
        held.close_all()
        held.process.stdin.close()
        held.process.wait(timeout=20)


def twenty_megabytes_come_unharmed(world):
    done = world.net.exec("client", "sh", "-c", f"curl -sS --max-time 60 "
                          f"http://{lib.VIP4}/bytes/{20 << 20} | md5sum")
    want = world.net.exec("client", "sh", "-c", "python3 -c 'import sys; [sys.stdout.buffer.write("
                          "bytes(range(256)) * 4096) for _ in range(20)]' | md5sum")
    assert done.stdout == want.stdout, done


def traffic_goes_on_without_the_daemon_and_the_next_one_takes_over(world):
    held = load.Connections(world.net, 20)
    world.gw.kill()
    result = lib.fetch(world.net, lib.VIP4, REQUESTS, parallel=16, timeout=10)
    assert result["errors"] == [] and held.use() == held.where
    world.gw.start()
    world.fetch(6)
    assert held.use() == held.where
    assert cards.xdp(world.net, "gw", "front") == ("native", "spillway_xdp")
    held.process.stdin.close()
    held.process.wait(timeout=20)


def nothing_was_dropped(world):
    drops = {c["name"]: c["value"] for c in world.gw.json("stats")["counters"]
             if c["kind"] == "drop" and c["value"]}
    drops.pop("drop_no_neighbour", None)  # the first packet to a host
    assert not drops, drops


def tagged_frames_that_are_not_ours_pass_to_vlan_devices(world):
    before = world.gw.counters()
    cards.vlan(world.net, "client", "c0", 100, "198.18.0.2/24", "2001:db8:64::2/64")
    cards.vlan(world.net, "gw", "front", 100, "198.18.0.1/24", "2001:db8:64::1/64")
    for address in ("198.18.0.1", "2001:db8:64::1"):
        world.net.exec("client", "ping", "-c", "3", "-i", "0.2", "-W", "5", address)
    assert world.grown(before)["pass_not_ours"] >= 6
    assert "802.1Q id 100" in world.net.exec("gw", "ip", "-d", "link", "show", "front.100").stdout


def clients_on_a_vlan_are_served_by_endpoints_on_another(world):
    cards.vlan(world.net, "p1", "p1", 200, "198.19.0.11/24", "2001:db8:65::11/64")
    cards.vlan(world.net, "gw", "back", 200, "198.19.0.1/24", "2001:db8:65::1/64")
    world.net.exec("client", "ip", "route", "replace", "192.0.2.0/24", "via", "198.18.0.1")
    world.net.exec("client", "ip", "route", "replace", "2001:db8::/64", "via", "2001:db8:64::1")
    world.gw.apply(TAGGED)
    for family in (4, 6):
        before = world.gw.counters()
        assert world.fetch(family, port=82) == {"p1": REQUESTS}
        grown = world.grown(before)
        assert grown["flow_created"] == REQUESTS, grown
        assert grown["forward_redirect"] >= 7 * REQUESTS, grown


def after_detach_no_program_is_left(world):
    world.gw.kill(lib.signal.SIGTERM)
    world.gw.detach()
    for card in ("front", "back"):
        assert cards.xdp(world.net, "gw", card) is None


def a_dispatcher_of_libxdp_is_named_when_it_is_in_the_way(world):
    # no pins: those are in a bpffs that only this command would see
    world.net.exec("gw", "sh", "-c", "mount -t bpf bpf /sys/fs/bpf 2>/dev/null; "
                   "exec xdp-filter load --mode native front")
    try:
        mode, name = cards.xdp(world.net, "gw", "front")
        assert (mode, name) == ("native", "xdp_dispatcher")
        refused = world.net.exec("gw", lib.SPILLWAYD, *world.gw.dirs, *world.gw.args, check=False,
                                 timeout=30)
        assert refused.returncode == 1
        assert re.search(r"front: another XDP program is attached \(name xdp_dispatcher, id \d+, "
                         r"native mode\): libxdp's dispatcher, which calls xdpfilt_\w+ \(id \d+\)",
                         refused.stderr), refused.stderr
    finally:
        world.net.exec("gw", *re.search("`(xdp-loader .*)`", refused.stderr).group(1).split())
    assert cards.xdp(world.net, "gw", "front") is None


def clients_are_seen(world, kind, outer):
    """By the server p1, through a tunnel, over both families."""
    tunnel = direct.Encapsulator(world.net, kind, outer)
    for family in (4, 6):
        for _ in range(3):
            done = world.net.exec("client", "curl", "-sS", "--max-time", "10",
                                  direct.url(family, "/peer"))
            assert done.stdout == direct.CLIENTS[family], (kind, outer, done)
    world.net.kill(tunnel.process)


def a_real_server_takes_packets_out_of_tunnels(world):
    for vips, router in (("192.0.2.0/24", "198.51.100.1"), ("2001:db8::/64", "2001:db8:f::1")):
        world.net.exec("client", "ip", "route", "replace", vips, "via", router)
    direct.route_answers(world.net, "p1")
    server = direct.RealServer(world.net, interface="p1",
                               args=("--add-vip", "--xdp-mode", "native")).start()
    for kind in ("ipip", "gue1", "gue0:2"):
        for outer in (4, 6):
            clients_are_seen(world, kind, outer)
    assert cards.xdp(world.net, "p1", "p1") == ("native", "spillway_decap")
    stats = server.stats()
    server.kill()
    server.detach()
    assert cards.xdp(world.net, "p1", "p1") is None
    assert stats["mss_lowered"] == 36, stats
    return f"{stats['decapsulated_ipip']} of ipip, {stats['decapsulated_gue']} of gue"


def by_hand():
    """The commands that the documentation gives for a server, a text a block."""
    with open(os.path.join(lib.ROOT, "docs", "direct-return.md"), encoding="utf8") as text:
        section = re.search(r"^## By hand$(.*?)^## ", text.read(), re.M | re.S).group(1)
    return [re.sub("^    ", "", block, flags=re.M).replace("eth0", "p1")
            for block in re.findall(r"(?:^    .*\n)+", section, re.M)]


def a_real_server_set_up_as_documented_takes_them_too(world):
    blocks = by_hand()
    assert len(blocks) == 5, blocks
    for block in blocks:
        world.net.exec("p1", "sh", "-exc", block)
    for kind in ("ipip", "gue1", "gue0:0"):
        for outer in (4, 6):
            clients_are_seen(world, kind, outer)


CHECKS = [
    native_xdp_attaches_to_virtio_net,
    tcp_over_ipv4_is_redirected_and_every_count_agrees,
    tcp_over_ipv6_is_redirected_and_every_count_agrees,
    an_endpoint_beside_the_clients_gets_packets_out_of_the_same_card,
    udp_is_echoed_over_both_families,
    flows_shows_the_connections_that_are_open,
    twenty_megabytes_come_unharmed,
    traffic_goes_on_without_the_daemon_and_the_next_one_takes_over,
    nothing_was_dropped,
    tagged_frames_that_are_not_ours_pass_to_vlan_devices,
    clients_on_a_vlan_are_served_by_endpoints_on_another,
    after_detach_no_program_is_left,
    a_dispatcher_of_libxdp_is_named_when_it_is_in_the_way,
    a_real_server_takes_packets_out_of_tunnels,
    a_real_server_set_up_as_documented_takes_them_too,
]
