# SPDX-License-Identifier: BSD-2-Clause
"""Floods of forged SYNs and datagrams come in beside a thousand connections that move data all the
time. None of those breaks; what they move a second before, during and after is printed.

The flood comes by an interface of its own, from behind a bridge, and from as many sources as there are
packets. Its SYNs are answered by real servers, at first out of their queue and then by SYN cookies;
its datagrams by an echo server, as far as that keeps up. Nobody takes the answers. One CPU is the
flood's, with all that the gateway and the servers' kernels do for it; the connections and their
servers share the other one. FLOOD_PACKETS says how many packets each flood has.
"""
import json
import os
import subprocess
import sys
import time

import pytest

import kernel
import lib
from blocks import BLOCKS, BROKEN, Talk
from test_crossing import cpus
from test_traffic import UDP_ROUTE, UDP_SERVER

FLOOD = os.path.join(lib.BUILD, "tests", "netns", "flood")
PACKETS = int(os.environ.get("FLOOD_PACKETS", "800000"))
CONNECTIONS, EVERY_MS = 1000, 200
HOSTS = ("p1", "p2", "p3")
SOURCES = [f"203.0.113.{n}" for n in (1, 2, 3)]  # more ports than the table has room for flows
QUIET_S = 2  # before, between and after the floods
SHOWN = ("flow_created", "flow_replaced", "flow_expired", "flow_raced", "reset_sent",
         "port_reused_early", "drop_")


def rogue(net):
    """The flood's way in: a host behind a bridge, on a second interface towards clients."""
    for name in ("rogue", "isp"):
        net.ns(name)
    net.veth("rogue", "r0", "isp", "host")
    net.veth("isp", "uplink", "gw", "front2")
    net.exec("isp", "ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    net.exec("isp", "ip", "link", "set", "br0", "up")
    for dev in ("host", "uplink"):
        net.exec("isp", "ip", "link", "set", dev, "master", "br0")
    net.addr("rogue", "r0", "198.51.101.2/24")
    net.addr("gw", "front2", "198.51.101.1/24")


@pytest.fixture
def flooded(net):
    """Gateway, servers of both services, and the way of the flood."""
    rogue(net)
    quiet_cpu, _ = cpus()
    net.addr("gw", "back", *(f"{a}/24" for a in SOURCES[1:]))
    gw = lib.Gateway(net, interfaces=("front", "back", "front2"),
                     args=[f"--source-address={a}" for a in SOURCES]).start()
    for host in HOSTS:
        net.popen(host, BLOCKS, "echo", "8080", str(quiet_cpu))
        net.popen(host, sys.executable, "-c", UDP_SERVER)
    rows = "".join(f"  - ip: {{address: {lib.addr4(h)}, port: 7007}}\n" for h in HOSTS[1:])
    gw.apply(lib.manifest(primaries=HOSTS, fallbacks=(), check=False, families=(4,)) + "---"
             + UDP_ROUTE.replace("  endpoints:\n", "  endpoints:\n" + rows))
    for host in HOSTS:
        lib.wait_for("echo server", lambda h=host: ":7007" in net.exec(h, "ss", "-Hlun").stdout)
        lib.wait_for("blocks echo", lambda h=host: ":8080" in net.exec(h, "ss", "-Hltn").stdout)
    yield net, gw
    print(gw.log())


def show(name, reports, extra=""):
    """A line of what a second of the connections is like; returns blocks a second."""
    rate = sum(r["blocks"] for r in reports) / max(len(reports), 1)
    print(f"{name:22} {rate:7.0f} blocks/s, quietest for {max(r['quiet_ms'] for r in reports)} ms, "
          f"{min(r['live'] for r in reports)} alive{extra}")
    return rate


def quiet(talk, name):
    """Some seconds without a flood."""
    began = time.monotonic()
    time.sleep(QUIET_S + 1)
    return show(name, talk.between(began, time.monotonic()))


def flood(net, gw, talk, proto, port):
    """One flood, whole: what it did to the connections and to the counters."""
    _, cpu = cpus()
    mac = json.loads(net.exec("gw", "ip", "-j", "link", "show", "front2").stdout)[0]["address"]
    before, losses, began = gw.counters(), kernel.losses(net), time.monotonic()
    process = net.popen("rogue", FLOOD, "r0", mac, lib.VIP4, str(port), proto, str(PACKETS),
                        str(cpu), stdout=subprocess.PIPE)
    fullest = 0
    while process.poll() is None:
        fullest = max(fullest, gw.json("status")["flows"]["count"])
        time.sleep(0.5)
    sent = json.loads(process.communicate()[0])
    rate = show(f"{proto} flood", talk.between(began, time.monotonic()),
                f"; {sent['sent'] / sent['seconds'] / 1000:.0f} k packets/s")
    risen = {n: v - before[n] for n, v in gw.counters().items()
             if v > before[n] and n.startswith(SHOWN)}
    print(f"{'':22} fullest {fullest} of {gw.json('status')['flows']['max']} flows; {risen}")
    lost = kernel.risen(losses, kernel.losses(net))
    print(f"{'':22} lost in the kernel's queues: {lost or 'nothing'}")
    return rate, risen


def test_floods_of_forged_packets_break_no_connection(flooded):
    net, gw = flooded
    talk = Talk(net, cpus()[0], CONNECTIONS, EVERY_MS)
    print()
    rates = [quiet(talk, "before")]
    syn_rate, syn = flood(net, gw, talk, "syn", 80)
    rates.append(quiet(talk, "after the SYNs"))
    udp_rate, udp = flood(net, gw, talk, "udp", 7)
    rates.append(quiet(talk, "after the datagrams"))
    end = talk.stop()
    assert end["live"] == CONNECTIONS
    assert not any(end[why] for why in BROKEN)
    assert min(syn_rate, udp_rate, *rates) > 0
    # The floods came so far, and filled the table: who came later took an earlier one's place.
    assert syn["flow_created"] > PACKETS / 2 and udp["flow_created"] > PACKETS / 10
    assert syn["flow_replaced"] > 0 and udp["flow_replaced"] > 0
