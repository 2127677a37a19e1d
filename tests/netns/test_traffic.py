# SPDX-License-Identifier: BSD-2-Clause
"""Real clients and servers through the gateway."""
import hashlib
import json
import re
import sys

import pytest

import lib

VIPS = {4: lib.VIP4, 6: lib.VIP6}


def test_ports_in_time_wait_at_the_server_are_reused_without_stalls(net):
    lib.Web(net, "p1").start()  # closes first
    net.exec("gw", "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65000")  # leaves 535
    gateway = lib.Gateway(net).start()
    gateway.apply(lib.manifest(primaries=("p1",), fallbacks=(), check=False, families=(4,)))
    for _ in range(4):
        result = lib.fetch(net, lib.VIP4, 450, parallel=8, timeout=0.9)
        assert result["errors"] == [], (result, gateway.counters(), gateway.endpoints())
        lib.time.sleep(3)
    assert gateway.counters()["port_reused_early"] > 500


@pytest.mark.parametrize("family", (4, 6))
def test_ten_thousand_requests_have_no_error(served, family):
    before = {h: w.count() for h, w in served.web.items()}
    flows = {a: r["totalFlows"] for a, r in served.gw.endpoints().items()}
    result = served.fetch(10000, vip=VIPS[family], parallel=64)
    assert result["errors"] == []
    assert sum(result["answers"].values()) == 10000
    after = served.gw.endpoints()
    for host, web in served.web.items():
        address = lib.endpoint(host, family)
        assert web.count() - before[host] == result["answers"].get(host, 0)
        assert after[address]["totalFlows"] - flows[address] == result["answers"].get(host, 0)
    for host in ("p1", "p2", "p3"):
        assert abs(result["answers"][host] / 100 - 100 / 3) < 3


@pytest.mark.parametrize("family", (4, 6))
def test_curl_downloads_twenty_megabytes_unharmed(served, family):
    host = VIPS[family] if family == 4 else f"[{VIPS[family]}]"
    size = 20 << 20
    done = served.net.exec("client", "sh", "-c",
                           f"curl -sS --max-time 60 http://{host}/bytes/{size} | sha256sum")
    want = hashlib.sha256((bytes(range(256)) * (size // 256))).hexdigest()
    assert done.stdout.split()[0] == want


@pytest.mark.parametrize("family", (4, 6))
def test_curl_uploads_ten_megabytes(served, family):
    host = VIPS[family] if family == 4 else f"[{VIPS[family]}]"
    size = 10 << 20
    done = served.net.exec("client", "sh", "-c",
                           f"head -c {size} /dev/zero | curl -sS --max-time 60 -H 'Expect:' "
                           f"--data-binary @- http://{host}/")
    assert done.stdout == str(size)


@pytest.mark.parametrize("reverse", (False, True))
def test_iperf3_moves_data_both_ways(system, reverse):
    system.net.popen("p1", "iperf3", "-s", "-p", "5201")
    system.gw.apply(lib.manifest(primaries=("p1",), fallbacks=(), check=False, port=5201)
                    .replace("port: 80,", "port: 5201,"))
    lib.wait_for("iperf3 server", lambda: system.net.exec(
        "p1", "ss", "-Hltn", "sport = :5201").stdout)
    done = system.net.exec("client", "iperf3", "-c", lib.VIP4, "-p", "5201", "-t", "2", "-P", "4",
                           "-J", *(["-R"] if reverse else []))
    end = json.loads(done.stdout)["end"]
    assert end["sum_received"]["bytes"] > 10_000_000


UDP_ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: udp}
spec:
  gatewayClassName: spillway
  addresses: [{value: 192.0.2.10}, {value: '2001:db8::10'}]
  listeners: [{name: echo, port: 7, protocol: UDP}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: echo}
spec:
  endpoints:
  - ip: {address: 203.0.113.11, port: 7007}
  - ip: {address: '2001:db8:b::11', port: 7007}
---
apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: {name: echo}
spec:
  parentRefs: [{name: udp}]
  rules:
  - backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: echo}]
"""

UDP_SERVER = """
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(("::", 7007))
while True:
    data, peer = s.recvfrom(65535)
    s.sendto(data, peer)
"""

UDP_CLIENT = """
import os, socket, sys
bad = 0
for n in range(200):
    s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.bind(("", 20000 + n))  # a flow each
    s.connect((sys.argv[1], 7))
    for size in (0, 1, 2, 33, 512, 1400):
        data = os.urandom(size)
        s.send(data)
        bad += s.recv(65535) != data
    s.close()
print(bad)
"""


@pytest.mark.parametrize("family", (4, 6))
def test_udp_is_echoed(system, family):
    system.net.popen("p1", sys.executable, "-c", UDP_SERVER)
    system.gw.apply(UDP_ROUTE)
    lib.wait_for("echo server", lambda: system.net.exec("p1", "ss", "-Hlun").stdout)
    done = system.net.exec("client", sys.executable, "-c", UDP_CLIENT, VIPS[family])
    assert done.stdout.strip() == "0"
    assert system.gw.endpoints()[lib.endpoint("p1", family, 7007)]["totalFlows"] == 200


def test_what_is_not_ours_reaches_the_host(served):
    net = served.net
    for address in ("198.51.100.1", lib.VIP4, "2001:db8:f::1", lib.VIP6):
        net.exec("client", "ping", "-c", "2", "-i", "0.2", "-W", "2", address)
    net.exec("client", "ping", "-c", "1", "-s", "4000", "-W", "2", lib.VIP4)  # fragments
    for address in (lib.VIP4, lib.VIP6):  # the host's own answer on another port
        closed = net.exec("client", sys.executable, "-c", "import socket, sys; "
                          "socket.create_connection((sys.argv[1], 81), timeout=3)", address,
                          check=False)
        assert "ConnectionRefusedError" in closed.stderr
    counters = served.gw.counters()
    assert counters["pass_no_service"] > 0
    assert counters["pass_not_ip"] > 0  # ARP


def test_a_one_armed_gateway_sends_packets_back_out_of_the_same_interface(net):
    for host in ("p1", "p2", "p3", "f1", "f2"):
        lib.Web(net, host).start()
    net.veth("sw", "cl", "client", "c1")
    net.exec("sw", "ip", "link", "set", "cl", "master", "br0")
    net.addr("client", "c1", "203.0.113.200/24")
    net.exec("client", "ip", "route", "replace", "192.0.2.0/24", "via", "203.0.113.1")
    gateway = lib.Gateway(net, interfaces=("back",)).start()
    gateway.apply(lib.manifest())
    gateway.wait_state(lib.endpoint("p1"), "up")
    result = lib.fetch(net, lib.VIP4, 1000)
    assert result["errors"] == []
    assert sum(result["answers"].values()) == 1000


def test_bad_checksums_are_not_made(served):
    capture = served.net.popen("p1", "tcpdump", "-i", "eth0", "-nn", "-v", "-s", "2000", "-c", "400",
                               "tcp port 8080 and (src 203.0.113.1 or src 2001:db8:b::1)")
    lib.wait_for("tcpdump", lambda: "listening" in open(capture.log_path).read())
    served.fetch(300)
    served.fetch(300, vip=lib.VIP6)
    capture.wait(timeout=20)
    text = open(capture.log_path, errors="replace").read()
    assert len(re.findall(r"\(correct\)", text)) > 100
    assert "incorrect" not in text and "bad cksum" not in text
