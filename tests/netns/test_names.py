# SPDX-License-Identifier: BSD-2-Clause
"""Endpoints that are names: what becomes of connections while the answers of a name server change."""
import sys
import time

import pytest

import handoff
import lib
from handoff import Names, apply, backend, curl, fqdn, gateway, policy, ready, route
from load import Connections, Load

HOSTS = {host: lib.addr4(host) for host in lib.SERVERS}


@pytest.fixture
def named(net):
    """Servers, a name server and a gateway that asks it."""
    for host in lib.SERVERS:
        lib.Web(net, host).start()
    it = Names(net, web=HOSTS["p1"])
    it.net, it.gw = net, lib.Gateway(net)
    it.gw.start("--resolv-conf", it.resolv)
    yield it
    print(it.gw.log())


def serve(named, *more, spec=None, **annotations):
    """One Backend of one name."""
    apply(named.gw, gateway((80, 81, 82)), route("web"),
          backend("web", [fqdn("web.test")], **annotations),
          *([policy(**spec)] if spec else []), *more)
    lib.wait_for("served", lambda: curl(named.net)[0] == 0)


def told(named, reason, subject="web.test"):
    """Waits for an event of a name whose reason has these words; returns it."""
    return lib.wait_for(f"event: {reason}", lambda: [
        e for e in named.gw.events(kind="name", subject=subject) if reason in e["reason"]])[0]


def addresses(named):
    """The endpoints there are."""
    return {a.rsplit(":", 1)[0] for a in named.gw.endpoints()}


def test_a_new_address_is_followed_and_old_connections_live_on(named):
    serve(named)
    assert named.gw.endpoints()[lib.endpoint("p1")]["path"] == "userspace"
    held, load = Connections(named.net, 3), Load(named.net, rate=40)
    named.say(web=HOSTS["p2"])
    began = time.monotonic()
    lib.wait_for("the new address", lambda: curl(named.net) == (0, "p2"))
    assert time.monotonic() - began < 2.0  # TTL + 1 s
    event = told(named, "changed")
    assert (event["from"], event["to"]) == (HOSTS["p1"], HOSTS["p2"])
    time.sleep(0.3)
    assert set(lib.fetch(named.net, lib.VIP4, 50)["answers"]) == {"p2"}
    assert held.use() == ["p1"] * 3
    time.sleep(6)  # the old one is gone from the tables and from HAProxy's map
    assert held.use() == ["p1"] * 3
    assert load.stop()["errors"] == []


def test_trouble_with_a_name_takes_nothing_away(named):
    serve(named, spec={"dns": {"dnsRefreshRate": "1s"}})
    for trouble, reason in (("SERVFAIL", "no name server could tell: the last good answer stays"),
                            ("", "1 of 1 addresses are kept though the answer has none")):
        named.say(web=trouble)
        told(named, reason)
        time.sleep(1)
        assert curl(named.net) == (0, "p1")
    named.say(web=HOSTS["p3"])
    lib.wait_for("followed again", lambda: curl(named.net) == (0, "p3"))


def test_an_answer_with_few_addresses_takes_half_at_most(named):
    ten = [f"203.0.113.{n}" for n in range(101, 110)] + [HOSTS["p1"]]
    for n, address in enumerate(ten[:-1]):
        named.net.addr("p2" if n % 2 else "p1", "eth0", address + "/24")
    named.say(web=",".join(ten))
    serve(named)
    assert addresses(named) == set(ten)
    named.say(web=HOSTS["p1"])
    event = told(named, "5 of 10 addresses are kept though the answer has 1")
    lib.wait_for("half", lambda: len(addresses(named)) == 5)
    assert HOSTS["p1"] in addresses(named)
    assert event["subject"] == "web.test"
    result = lib.fetch(named.net, lib.VIP4, 100)
    assert result["errors"] == []
    named.say(web=",".join(ten))
    lib.wait_for("healed", lambda: addresses(named) == set(ten))


def test_an_answer_is_good_for_its_time(named):
    named.say(long=HOSTS["p1"] + "/3600", alias="@web.test")
    serve(named, route("long", name="long", port=81),
          backend("long", [fqdn("long.test")]), route("alias", name="alias", port=82),
          backend("alias", [fqdn("alias.test")]))
    for port in (81, 82):
        lib.wait_for("served", lambda p=port: curl(named.net, port=p) == (0, "p1"))
    named.say(web=HOSTS["p2"], long=HOSTS["p2"] + "/3600")
    for port in (80, 82):
        lib.wait_for("followed", lambda p=port: curl(named.net, port=p) == (0, "p2"), timeout=3)
    time.sleep(1)
    assert curl(named.net, port=81) == (0, "p1")


def test_names_may_be_carried_by_xdp(named):
    serve(named, fqdn_path="xdp")
    before = named.gw.counters()
    assert named.gw.endpoints()[lib.endpoint("p1")]["path"] == "xdp"
    assert lib.fetch(named.net, lib.VIP4, 20)["answers"] == {"p1": 20}
    after = named.gw.counters()
    assert after["forward_redirect"] - before["forward_redirect"] > 60
    assert after["pass_handoff"] == before["pass_handoff"]
    assert handoff.haproxies(named.net) == []  # nobody needs one
    held = Connections(named.net, 2)
    named.say(web=HOSTS["p2"])
    lib.wait_for("followed", lambda: curl(named.net) == (0, "p2"), timeout=3)
    assert held.use() == ["p1"] * 2


ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 8080))
while True:
    data, peer = s.recvfrom(2000)
    s.sendto(sys.argv[1].encode(), peer)
"""
ASK = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.connect(("192.0.2.10", 80))
s.send(b"x")
print(s.recv(10).decode())
"""


def test_datagrams_reach_a_name(named):
    for host in ("p1", "p2"):
        named.net.popen(host, sys.executable, "-c", ECHO, host)
        lib.wait_for("echo", lambda h=host: ":8080" in named.net.exec(h, "ss", "-Hlun").stdout)
    apply(named.gw, gateway(protocol="UDP"), route("web", kind="UDPRoute"),
          backend("web", [fqdn("web.test")]))

    def ask():
        return named.net.exec("client", sys.executable, "-c", ASK, check=False).stdout.strip()
    lib.wait_for("an answer", lambda: ask() == "p1", every=0.2)
    named.say(web=HOSTS["p2"])
    lib.wait_for("the new one", lambda: ask() == "p2", timeout=4, every=0.2)


def test_the_family_that_is_asked_for_is_used(named):
    named.say(web=f"{HOSTS['p1']},{lib.addr6('p2')}")
    serve(named, spec={"dns": {"lookupFamily": "IPv6"}})
    assert set(named.gw.endpoints()) == {lib.endpoint("p2", 6)}
    assert lib.fetch(named.net, lib.VIP4, 20)["answers"] == {"p2": 20}
    load = Load(named.net, rate=40)
    apply(named.gw, policy(dns={"lookupFamily": "IPv4AndIPv6"}))
    lib.wait_for("both", lambda: set(named.gw.endpoints()) == {lib.endpoint("p1"),
                                                               lib.endpoint("p2", 6)})
    ready(named.gw)
    assert load.stop()["errors"] == []  # the new question takes nothing away
    result = lib.fetch(named.net, lib.VIP4, 400)
    assert result["errors"] == [] and abs(result["answers"]["p1"] - 200) < 60


def test_loopback_is_no_answer(named):
    lib.Web(named.net, "gw").start()
    serve(named)
    named.say(web="127.0.0.1,169.254.1.1,::1," + HOSTS["p2"])
    told(named, "127.0.0.1 (loopback) and 1 more that may not be used are left out")
    lib.wait_for("the rest", lambda: curl(named.net) == (0, "p2"))
    assert addresses(named) == {HOSTS["p2"]}


def test_a_name_of_the_vip_itself_leads_to_no_loop(named):
    lib.Web(named.net, "p1", 80).start()
    serve(named)
    apply(named.gw, backend("web", [fqdn("web.test", 80)]))
    lib.wait_for("served", lambda: curl(named.net) == (0, "p1"))
    named.say(web=lib.VIP4)
    told(named, "changed")
    lib.wait_for("refused", lambda: curl(named.net)[0] == 7)
    assert not named.gw.endpoints()[f"{lib.VIP4}:80"]["carried"]
    named.say(web=f"{lib.VIP4},{HOSTS['p1']}")
    lib.wait_for("served again", lambda: curl(named.net) == (0, "p1"))


def test_a_name_without_an_address_is_told_of_and_served_once_it_has_one(named):
    named.say(web="NXDOMAIN")
    apply(named.gw, gateway(), route("web"), backend("web", [fqdn("web.test")]),
          policy(dns={"dnsRefreshRate": "1s"}))
    told(named, "NXDOMAIN")
    assert curl(named.net)[0] == 7
    row = named.gw.endpoints()["web.test:8080"]
    assert not row["carried"], row
    named.say(web=HOSTS["p1"])
    lib.wait_for("served", lambda: curl(named.net) == (0, "p1"), timeout=5)


def test_addresses_of_names_outlive_a_restart(named):
    serve(named)
    named.gw.kill()
    assert curl(named.net) == (0, "p1")
    named.say(web="SERVFAIL")
    load = Load(named.net, rate=40)
    named.gw.start("--resolv-conf", named.resolv)
    told(named, "no name server could tell: the last good answer stays")
    time.sleep(3)  # its own HAProxy has taken over
    assert load.stop()["errors"] == []
    assert curl(named.net) == (0, "p1")
