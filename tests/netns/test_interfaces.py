# SPDX-License-Identifier: BSD-2-Clause
"""What the daemon finds, sets and says about the interfaces it is attached to."""
import lib

OFFLOAD = "rx-vlan-offload"


def start(net, *args, **kw):
    """A gateway on the net, running, without manifests."""
    return lib.Gateway(net, args=args, **kw).start()


def interface(gateway, name):
    """Row of an interface in the status."""
    return next(i for i in gateway.json("status")["interfaces"] if i["name"] == name)


def feature(net, dev, name=OFFLOAD):
    """Value of an ethtool feature in the gateway's namespace: "on", "off", "off [fixed]"."""
    for line in net.exec("gw", "ethtool", "-k", dev).stdout.splitlines():
        if line.strip().startswith(name + ":"):
            return line.split(": ")[1].strip()
    raise lib.Failed(f"{dev} has no feature {name}")


def test_vlan_tags_stay_in_frames_while_attached(net):
    net.exec("gw", "ethtool", "-K", "back", "rxvlan", "off")
    gateway = start(net)
    assert feature(net, "front") == feature(net, "back") == "off"
    assert gateway.json("status")["offloads"] == ["rx-vlan-offload of front: on -> off"]
    assert "Offloads:  rx-vlan-offload of front: on -> off" in gateway.ctl("status")
    gateway.kill()
    gateway.start()  # must not take what the first run set for the host's own
    assert gateway.json("status")["offloads"] == ["rx-vlan-offload of front: on -> off"]
    gateway.kill()
    gateway.detach()
    assert (feature(net, "front"), feature(net, "back")) == ("on", "off")


def test_an_interface_that_is_taken_out_has_its_vlan_offload_back(net):
    gateway = start(net)
    net.exec("gw", "ip", "link", "set", "dev", "front", "down")
    net.exec("gw", "ip", "link", "set", "dev", "front", "name", "other")
    lib.wait_for("taken out", lambda: not interface(gateway, "front")["attached"])
    assert feature(net, "other") == "on"
    assert gateway.json("status")["offloads"] == ["rx-vlan-offload of back: on -> off"]
    net.exec("gw", "ip", "link", "set", "dev", "other", "name", "front")
    lib.wait_for("attached", lambda: interface(gateway, "front")["attached"])
    assert feature(net, "front") == "off"
    gateway.kill()
    gateway.args[1] = "back"
    gateway.start()  # front is not named any more
    assert (feature(net, "front"), feature(net, "back")) == ("on", "off")
    gateway.kill()
    gateway.detach()
    assert (feature(net, "front"), feature(net, "back")) == ("on", "on")


def test_a_vlan_offload_that_others_switched_on_again_is_left_so(net):
    gateway = start(net)
    net.exec("gw", "ethtool", "-K", "front", "rxvlan", "on")
    gateway.kill()
    gateway.detach()
    assert feature(net, "front") == "on"


def test_an_interface_without_vlan_offload_is_left_as_it_is(net):
    net.exec("gw", "ip", "tuntap", "add", "tap0", "mode", "tap")
    net.exec("gw", "ip", "link", "set", "tap0", "up")
    assert feature(net, "tap0") == "off [fixed]"
    gateway = start(net, interfaces=("front", "tap0"))
    assert gateway.json("status")["offloads"] == ["rx-vlan-offload of front: on -> off"]
    assert OFFLOAD not in "".join(line for line in gateway.log().splitlines() if "tap0" in line)


def gro(net, host, dev, value):
    """Switches GRO of a veth's end: without it nothing can be redirected to that end."""
    net.exec(host, "ethtool", "-K", dev, "gro", value)


def test_a_way_out_that_cannot_transmit_what_is_redirected_is_told_until_it_can(net):
    for host in ("p1", "p2", "p3"):
        lib.Web(net, host).start()
    gro(net, "sw", "gw0", "off")
    gateway = start(net)
    gateway.apply(lib.manifest(fallbacks=(), check=False))
    problem = interface(gateway, "back")["problem"]
    assert "(veth)" in problem and "`ethtool -K PEER gro on`" in problem
    assert f"interface back: {problem}" in gateway.ctl("status")
    assert f"interface: back: {problem}" in gateway.log()
    assert interface(gateway, "front")["problem"] is None
    for family in (4, 6):
        told = gateway.endpoints()[lib.endpoint("p1", family)]["problem"]
        assert "leave by back" in told and "gro on" in told
    assert len(lib.fetch(net, lib.VIP4, 3, timeout=0.5)["errors"]) == 3
    gro(net, "sw", "gw0", "on")
    lib.wait_for("no problem", lambda: not interface(gateway, "back")["problem"], timeout=1)
    assert all(e["problem"] is None for e in gateway.endpoints().values())
    assert lib.fetch(net, lib.VIP4, 50)["errors"] == []
    gro(net, "client", "c0", "off")  # the clients' side: replies are lost
    lib.wait_for("a problem", lambda: interface(gateway, "front")["problem"], timeout=1)
    assert all(e["problem"] is None for e in gateway.endpoints().values())


def test_in_generic_mode_any_driver_transmits(net):
    lib.Web(net, "p1").start()
    for host, dev in (("sw", "gw0"), ("client", "c0")):
        gro(net, host, dev, "off")
    gateway = start(net, "--xdp-mode", "generic")
    gateway.apply(lib.manifest(primaries=("p1",), fallbacks=(), check=False, families=(4,)))
    assert all(i["problem"] is None for i in gateway.json("status")["interfaces"])
    assert {i["driver"] for i in gateway.json("status")["interfaces"]} == {"veth"}
    assert lib.fetch(net, lib.VIP4, 20)["errors"] == []
