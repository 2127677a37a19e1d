# SPDX-License-Identifier: BSD-2-Clause
"""What the daemon finds, sets and says about the interfaces it is attached to."""
import os
import re

import pytest

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
    conditions = gateway.json("get", "backend", "web")["status"]["conditions"]
    said = next(c for c in conditions if c["type"] == "Programmed")
    assert (said["status"], said["reason"]) == ("False", "EndpointsOutOfReach")
    assert "leave by back" in said["message"] and "5 more" in said["message"]
    assert len(lib.fetch(net, lib.VIP4, 3, timeout=0.5)["errors"]) == 3
    gro(net, "sw", "gw0", "on")
    lib.wait_for("no problem", lambda: not interface(gateway, "back")["problem"], timeout=1)
    assert all(e["problem"] is None for e in gateway.endpoints().values())
    assert "EndpointsOutOfReach" not in gateway.ctl("get", "backend", "web", "-o", "json")
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


def test_in_generic_mode_packets_come_as_they_were_sent(net):
    gro_of = "generic-receive-offload"
    changed = [f"{gro_of} of front: on -> off", f"{gro_of} of back: on -> off"]
    for dev in ("front", "back"):
        gro(net, "gw", dev, "on")
    gateway = start(net, "--xdp-mode", "generic")
    assert feature(net, "front", gro_of) == feature(net, "back", gro_of) == "off"
    assert set(changed) <= set(gateway.json("status")["offloads"])
    gateway.kill()
    gateway.start()  # must not take what the first run set for the host's own
    assert set(changed) <= set(gateway.json("status")["offloads"])
    gateway.kill()
    gateway.detach()
    assert feature(net, "front", gro_of) == feature(net, "back", gro_of) == "on"
    gateway = start(net, "--xdp-mode", "native")
    assert feature(net, "front", gro_of) == "on"
    assert not set(changed) & set(gateway.json("status")["offloads"])


def build_program(net, name="other"):
    """An object file with one XDP program of this name, which passes everything."""
    source, made = os.path.join(net.dir, f"{name}.c"), os.path.join(net.dir, f"{name}.o")
    with open(source, "w", encoding="ascii") as text:
        text.write(f'__attribute__((section("xdp"), used)) int {name}(void *c) {{ return 2; }}\n'
                   'char l[] __attribute__((section("license"), used)) = "GPL";\n')
    lib.run("clang-19", "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-c", source, "-o", made)
    return made


def changes(net):
    """What a start changes on the host before or while it attaches."""
    return [net.exec("gw", "sysctl", "-n", f"net.{family}.conf.{dev}.forwarding").stdout
            for family in ("ipv4", "ipv6") for dev in ("front", "back")
            ] + [feature(net, "front"), feature(net, "back")]


def refusal(net):
    """What a daemon says that does not start, and nothing else becomes of it."""
    before = changes(net)
    gateway = lib.Gateway(net, interfaces=("back", "front"))
    done = net.exec("gw", lib.SPILLWAYD, *gateway.dirs, *gateway.args, check=False, timeout=30)
    assert done.returncode == 1, done.stderr
    assert changes(net) == before
    assert not os.path.exists(os.path.join(gateway.run_dir, "host-changes"))
    assert "xdp" not in net.exec("gw", "ip", "link", "show", "back").stdout
    return done.stderr


def follow(net, text):
    """Runs the command that a message names as the remedy."""
    command = re.search(r"`((?:ip link set|bpftool link detach) [^`]+)`", text).group(1)
    net.exec("gw", *command.split())


@pytest.mark.parametrize("option, mode", (("xdpdrv", "native"), ("xdpgeneric", "generic")))
def test_another_xdp_program_is_named_with_what_takes_it_off(net, option, mode):
    made = build_program(net)
    net.exec("gw", "ip", "link", "set", "dev", "front", option, "obj", made, "sec", "xdp")
    text = refusal(net)
    assert re.search(rf"front: another XDP program is attached \(name other, id \d+, {mode} mode\)",
                     text)
    assert f"`ip link set dev front {option} off`" in text
    assert "name other" in net.exec("gw", "ip", "link", "show", "front").stdout
    follow(net, text)
    start(net)


def test_a_program_that_a_link_holds_is_named_with_the_link(net):
    made, bpffs = build_program(net), os.path.join(net.dir, "other-bpf")
    os.mkdir(bpffs)
    lib.run("mount", "-t", "bpf", "bpf", bpffs)
    program, link = os.path.join(bpffs, "program"), os.path.join(bpffs, "link")
    lib.run("bpftool", "prog", "load", made, program)
    net.exec("gw", lib.sys.executable, os.path.join(lib.HERE, "xdplink.py"), program, "front", link)
    text = refusal(net)
    number = re.search(r"name other, id \d+, native mode, held by link (\d+)\)", text).group(1)
    assert f"`bpftool link detach id {number}`" in text
    follow(net, text)
    start(net)


def test_the_dispatcher_of_libxdp_is_known(net):
    made = build_program(net, "xdp_dispatcher")
    net.exec("gw", "ip", "link", "set", "dev", "front", "xdp", "obj", made, "sec", "xdp")
    text = refusal(net)
    assert "libxdp's dispatcher" in text and "`xdp-loader unload front --all`" in text


def refusal_beside(net, first):
    """What a daemon with other directories says while the first one's data path is in force."""
    second = lib.Gateway(net, interfaces=("front",))
    dirs = [d.replace("gw-", "gw2-") for d in second.dirs]
    done = net.exec("gw", lib.SPILLWAYD, *dirs, *second.args, check=False, timeout=30)
    assert done.returncode == 1 and first.bpffs not in done.stderr
    return done.stderr


def test_another_spillwayd_is_told_by_its_program(net):
    first = start(net, interfaces=("front",))
    first.kill()
    text = refusal_beside(net, first)
    assert "another spillwayd's program" in text and "--detach --bpffs DIR" in text
    assert "held by link" in text


def test_a_running_daemon_attaches_when_another_program_is_taken_off(net):
    net.veth("gw", "late", "client", "c1")
    net.exec("gw", "ip", "link", "set", "late", "name", "early")
    gateway = start(net, interfaces=("front", "back", "late"))
    made = build_program(net)
    net.exec("gw", "ip", "link", "set", "dev", "early", "xdpdrv", "obj", made, "sec", "xdp")
    net.exec("gw", "ip", "link", "set", "dev", "early", "name", "late")
    problem = lib.wait_for("refused", lambda: "name other" in str(
        interface(gateway, "late")["problem"]) and interface(gateway, "late")["problem"])
    assert not interface(gateway, "late")["attached"] and feature(net, "late") == "on"
    lib.time.sleep(0.5)
    assert gateway.log().count("name other") < 5
    follow(net, problem)
    lib.wait_for("attached", lambda: interface(gateway, "late")["attached"])
    assert interface(gateway, "late")["problem"] is None and feature(net, "late") == "off"


def test_generic_mode_cannot_be_overlooked(net):
    net.exec("gw", "ip", "link", "add", "br0", "type", "bridge")  # has no native mode
    net.exec("gw", "ip", "link", "set", "br0", "up")
    gateway = start(net, interfaces=("br0", "back"))
    row = interface(gateway, "br0")
    assert row["mode"] == "generic" and "no native XDP" in row["modeReason"]
    assert interface(gateway, "back")["mode"] == "native"
    assert interface(gateway, "back")["modeReason"] is None
    text = gateway.ctl("status")
    assert re.search(r"br0 +yes +GENERIC", text)
    line = next(line for line in text.splitlines() if "interface br0: GENERIC mode" in line)
    assert "slower" in line and row["modeReason"] in line
    warned = [line for line in gateway.log().splitlines() if "GENERIC" in line]
    assert len(warned) == 1 and row["modeReason"] in warned[0]
    gateway.kill()
    gateway.start()  # the pinned link stays as it is
    assert "an earlier start" in interface(gateway, "br0")["modeReason"]


def test_generic_mode_that_was_asked_for_says_so(net):
    gateway = start(net, "--xdp-mode", "generic")
    assert "--xdp-mode generic asks for it" in interface(gateway, "front")["modeReason"]
    assert gateway.ctl("status").count("GENERIC mode") == 2
