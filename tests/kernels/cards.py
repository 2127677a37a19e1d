# SPDX-License-Identifier: BSD-2-Clause
"""Inside the guest: hosts for end-to-end checks, on virtio-net cards instead of veths.

    hub 1   client ns: c0  198.51.100.2    gw ns: front  198.51.100.1    near ns: near  198.51.100.11
    hub 2   gw ns: back    203.0.113.1     p1 ns: p1     203.0.113.11    p2 ns:   p2    203.0.113.12

IPv6: 2001:db8:f:: on hub 1 and 2001:db8:b:: on hub 2, with the same last numbers. From `front` to
`back` packets are redirected; from `front` to `near` they leave by the interface they came in by.
"""
import json

import lib
import vm

PLACES = {"c0": ("client", 2), "front": ("gw", 1), "near": ("near", 11),
          "back": ("gw", 1), "p1": ("p1", 11), "p2": ("p2", 12)}
NETS = {1: ("198.51.100.", "2001:db8:f::"), 2: ("203.0.113.", "2001:db8:b::")}


def card_net():
    """The hosts of the head of this file, without processes."""
    net = lib.Net()
    for name in dict.fromkeys(ns for ns, _ in PLACES.values()):
        net.ns(name)
    there = {i["address"]: i["ifname"] for i in json.loads(lib.run("ip", "-j", "link").stdout)}
    for card, (name, number) in PLACES.items():
        lib.run("ip", "link", "set", there[vm.mac(card)], "netns", net.names[name], "name", card)
        net.exec(name, "ip", "link", "set", card, "up")
        net4, net6 = NETS[vm.CARDS[card][0]]
        net.addr(name, card, f"{net4}{number}/24", f"{net6}{number}/64")
    net.exec("client", "ip", "route", "add", "192.0.2.0/24", "via", "198.51.100.1")
    net.exec("client", "ip", "route", "add", "2001:db8::/64", "via", "2001:db8:f::1")
    return net


def vlan(net, name, card, number, *addrs):
    """A VLAN device on a card; the kernel loads 8021q for it. Returns its name."""
    device = f"{card}.{number}"
    net.exec(name, "ip", "link", "add", "link", card, "name", device, "type", "vlan", "id",
             str(number))
    net.exec(name, "ip", "link", "set", device, "up")
    net.addr(name, device, *addrs)
    return device


def xdp(net, name, card):
    """(mode, program's name) of what is attached to a card, or None."""
    link = json.loads(net.exec(name, "ip", "-j", "-d", "link", "show", card).stdout)[0]
    if "xdp" not in link:
        return None
    modes = {1: "native", 2: "generic", 3: "offloaded"}
    return modes[link["xdp"]["mode"]], link["xdp"]["prog"].get("name")
