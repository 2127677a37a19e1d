# SPDX-License-Identifier: BSD-2-Clause
"""What the daemon changes on its host, and that the host's own things are left alone."""
import json
import os
import signal

import pytest

import lib
from load import Connections, Load

OURS = "155"  # protocol number of our routes, addresses and neighbours


def start(net, *args, **kw):
    """A gateway on the net, running, without manifests."""
    return lib.Gateway(net, args=args, **kw).start()


def serve(net, *hosts):
    """Web servers on the hosts."""
    for host in hosts:
        lib.Web(net, host).start()


def plain(vip=lib.VIP4, port=80, hosts=("p1", "p2", "p3")):
    """IPv4 only, no fallback, no checks."""
    text = lib.manifest(primaries=hosts, fallbacks=(), check=False, families=(4,))
    text = text.replace(f"  - value: {lib.VIP6}\n", "").replace(lib.VIP4, vip)
    return text.replace("port: 80,", f"port: {port},")


def ip(net, *args):
    """Output of ip in the gateway's namespace."""
    return net.exec("gw", "ip", *args).stdout


def local_routes(net):
    """Our AnyIP routes, both families."""
    return (ip(net, "route", "show", "table", "local", "proto", OURS)
            + ip(net, "-6", "route", "show", "table", "local", "proto", OURS))


def vip_problem(gateway, vip=lib.VIP4):
    """Problem of a VIP, None when it is well or not known yet."""
    return next((v["problem"] for v in gateway.json("status")["vips"] if v["address"] == vip), None)


def host_state(net):
    """All that a start may change and a detach must set back."""
    names = ("forwarding", "accept_ra")
    values = [net.exec("gw", "sysctl", "-n", f"net.{family}.conf.{dev}.{name}", check=False).stdout
              for family in ("ipv4", "ipv6") for dev in ("front", "back") for name in names]
    mounts = [m for m in open("/proc/self/mounts", encoding="utf8") if net.dir in m]
    values += [line for dev in ("front", "back") for line in net.exec(
        "gw", "ethtool", "-k", dev).stdout.splitlines() if "vlan" in line]
    return values, mounts, local_routes(net), "xdp" in ip(net, "link"), ip(net, "addr")


def test_next_hops_are_kept_resolved_while_endpoints_need_them(net):
    gateway = start(net)
    gateway.apply(plain())

    def ours():
        lines = ip(net, "neigh", "show", "dev", "back").splitlines()
        return {line.split()[0] for line in lines if f"proto {OURS}" in line and "managed" in line}

    want = {lib.addr4(h) for h in ("p1", "p2", "p3")}
    lib.wait_for("managed neighbours", lambda: ours() == want)
    net.exec("gw", "ip", "neigh", "flush", "dev", "back")
    lib.wait_for("managed neighbours after a flush", lambda: ours() == want)
    gateway.apply(plain(hosts=("p1",)))
    lib.wait_for("one managed neighbour", lambda: ours() == {lib.addr4("p1")})
    gateway.kill()
    gateway.detach()
    assert ours() == set()


def test_a_vip_is_no_source_address_after_a_restart_either(net):
    net.exec("gw", "ip", "addr", "add", "203.0.113.5/24", "dev", "back")
    gateway = start(net)
    gateway.apply(plain(vip="203.0.113.1", port=8000))  # the address that routes prefer
    assert gateway.json("status")["sources"] == ["203.0.113.5"]
    gateway.kill()
    gateway.start()
    lib.time.sleep(0.3)
    assert gateway.json("status")["sources"] == ["203.0.113.5"]


def active(gateway):
    """Active flows of all endpoints together."""
    return sum(e["activeFlows"] for e in gateway.endpoints().values())


def test_active_flows_are_counted_exactly_while_endpoints_come_and_go(net):
    serve(net, "p1", "p2", "p3")
    gateway = start(net)
    gateway.apply(plain())
    conns = Connections(net, 30)
    load = Load(net)
    for hosts in (("p1",), ("p1", "p2"), ("p2", "p3"), ("p1", "p2", "p3")):
        gateway.apply(plain(hosts=hosts))
        lib.time.sleep(0.3)
    assert load.stop()["errors"] == []
    assert conns.use() == conns.where
    lib.wait_for("the count of those held", lambda: active(gateway) == 30)
    gateway.kill()
    gateway.start()
    assert active(gateway) == 30
    conns.close_all()
    lib.wait_for("none", lambda: active(gateway) == 0)


def test_a_map_that_an_older_version_lacked_is_added_when_its_pins_are_taken_over(net):
    serve(net, "p1")
    gateway = start(net)
    gateway.apply(plain(hosts=("p1",)))
    conns = Connections(net, 10)
    gateway.kill()
    added = os.path.join(gateway.bpffs, "maps", "endpoint_signals")
    os.unlink(added)
    gateway.start()
    assert os.path.exists(added)
    assert conns.use() == ["p1"] * 10
    assert lib.fetch(net, lib.VIP4, 20)["errors"] == []


def test_interfaces_that_swapped_names_are_attached_at_the_next_start(net):
    serve(net, "p1")
    gateway = start(net)
    gateway.apply(plain(hosts=("p1",)))
    gateway.kill()
    for old, new in (("front", "swap0"), ("back", "front"), ("swap0", "back")):
        ip(net, "link", "set", "dev", old, "down")
        ip(net, "link", "set", "dev", old, "name", new)
        ip(net, "link", "set", "dev", new, "up")
    gateway.start()
    assert [i["attached"] for i in gateway.json("status")["interfaces"]] == [True, True]
    assert lib.fetch(net, lib.VIP4, 20)["errors"] == []


def test_flows_of_a_removed_endpoint_keep_their_next_hop(net):
    serve(net, "p1", "p2")
    gateway = start(net)
    gateway.apply(plain(hosts=("p1",)))
    conns = Connections(net, 10)
    for hosts in (("p2",), ("p1",), ("p2",)):
        gateway.apply(plain(hosts=hosts))
        assert conns.use() == ["p1"] * 10
    assert gateway.counters()["drop_no_neighbour"] == 0


def test_a_next_hop_asked_for_in_vain_stays_managed(net):
    gateway = start(net)
    gateway.apply(plain().replace(lib.addr4("p1"), "203.0.113.99"))
    lib.wait_for("a packet to it", lambda: lib.fetch(net, lib.VIP4, 9, timeout=0.3)["errors"]
                 and gateway.counters()["drop_no_neighbour"])
    lib.time.sleep(0.3)
    entry = ip(net, "neigh", "show", "203.0.113.99")
    assert "managed" in entry and f"proto {OURS}" in entry


def test_a_neighbour_that_the_operator_made_permanent_is_left_alone(net):
    mac = "02:00:00:00:00:77"
    net.exec("gw", "ip", "neigh", "add", lib.addr4("p1"), "lladdr", mac, "dev", "back", "nud",
             "permanent")
    gateway = start(net)
    gateway.apply(plain())
    gateway.kill()
    gateway.detach()
    assert f"{lib.addr4('p1')} lladdr {mac} PERMANENT" in ip(net, "neigh", "show", "dev", "back")


def test_an_address_in_use_is_not_claimed_and_its_owner_is_named(net):
    vips = ("198.51.100.10", "2001:db8:f::10")  # in the subnet of front
    mac = json.loads(net.exec("client", "ip", "-j", "link", "show", "c0").stdout)[0]["address"]
    net.exec("client", "ip", "addr", "add", f"{vips[0]}/24", "dev", "c0")
    net.exec("client", "ip", "addr", "add", f"{vips[1]}/64", "dev", "c0", "nodad")
    gateway = start(net)
    gateway.apply(lib.manifest(check=False).replace(lib.VIP4, vips[0]).replace(lib.VIP6, vips[1]))
    for vip in vips:
        problem = lib.wait_for("a problem", lambda vip=vip: vip_problem(gateway, vip))
        assert mac in problem and "front" in problem
    assert local_routes(net) == ""
    net.exec("client", "ip", "addr", "del", f"{vips[0]}/24", "dev", "c0")
    net.exec("client", "ip", "addr", "del", f"{vips[1]}/64", "dev", "c0")
    lib.wait_for("claimed when it is free", lambda: all(v in local_routes(net) for v in vips),
                 timeout=40)
    assert vip_problem(gateway, vips[0]) is None


def test_an_address_that_routes_lead_to_may_be_on_several_gateways(net):
    net.exec("client", "ip", "addr", "add", f"{lib.VIP4}/32", "dev", "c0")  # answers ARP for it
    gateway = start(net)
    gateway.apply(lib.manifest(check=False))
    lib.wait_for("claims", lambda: lib.VIP4 in local_routes(net) and lib.VIP6 in local_routes(net))
    lib.time.sleep(0.5)
    assert vip_problem(gateway) is None


def test_a_claim_is_announced_and_given_up_with_its_gateway(net):
    sniffer = net.popen("client", "tcpdump", "-lni", "c0", "-c", "1", "arp", "and", "arp[14:4]",
                        "=", "0xc000020a")
    lib.wait_for("tcpdump", lambda: b"listening" in open(sniffer.log_path, "rb").read())
    gateway = start(net)
    gateway.apply(lib.manifest(check=False))
    lib.wait_for("claims", lambda: lib.VIP4 in local_routes(net) and lib.VIP6 in local_routes(net))
    assert sniffer.wait(timeout=5) == 0  # a gratuitous ARP with the VIP as sender
    assert f"{lib.VIP6}/128" in ip(net, "addr", "show", "dev", "back")
    gateway.ctl("delete", "gateway", "edge")
    lib.wait_for("given up", lambda: local_routes(net) == "")
    assert lib.VIP6 not in ip(net, "addr")


def test_a_daemon_that_ends_right_after_an_apply_has_claimed_the_vips(net):
    gateway = start(net)
    gateway.apply(lib.manifest(check=False))
    gateway.kill(signal.SIGTERM)
    assert lib.VIP4 in local_routes(net) and lib.VIP6 in local_routes(net)


def test_a_claim_that_somebody_removed_is_made_again(net):
    gateway = start(net)
    gateway.apply(lib.manifest(check=False))
    lib.wait_for("claims", lambda: lib.VIP4 in local_routes(net) and lib.VIP6 in local_routes(net))
    for vip in (lib.VIP4, lib.VIP6):
        net.exec("gw", "ip", "route", "del", "local", vip, "dev", "lo", "table", "local")
    lib.wait_for("claims", lambda: lib.VIP4 in local_routes(net) and lib.VIP6 in local_routes(net))


def test_an_ipv6_vip_comes_back_with_its_interface(net):
    gateway = start(net)
    gateway.apply(lib.manifest(check=False))

    def has_vip():
        return f"{lib.VIP6}/128" in ip(net, "addr", "show", "dev", "front")

    lib.wait_for("claim", has_vip)
    net.exec("gw", "ip", "link", "set", "front", "down")
    lib.wait_for("the kernel takes it off", lambda: not has_vip())
    net.exec("gw", "ip", "link", "set", "front", "up")
    lib.wait_for("claimed again", has_vip)


def test_the_hosts_own_address_serves_as_vip_and_stays(net):
    serve(net, "p1", "p2")
    before = ip(net, "addr", "show", "dev", "front")
    gateway = start(net)
    gateway.apply(plain(vip="198.51.100.1", hosts=("p1", "p2")))
    assert lib.fetch(net, "198.51.100.1", 200)["errors"] == []
    assert local_routes(net) == "" and vip_problem(gateway, "198.51.100.1") is None
    gateway.kill()
    gateway.detach()
    assert ip(net, "addr", "show", "dev", "front") == before


def test_a_vip_is_a_source_only_where_there_is_no_other_and_its_ports_are_skipped(net):
    serve(net, "p1")
    net.exec("client", "ip", "route", "add", "203.0.113.1/32", "via", "198.51.100.1")
    gateway = start(net)
    gateway.apply(plain(vip="203.0.113.1", port=1030, hosts=("p1",)))
    result = lib.fetch(net, "203.0.113.1", 300, port=1030)
    assert result["errors"] == []
    sources = {f["source"] for f in gateway.json("flows")["flows"]}
    assert sources and all(s.startswith("203.0.113.1:") for s in sources)
    assert "203.0.113.1:1030" not in sources
    net.addr("gw", "back", "203.0.113.9/24")
    lib.wait_for("another source", lambda: "203.0.113.9" in gateway.json("status")["sources"])
    lib.fetch(net, "203.0.113.1", 100, port=1030)
    assert any(f["source"].startswith("203.0.113.9:") for f in gateway.json("flows")["flows"])


def test_source_ports_keep_off_the_hosts_own_ranges(net):
    serve(net, "p1")
    net.exec("gw", "sysctl", "-w", "net.ipv4.ip_local_port_range=2000 65535",
             "net.ipv4.ip_local_reserved_ports=1024-1999")
    net.exec("gw", "sysctl", "-w", "net.ipv4.ip_local_reserved_ports=1024-1100,1103-1999")
    gateway = start(net)
    gateway.apply(plain(hosts=("p1",)))
    lib.fetch(net, lib.VIP4, 2, parallel=1)
    ports = {f["source"].split(":")[1] for f in gateway.json("flows")["flows"]}
    assert ports == {"1101", "1102"}


def test_named_source_addresses_are_all_used(net):
    serve(net, "p1", "p2", "p3")
    net.addr("gw", "back", "203.0.113.101/24", "203.0.113.102/24")
    gateway = start(net, "--source-address", "203.0.113.101", "--source-address", "203.0.113.102")
    gateway.apply(plain())
    assert lib.fetch(net, lib.VIP4, 400)["errors"] == []
    used = {f["source"].split(":")[0] for f in gateway.json("flows")["flows"]}
    assert used == {"203.0.113.101", "203.0.113.102"}


def test_a_changed_route_changes_source_and_next_hop(net):
    serve(net, "p1")
    gateway = start(net)
    gateway.apply(plain(hosts=("p1",)))
    assert lib.fetch(net, lib.VIP4, 100)["errors"] == []
    net.addr("gw", "back", "203.0.113.77/24")
    net.exec("gw", "ip", "route", "add", f"{lib.addr4('p1')}/32", "dev", "back", "src",
             "203.0.113.77")
    lib.wait_for("the new source", lambda: "203.0.113.77" in gateway.json("status")["sources"])
    assert lib.fetch(net, lib.VIP4, 100)["errors"] == []
    used = {f["source"].split(":")[0] for f in gateway.json("flows")["flows"]}
    assert used == {"203.0.113.1", "203.0.113.77"}


def test_an_endpoint_out_of_reach_says_why(net):
    gateway = start(net, interfaces=("front",))
    gateway.apply(plain(hosts=("p1",)))
    problem = gateway.endpoints()[lib.endpoint("p1")]["problem"]
    assert "--interface back" in problem
    net.exec("gw", "ip", "route", "add", "unreachable", lib.addr4("p1"))
    lib.wait_for("no route", lambda: "no route" in str(
        gateway.endpoints()[lib.endpoint("p1")]["problem"]))


def test_an_interface_may_come_later(net):
    gateway = start(net, interfaces=("front", "back", "late"))
    late = next(i for i in gateway.json("status")["interfaces"] if i["name"] == "late")
    assert not late["attached"] and "appears" in late["problem"]
    net.veth("gw", "late", "client", "c1")
    lib.wait_for("attached", lambda: next(
        i for i in gateway.json("status")["interfaces"] if i["name"] == "late")["attached"])
    assert "net.ipv4.conf.late.forwarding: 0 -> 1" in gateway.json("status")["sysctls"]


def test_a_start_that_fails_leaves_the_host_as_it_was(net):
    before = host_state(net)
    gateway = lib.Gateway(net, interfaces=("front", "lo"))  # the second cannot be attached
    with pytest.raises(lib.Failed):
        gateway.start()
    assert host_state(net) == before


def test_detach_sets_back_what_was_changed_but_not_what_others_changed_since(net):
    before = host_state(net)
    gateway = start(net)
    gateway.apply(lib.manifest(check=False))
    gateway.kill()
    gateway.start()  # the second run must not take the first one's changes for the host's
    gateway.kill()
    assert host_state(net) != before
    gateway.detach()
    assert host_state(net) == before
    gateway.start()
    gateway.kill()
    net.exec("gw", "sysctl", "-w", "net.ipv6.conf.back.accept_ra=0")
    gateway.detach()
    assert net.exec("gw", "sysctl", "-n", "net.ipv6.conf.back.accept_ra").stdout.strip() == "0"


def test_routes_of_router_advertisements_survive_the_start(net):
    net.exec("gw", "sysctl", "-w", "net.ipv6.conf.front.accept_ra=1")
    net.exec("client", lib.sys.executable, "-c",
             "from scapy.all import *;"
             "sendp(Ether(dst='33:33:00:00:00:01')/IPv6(src='fe80::77', dst='ff02::1', hlim=255)"
             "/ICMPv6ND_RA(routerlifetime=1800), iface='c0', verbose=0)")

    def learnt():
        return "dev front" in ip(net, "-6", "route", "show", "default", "proto", "ra")

    def accept_ra(dev):
        return net.exec("gw", "sysctl", "-n", f"net.ipv6.conf.{dev}.accept_ra").stdout.strip()

    lib.wait_for("a route by advertisement", learnt)
    gateway = start(net, interfaces=("back",))  # front is another's
    assert learnt() and accept_ra("front") == "1" and accept_ra("back") == "2"
    gateway.kill()
    gateway.detach()
    assert learnt() and accept_ra("back") == "1"
    gateway = start(net)
    assert learnt() and accept_ra("front") == "2"


def test_garbage_in_the_pinned_maps_is_left_out_and_mended(net):
    serve(net, "p1", "p2", "p3")
    gateway = start(net)
    gateway.apply(plain())
    assert lib.fetch(net, lib.VIP4, 100)["errors"] == []
    gateway.kill()

    def write(name, key, value):
        lib.run("bpftool", "map", "update", "pinned", os.path.join(gateway.bpffs, "maps", name),
                "key", "hex", *key.hex(" ").split(), "value", "hex", *value.hex(" ").split())

    def u32(*values):
        return b"".join(v.to_bytes(4, "little") for v in values)

    for row in range(4):  # a table that starts in a line's middle, one behind the map's end
        write("service_rows", u32(row), u32(1, 0, 7, 251, 0xffffffe0, 65537) + bytes(40))
    write("services", b"\x20" * 24, u32(999999))
    write("endpoints", u32(9), b"\x0a" * 18 + b"\x4d" + b"\x0a" * 13)
    gateway.start()
    assert gateway.log().count("left out") >= 3
    assert lib.fetch(net, lib.VIP4, 200)["errors"] == []
    assert lib.run("bpftool", "map", "dump", "pinned", os.path.join(
        gateway.bpffs, "maps", "services")).stdout.count('"key"') == 1
    gateway.kill()
    gateway.start()
    assert "left out" not in gateway.log()
