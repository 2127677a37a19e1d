# SPDX-License-Identifier: BSD-2-Clause
"""spillway-decap on a real server: clients' packets come by tunnels, answers leave directly."""
import hashlib
import json
import re

import pytest

import capture
import direct
import lib

KINDS = ("ipip", "gue1", "gue0:3")
FAMILIES = (4, 6)
PATTERN = bytes(range(256))


@pytest.fixture(name="server")
def real_server(net):
    """p1 with spillway-decap, the VIPs and a web server."""
    direct.route_answers(net, "p1")
    web = lib.Web(net, "p1").start()
    it = direct.RealServer(net).start()
    it.web = web
    yield it
    print(it.log())


def curl(net, url, *args, client="client"):
    """Standard output of curl."""
    return net.exec(client, "curl", "-sS", "--max-time", "30", *args, url).stdout


@pytest.mark.parametrize("outer", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_servers_see_clients_and_answer_them_directly(net, server, kind, outer):
    tunnel = direct.Encapsulator(net, kind, outer)
    direct.udp_echo(net)
    for family in FAMILIES:
        assert curl(net, direct.url(family, "/peer")) == direct.CLIENTS[family]
        assert direct.ask_udp(net, family) == direct.CLIENTS[family]
        assert direct.ask_udp(net, family, 1200) == direct.CLIENTS[family]
        result = lib.fetch(net, direct.VIPS[family], 300, parallel=16, port=8080)
        assert result["errors"] == [] and result["answers"] == {"p1": 300}
    name = "decapsulated_ipip" if kind == "ipip" else "decapsulated_gue"
    lib.wait_for("all that was sent", lambda: server.stats()[name] == tunnel.count("sent"))
    stats = server.stats()
    assert stats[name] > 2000 and tunnel.count("too_big") == 0
    others = {n: v for n, v in stats.items() if n.startswith(("drop", "pass")) and v}
    assert set(others) == {"pass_no_tunnel"}, others


@pytest.mark.parametrize("family", FAMILIES)
def test_no_segment_is_too_large_for_the_tunnel(net, server, family):
    tunnel = direct.Encapsulator(net, "gue1", 6)
    sent = 3 << 20
    assert curl(net, direct.url(family), "-H", "Expect:", "--data-binary", f"@{noise(net, sent)}"
                ) == str(sent)
    assert tunnel.count("too_big") == 0
    assert server.stats()["mss_lowered"] == 1
    server.kill()
    server.start("--mss", "off")  # the counter-proof
    net.exec("client", "curl", "-sS", "--max-time", "2", "-H", "Expect:", "--data-binary",
             f"@{noise(net, sent)}", direct.url(family), check=False)
    assert tunnel.count("too_big") > 0
    assert server.stats()["mss_lowered"] == 1


def text_of(process):
    """What a process of ours has written."""
    with open(process.log_path, encoding="utf8") as text:
        return text.read()


@pytest.mark.parametrize("kind", KINDS)
def test_uploads_come_unharmed_in_generic_mode(net, kind):
    direct.route_answers(net, "p1")
    lib.Web(net, "p1").start()
    direct.RealServer(net, args=("--add-vip", "--xdp-mode", "generic")).start()
    tunnel = direct.Encapsulator(net, kind)
    for family in FAMILIES:
        got = curl(net, direct.url(family, "/sum"), "-H", "Expect:", "--data-binary",
                   f"@{noise(net, 4 << 20)}")
        assert got == hashlib.sha256(hashlib.shake_128(b"n").digest(4 << 20)).hexdigest()
    assert tunnel.count("sent") > 5000


def noise(net, length):
    """A file of that length."""
    path = f"{net.dir}/noise"
    with open(path, "wb") as out:
        out.write(hashlib.shake_128(b"n").digest(length))
    return path


def test_the_mss_follows_the_flag_and_the_mtu(net, server):
    direct.Encapsulator(net)

    def offered():
        sniff = net.popen("client", "tcpdump", "-i", "c0", "-n", "-c", "1", "ip and tcp[13] = 18")
        lib.wait_for("tcpdump", lambda: "listening on" in text_of(sniff))
        curl(net, direct.url(4))
        sniff.wait(10)
        return int(re.search(r"mss (\d+)", text_of(sniff)).group(1))

    assert offered() == 1500 - 48 - 40
    net.exec("p1", "ip", "link", "set", "eth0", "mtu", "1400")
    lib.wait_for("the MTU", lambda: offered() == 1400 - 48 - 40)
    server.kill()
    server.start("--mss", "1000")
    assert offered() == 1000


def test_traffic_goes_on_while_the_program_is_restarted(net, server):
    direct.Encapsulator(net, "gue1")
    size, sent = 60 << 20, 16 << 20
    load = net.popen("client", "curl", "-sS", "--max-time", "100", "--limit-rate", "6M",
                     "-o", f"{net.dir}/got", direct.url(4, f"/bytes/{size}"))
    up = net.popen("client", "curl", "-sS", "--max-time", "100", "--limit-rate", "2M", "-H",
                   "Expect:", "--data-binary", f"@{noise(net, sent)}", direct.url(6, "/sum"))
    before = server.stats()["decapsulated_gue"]
    for sig in (lib.signal.SIGKILL, lib.signal.SIGTERM, lib.signal.SIGKILL):
        lib.time.sleep(0.6)
        server.kill(sig)
        lib.time.sleep(0.6)
        assert load.poll() is None and up.poll() is None
        server.start()
    assert load.wait(60) == 0 and up.wait(60) == 0
    with open(f"{net.dir}/got", "rb") as got:
        assert got.read() == PATTERN * (size // 256)
    with open(up.log_path, encoding="ascii") as text:
        assert text.read() == hashlib.sha256(
            hashlib.shake_128(b"n").digest(sent)).hexdigest()
    stats = server.stats()
    assert stats["decapsulated_gue"] > before + 1000  # counters go on, too
    assert not any(v for n, v in stats.items() if n.startswith("pass_") and n != "pass_no_tunnel")


def state_of(net, host):
    """What spillway-decap changes on a host."""
    sysctls = net.exec(host, "sh", "-c", "sysctl -a 2>/dev/null | grep -E 'arp_|rp_filter'").stdout
    link = json.loads(net.exec(host, "ip", "-d", "-j", "link", "show", "eth0").stdout)[0]
    return {
        "sysctls": sysctls,
        "lo": net.exec(host, "ip", "-o", "addr", "show", "lo").stdout,
        "local": net.exec(host, "ip", "route", "show", "table", "local").stdout,
        "local6": net.exec(host, "ip", "-6", "route", "show", "table", "local").stdout,
        "qdisc": net.exec(host, "tc", "qdisc", "show", "dev", "eth0").stdout,
        "filter": net.exec(host, "tc", "filter", "show", "dev", "eth0", "egress",
                           check=False).stdout,
        "xdp": link.get("xdp"),
        "pins": sorted(n for n in lib.os.listdir(net.dir) if "decap" in n),
    }


@pytest.mark.parametrize("mode", ("native", "generic"))
def test_detach_restores_everything(net, mode):
    direct.route_answers(net, "p1")
    lib.Web(net, "p1").start()
    direct.Encapsulator(net)
    before = state_of(net, "p1")
    server = direct.RealServer(net, args=("--add-vip", "--vip-prefix", "198.18.0.0/24",
                                          "--vip-prefix", "2001:db8:18::/64", "--xdp-mode", mode))
    server.start()
    assert curl(net, direct.url(4, "/peer")) == direct.CLIENTS[4]
    assert curl(net, direct.url(6, "/peer")) == direct.CLIENTS[6]
    during = state_of(net, "p1")
    assert all(during[name] != before[name] for name in before), during
    refused = server.detach(check=False)
    assert refused.returncode == 1 and "stop it first" in refused.stderr
    server.kill()
    server.detach()
    after = state_of(net, "p1")
    after["pins"] = [n for n in after["pins"] if lib.os.listdir(f"{net.dir}/{n}")]
    assert after == before
    server.detach()  # again: nothing to do
    assert net.exec("client", "curl", "-sS", "--max-time", "1", direct.url(4), check=False
                    ).returncode


def test_a_filter_of_others_survives(net, server):
    net.exec("p1", "tc", "filter", "add", "dev", "eth0", "egress", "prio", "7", "bpf",
             "bytecode", "1,6 0 0 0")
    server.kill()
    server.detach()
    assert "pref 7 bpf" in net.exec("p1", "tc", "filter", "show", "dev", "eth0", "egress").stdout
    assert "clsact" in net.exec("p1", "tc", "qdisc", "show", "dev", "eth0").stdout


def test_only_named_gateways_are_heard(net, server):
    direct.Encapsulator(net)
    server.kill()
    server.start("--gateway", "203.0.113.0/28")
    assert curl(net, direct.url(4, "/peer")) == direct.CLIENTS[4]
    server.kill()
    server.start("--gateway", "203.0.113.128/25")
    net.exec("client", "curl", "-sS", "--max-time", "1", direct.url(4), check=False)
    assert server.stats()["pass_not_gateway"] > 0


def test_addresses_that_come_and_go_are_followed(net, server):
    lib.wait_for("the address", lambda: "203.0.113.11: tunnels end here" in server.log())
    direct.Encapsulator(net)
    assert curl(net, direct.url(4, "/peer")) == direct.CLIENTS[4]
    net.addr("p1", "eth0", "203.0.113.99/24")
    lib.wait_for("the new address", lambda: "203.0.113.99: tunnels end here" in server.log())
    net.exec("p1", "ip", "addr", "del", "203.0.113.99/24", "dev", "eth0")
    lib.wait_for("the address to go", lambda: "203.0.113.99: gone" in server.log())


def test_an_interface_that_comes_later_is_attached(net):
    direct.route_answers(net, "p1")
    net.exec("p1", "ip", "link", "set", "eth0", "down")
    net.exec("p1", "ip", "link", "set", "eth0", "name", "later")
    lib.Web(net, "p1").start()
    server = direct.RealServer(net).start()
    assert "eth0: is not there" in server.log()
    net.exec("p1", "ip", "link", "set", "later", "name", "eth0")
    net.exec("p1", "ip", "link", "set", "eth0", "up")
    lib.wait_for("attached", lambda: "attach: eth0: native" in server.log())
    net.exec("p1", "ip", "route", "replace", "default", "via", "203.0.113.1")
    direct.Encapsulator(net)
    assert curl(net, direct.url(4, "/peer")) == direct.CLIENTS[4]


def test_neighbours_are_not_told_of_vips(net):
    vips = ("203.0.113.50", "2001:db8:b::50")
    server = direct.RealServer(net, vips=vips).start()

    def asked(family):
        net.exec("p2", "ip", "neigh", "flush", "dev", "eth0")
        return net.exec("p2", "ping", f"-{family}", "-c", "1", "-W", "1", vips[family == 6],
                        check=False).returncode == 0

    assert not asked(4) and not asked(6)
    net.exec("p2", "ip", "neigh", "add", vips[0], "lladdr", mac(net, "p1"), "dev", "eth0")
    net.exec("p2", "ping", "-c", "1", "-W", "1", vips[0])  # who knows the way is answered
    server.kill()
    server.detach()
    net.exec("p1", "ip", "addr", "add", vips[0] + "/32", "dev", "lo")
    assert asked(4)  # without the settings Linux answers


def mac(net, host):
    """Of a host's eth0."""
    return json.loads(net.exec(host, "ip", "-j", "link", "show", "eth0").stdout)[0]["address"]


def test_marks_of_congestion_reach_the_server(net, server):
    direct.Encapsulator(net, "ipip", 4, tos=3)
    net.exec("client", "sysctl", "-qw", "net.ipv4.tcp_ecn=1")
    net.exec("p1", "sysctl", "-qw", "net.ipv4.tcp_ecn=1")
    # SYNs know no marks: with a mark of the way they are dropped (RFC 6040)
    net.exec("client", "curl", "-sS", "--max-time", "1", direct.url(4), check=False)
    assert server.stats()["drop_ecn"] > 0


def test_checksums_are_right_also_where_marks_were_merged(net, server):
    direct.Encapsulator(net, "ipip", 4, tos=1)
    for host, dev in (("p1", "eth0"), ("client", "c0")):
        net.exec(host, "ethtool", "-K", dev, "gro", "off")
        net.exec(host, "sysctl", "-qw", "net.ipv4.tcp_ecn=1")
    with capture.watched(net, [("client", "c0"), ("p1", "eth0")]) as seen:
        for family in FAMILIES:
            assert curl(net, direct.url(family), "-H", "Expect:", "--data-binary",
                        f"@{noise(net, 300000)}") == "300000"
    assert seen["tcp good"] > 400
    marks = json.loads(net.exec("p1", "nstat", "-aszj").stdout)["kernel"]
    assert marks["IpExtInECT1Pkts"] > 200 and marks["Ip6InECT1Pkts"] > 200


def test_a_second_program_is_refused_and_vips_without_an_address_are_told_of(net, server):
    for dirs in server.dirs, direct.RealServer(net, "p2").dirs:
        second = net.exec("p1", direct.DECAP, *dirs, *server.args, check=False)
        assert second.returncode == 1
        assert f"another spillway-decap, pid {server.process.pid}, has this" in second.stderr
    elsewhere = net.exec("p2", direct.DECAP, *server.dirs, *server.args, check=False)
    assert elsewhere.returncode == 1 and "has its pins here" in elsewhere.stderr
    server.kill()
    server.args.remove("--add-vip")
    server.start()
    assert f"{lib.VIP4}: is no address of this host" in server.log()


@pytest.mark.parametrize("args, says", (
    ((), "--interface: missing"),
    (("--interface", "eth0"), "--vip: missing"),
    (("--vip", "192.0.2.300"), "--vip: 192.0.2.300: not an IPv4 or IPv6 address"),
    (("--vip", "127.0.0.1"), "no address that clients could send to"),
    (("--vip-prefix", "192.0.2.1/24"), "bits behind the prefix length"),
    (("--vip-prefix", "192.0.2.0/33"), "the prefix length is no number that fits"),
    (("--gateway", "::/0"), "holds IPv4-mapped addresses"),
    (("--port", "0"), "must be a number from 1 to 65535"),
    (("--mss", "20"), "must be a number from 88"),
    (("--bpffs", "here"), "give an absolute path"),
    (("--nonsense",), "unknown flag"),
    (("stat",), "stat: not a flag"),
))
def test_mistakes_on_the_command_line_are_named(args, says):
    done = lib.run(direct.DECAP, *args, check=False)
    assert done.returncode == 1
    assert says in done.stderr
