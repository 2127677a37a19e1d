# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel counts as lost, in all namespaces of a Net: where a packet was dropped is said by
the name of its counter."""
import json
import re

# Of UDP, both families; NoPorts is a packet that came to where nobody listens.
UDP = ("InErrors", "RcvbufErrors", "SndbufErrors", "InCsumErrors", "MemErrors", "NoPorts")


def _udp(net, name):
    """Counters of a namespace's UDP."""
    text = net.exec(name, "cat", "/proc/net/snmp", "/proc/net/snmp6").stdout
    rows = [line.split() for line in text.split("\n") if line.startswith("Udp: ")]
    found = dict(zip(rows[0][1:], map(int, rows[1][1:])))
    found6 = dict(re.findall(r"^Udp6(\w+)\s+(\d+)$", text, re.M))
    for counter in UDP:
        yield f"{name} Udp{counter}", found.get(counter, 0)
        yield f"{name} Udp6{counter}", int(found6.get(counter, 0))


def _devices(net, name):
    """Drops and errors of a namespace's devices, also those that only the driver counts."""
    for link in json.loads(net.exec(name, "ip", "-s", "-s", "-j", "link").stdout):
        dev = link["ifname"]
        for way, counts in link["stats64"].items():
            for counter in ("dropped", "errors", "over_errors"):
                yield f"{name} {dev} {way}_{counter}", counts.get(counter, 0)
        if link.get("link_type") == "loopback" or dev.startswith("br"):
            continue
        text = net.exec(name, "ethtool", "-S", dev).stdout
        for counter, value in re.findall(r"(\w*(?:drops|errors)\w*): (\d+)", text):
            yield f"{name} {dev} {counter}", int(value)


def _softnet():
    """Packets that a CPU's backlog had no room for; of the whole machine."""
    with open("/proc/net/softnet_stat", encoding="ascii") as stat:
        for cpu, line in enumerate(stat):
            yield f"softnet dropped by CPU {cpu}", int(line.split()[1], 16)


def losses(net):
    """Every counter of lost packets by name."""
    counters = dict(_softnet())
    for name in net.names:
        counters.update(_udp(net, name))
        counters.update(_devices(net, name))
    return counters


def risen(before, after):
    """Those that have risen, and by how much."""
    return {name: value - before.get(name, 0) for name, value in after.items()
            if value != before.get(name, 0)}
