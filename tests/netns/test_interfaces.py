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
