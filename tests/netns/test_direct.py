# SPDX-License-Identifier: BSD-2-Clause
"""
Direct return: the gateway hands packets on, real servers with spillway-decap answer clients by a way of
their own.
"""
import hashlib
import json
import os
import signal

import pytest

import direct
import lib

MODES = ("l2", "ipip", "gue")
FAMILIES = (4, 6)
HOSTS = ("p1", "p2", "p3")
PATTERN = bytes(range(256))


def bypass(net):
    """A way from the servers to the client that does not lead through the gateway."""
    net.veth("sw", "cl0", "client", "c1")
    net.exec("sw", "ip", "link", "set", "cl0", "master", "br0")
    net.addr("client", "c1", "203.0.113.250/24", "2001:db8:b::250/64")
    for name in ("all", "c0", "c1"):
        net.exec("client", "sysctl", "-qw", f"net.ipv4.conf.{name}.rp_filter=0")
    for host in HOSTS:
        net.exec(host, "ip", "route", "add", "198.51.100.0/24", "via", "203.0.113.250")
        net.exec(host, "ip", "route", "add", "2001:db8:f::/64", "via", "2001:db8:b::250")


def backend(name, port, hosts, mode, families=FAMILIES):
    """A Backend of these servers."""
    rows = "\n".join(f"  - ip: {{address: '{(lib.addr4 if f == 4 else lib.addr6)(h)}', port: {port}}}"
                     for f in families for h in hosts)
    return f"""
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata:
  name: {name}
  annotations: {{spillway.dev/forwarding: {mode}}}
spec:
  endpoints:
{rows}
"""


def route(kind, name, to=None):
    """A route from the listener of its name to a Backend."""
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: edge, sectionName: {name}}}]
  rules:
  - backendRefs:
    - {{group: gateway.envoyproxy.io, kind: Backend, name: {to or name}}}
"""


def manifest(mode, hosts=HOSTS):
    """HTTP on 8080 over TCP, the echo on 5353 over UDP."""
    return "---".join((f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: spillway
  addresses:
  - value: {lib.VIP4}
  - value: {lib.VIP6}
  listeners:
  - {{name: web, port: 8080, protocol: TCP}}
  - {{name: echo, port: 5353, protocol: UDP}}
""", backend("web", 8080, hosts, mode), backend("echo", 5353, ("p1",), mode),
                       route("TCPRoute", "web"), route("UDPRoute", "echo")))


def with_perf(text, mode):
    """The manifest, and iperf3's port over TCP and UDP."""
    last = "  - {name: echo, port: 5353, protocol: UDP}\n"
    more = "".join(f"  - {{name: perf-{p.lower()}, port: 5201, protocol: {p}}}\n"
                   for p in ("TCP", "UDP"))
    return "---".join((text.replace(last, last + more), backend("perf", 5201, ("p1",), mode),
                       route("TCPRoute", "perf-tcp", "perf"), route("UDPRoute", "perf-udp", "perf")))


class Direct:
    """Servers with spillway-decap and a gateway."""

    def __init__(self, net):
        self.net = net
        bypass(net)
        self.web = {host: lib.Web(net, host).start() for host in HOSTS}
        self.servers = {}
        self.gw = lib.Gateway(net).start()

    def start(self, mode, hosts=HOSTS):
        """Real servers of that mode, and the manifest."""
        args = ("--add-vip", "--mss", "off") if mode == "l2" else ("--add-vip",)
        for host in HOSTS:
            self.servers[host] = direct.RealServer(self.net, host, args=args).start()
        direct.udp_echo(self.net)
        self.gw.apply(manifest(mode, hosts))
        return self

    def curl(self, family, path="/", *args, **kw):
        """Standard output of curl."""
        return self.net.exec("client", "curl", "-sS", "--max-time", "60", *args,
                             direct.url(family, path), **kw).stdout

    def download(self, family, size, rate):
        """A download that lasts, and the file it goes to."""
        path = os.path.join(self.net.dir, f"got-{next(self.net.links)}")
        return self.net.popen("client", "curl", "-sS", "--max-time", "120", "--limit-rate", rate,
                              "-o", path, direct.url(family, f"/bytes/{size}")), path


@pytest.fixture(name="rig")
def direct_rig(net):
    """The topology with everything but the manifest."""
    it = Direct(net)
    yield it
    print(it.gw.log())


@pytest.mark.parametrize("mode", MODES)
def test_servers_see_clients_and_answers_bypass_the_gateway(rig, mode):
    rig.start(mode)
    for family in FAMILIES:
        assert rig.curl(family, "/peer") == direct.CLIENTS[family]
        result = lib.fetch(rig.net, direct.VIPS[family], 300, parallel=16, port=8080)
        assert result["errors"] == [] and set(result["answers"]) == set(HOSTS)
        assert direct.ask_udp(rig.net, family) == direct.CLIENTS[family]
        assert direct.ask_udp(rig.net, family, 1200) == direct.CLIENTS[family]
    rows = rig.gw.endpoints()
    assert all(row["packetsOut"] is None and row["activeFlows"] is None for row in rows.values())
    assert sum(row["packetsIn"] for row in rows.values()) > 3000
    counters = rig.gw.counters()
    assert counters["flow_created"] == 0  # no slot is in motion: nothing is remembered
    assert not any(v for n, v in counters.items() if n.startswith("drop_") and
                   n != "drop_no_neighbour"), counters


@pytest.mark.parametrize("mode", ("ipip", "gue"))
def test_uploads_that_fill_the_way_come_unharmed(rig, mode):
    rig.start(mode)
    noise = hashlib.shake_128(b"n").digest(8 << 20)
    path = os.path.join(rig.net.dir, "noise")
    with open(path, "wb") as out:
        out.write(noise)
    for family in FAMILIES:
        got = rig.curl(family, "/sum", "-H", "Expect:", "--data-binary", f"@{path}")
        assert got == hashlib.sha256(noise).hexdigest()


@pytest.mark.parametrize("mode", MODES)
def test_iperf3_runs_up_and_down_over_tcp_and_udp(rig, mode):
    def sums(family, *args):
        done = rig.net.exec("client", "iperf3", "--json", "--connect-timeout", "5000", "--client",
                            direct.VIPS[family], *args)
        return json.loads(done.stdout)["end"]

    def overflows(way):
        done = rig.net.exec("client" if way else "p1", "nstat", "-aszj", "*RcvbufErrors")
        return sum(json.loads(done.stdout)["kernel"].values())

    rig.start(mode)
    rig.gw.apply(with_perf(manifest(mode), mode))
    for vip in direct.VIPS.values():  # else its UDP answers have the server's own address
        rig.net.popen("p1", "iperf3", "--server", "--bind", vip)
    lib.wait_for("iperf3", lambda: rig.net.exec(
        "p1", "ss", "-Hltn", "sport = :5201").stdout.count("\n") == len(direct.VIPS))
    size = 32 << 20
    for family in FAMILIES:
        address = lib.endpoint("p1", family, 5201)
        for way in ((), ("--reverse",)):
            before = rig.gw.endpoints()[address]["bytesIn"]
            end = sums(family, "--bytes", str(size), *way)
            got = end["sum_received"]["bytes"]
            assert got >= size / 2, end  # iperf3 does not wait for what is under way at its end
            passed = rig.gw.endpoints()[address]["bytesIn"] - before
            assert passed < got / 4 if way else passed >= got, (got, passed)
            before = overflows(way)
            end = sums(family, "--udp", "--bitrate", "30M", "--length", "1200", "--bytes", "2M", *way)
            assert end["sum"]["packets"] >= (2 << 20) // 1200
            # what is lost was too much for a receiver that waited for a processor
            assert end["sum"]["lost_packets"] <= overflows(way) - before, end["sum"]
    counters = rig.gw.counters()
    assert not any(v for n, v in counters.items() if n.startswith("drop_") and
                   n != "drop_no_neighbour"), counters


@pytest.mark.parametrize("mode", MODES)
def test_connections_stay_when_endpoints_come_and_go(rig, mode):
    rig.start(mode, hosts=("p1", "p2"))
    size = 24 << 20
    loads = [rig.download(family, size, "3M") for family in FAMILIES for _ in range(6)]
    lib.time.sleep(1)
    rig.gw.apply(manifest(mode))  # p3 comes
    lib.time.sleep(0.7)
    for family in FAMILIES:
        rig.gw.ctl("set", "endpoint", lib.endpoint("p1", family), "--state", "drain")
    lib.time.sleep(0.7)
    rig.gw.kill()
    lib.time.sleep(0.5)
    rig.gw.start()
    rig.gw.apply(manifest(mode, hosts=("p2", "p3")))  # p1 goes
    lib.time.sleep(0.7)
    rig.gw.kill(signal.SIGTERM)
    rig.gw.start()
    rig.gw.apply(manifest(mode, hosts=("p3",)))
    for process, path in loads:
        assert process.wait(120) == 0
        with open(path, "rb") as got:
            assert got.read() == PATTERN * (size // 256)
    lib.wait_for("new connections at p3", lambda: set(
        lib.fetch(rig.net, lib.VIP4, 50, parallel=8, port=8080)["answers"]) == {"p3"}, 10, 0.5)


def test_a_short_outage_ends_no_connection(rig):
    rig.start("ipip")
    size = 12 << 20
    loads = [rig.download(family, size, "2M") for family in FAMILIES for _ in range(8)]
    lib.time.sleep(1)
    for state, seconds in (("down", 1.5), ("auto", 1)):
        for family in FAMILIES:
            rig.gw.ctl("set", "endpoint", lib.endpoint("p1", family), "--state", state)
        lib.time.sleep(seconds)
    for process, path in loads:
        assert process.wait(120) == 0
        with open(path, "rb") as got:
            assert got.read() == PATTERN * (size // 256)
    assert rig.gw.counters()["pass_no_flow"] == 0


def test_words_taken_back_without_a_daemon_end_no_connection(rig):
    def say(state):
        for family in FAMILIES:
            rig.gw.ctl("set", "endpoint", lib.endpoint("p1", family), "--state", state,
                       "--bpffs", rig.gw.bpffs)

    rig.start("ipip")
    rig.gw.kill()
    say("down")
    assert "p1" not in lib.fetch(rig.net, lib.VIP4, 50, parallel=8, port=8080)["answers"]
    size = 16 << 20
    loads = [rig.download(family, size, "3M") for family in FAMILIES for _ in range(8)]
    lib.time.sleep(1)
    say("auto")
    assert "p1" in lib.fetch(rig.net, lib.VIP4, 50, parallel=8, port=8080)["answers"]
    lib.time.sleep(1)
    rig.gw.start()
    for process, path in loads:
        assert process.wait(120) == 0
        with open(path, "rb") as got:
            assert got.read() == PATTERN * (size // 256)


def test_endpoints_of_another_port_are_left_out_and_the_backend_says_why(rig):
    rig.gw.apply(manifest("ipip").replace("port: 8080}", "port: 8081}", 1))
    rows = rig.gw.json("get", "backend", "web")["status"]["conditions"]
    texts = {row["type"]: row["message"] for row in rows}
    assert "keep the port of the listener" in texts["Programmed"]
    assert "mode ipip: endpoints answer clients themselves" in texts["DirectReturn"]
    odd = [e for e in rig.gw.endpoints().values() if not e["carried"]]
    assert [e["address"] for e in odd] == [lib.endpoint("p1", 4, 8081)]
    assert odd[0]["sharePercent"] in (None, 0)


def test_outer_headers_come_from_a_prefix_and_go_to_a_port_of_ones_own(rig):
    rig.gw.kill(signal.SIGTERM)
    rig.gw.start("--tunnel-source", "172.16.0.0/16,fd00:6::/112", "--gue-port", "5555")
    for host in HOSTS:
        rig.servers[host] = direct.RealServer(rig.net, host, args=(
            "--add-vip", "--gateway=172.16.0.0/16", "--gateway=fd00:6::/112",
            "--port=5555")).start()
    rig.gw.apply(manifest("gue"))
    texts = {row["type"]: row["message"]
             for row in rig.gw.json("get", "backend", "web")["status"]["conditions"]}
    assert "UDP port 5555" in texts["DirectReturn"]
    for family in FAMILIES:
        assert rig.curl(family, "/peer") == direct.CLIENTS[family]
        result = lib.fetch(rig.net, direct.VIPS[family], 100, parallel=8, port=8080)
        assert result["errors"] == [] and set(result["answers"]) == set(HOSTS)
    stats = [server.stats() for server in rig.servers.values()]
    assert all(s["decapsulated_gue"] > 0 and s["pass_not_gateway"] == 0 for s in stats), stats


def test_a_drain_lasts_until_its_deadline_and_says_so(rig):
    rig.start("ipip")
    address = lib.endpoint("p1")
    assert rig.gw.endpoints()[address]["activeFlows"] is None
    assert "mode ipip" in rig.gw.ctl("describe", "backend", "web")
    done = lib.run(lib.SPILLWAY, "--socket", rig.gw.socket, "drain", "endpoint", address)
    assert done.stdout == f"endpoint {address} draining (was auto), flows are not counted\n"
    assert f"the flows of {address} are not counted" in done.stderr
    lib.time.sleep(1.5)
    row = rig.gw.json("drain")["drains"][0]
    assert row["state"] == "draining" and row["activeFlows"] is None
    said = rig.gw.ctl("drain", "endpoint", address, "--deadline", "2s", "--wait").splitlines()
    assert said[-1] == (f"endpoint {address} deadline: flows are not counted, "
                        "those left are left to end")
    rig.gw.wait_event(kind="drain", to="deadline")
    assert rig.gw.wait_event(kind="drain", to="started")["reason"].startswith("flows are not counted")
    assert "p1" not in lib.fetch(rig.net, lib.VIP4, 50, parallel=8, port=8080)["answers"]
