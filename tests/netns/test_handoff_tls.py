# SPDX-License-Identifier: BSD-2-Clause
"""Clients speak plain TCP to the VIP, the gateway speaks TLS to endpoints: what they see of it."""
import os
import stat

import pytest

import handoff
import lib
from handoff import (Authority, Seer, active, apply, backend, ca_refs, config_map, curl, gateway, ip,
                     policy, ready, resource, route, secret)
from load import Connections

P1 = lib.addr4("p1")
CIPHER = "ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.fixture
def gw(net):
    """A gateway that is not running yet."""
    it = lib.Gateway(net)
    yield it
    if it.process:
        print(it.log())


def tls_policy(name, ca, host):
    """A BackendTLSPolicy on the Backend of the same name."""
    return resource("gateway.networking.k8s.io/v1", "BackendTLSPolicy", name, {
        "targetRefs": [{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": name}],
        "validation": {"hostname": host,
                       "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": ca}]}})


# Backends by name: the server's port, spec.tls, what the server sees; or, for those that are refused, what
# the health check says
GOOD = {
    "by-config-map": (1, {**ca_refs("ca"), "sni": "web.test"}, {"sni": "web.test", "client": None}),
    "by-secret": (1, {**ca_refs("ca-secret", kind="Secret"), "sni": "web.test"}, {"sni": "web.test"}),
    "by-two": (1, {**ca_refs("other", "ca"), "sni": "web.test"}, {"version": "TLSv1.3"}),
    "without-name": (1, ca_refs("ca"), {"sni": None}),
    "automatic": (1, {**ca_refs("ca"), "autoSNIFromEndpointHostname": True}, {"sni": "web.test"}),
    "unverified": (2, {"insecureSkipVerify": True}, {"version": "TLSv1.3"}),
    "with-client": (5, {**ca_refs("ca"), "sni": "web.test", "clientCertificateRef": {
        "group": "", "kind": "Secret", "name": "client"}}, {"client": "client.test"}),
    "old": (6, {**ca_refs("ca"), "sni": "web.test"}, {"version": "TLSv1.2"}),
    "cipher": (6, {**ca_refs("ca"), "sni": "web.test", "ciphers": [CIPHER]}, {"cipher": CIPHER}),
    "alpn": (7, {**ca_refs("ca"), "sni": "web.test", "alpnProtocols": ["http/1.1"]},
             {"alpn": "http/1.1"}),
    "alpn-two": (7, {**ca_refs("ca"), "sni": "web.test", "alpnProtocols": ["h2", "http/1.1"]},
                 {"alpn": "h2"}),
    "policy-good": (1, {**ca_refs("other"), "sni": "wrong.test"}, {"sni": "web.test"}),
}
BAD = {
    "wrong-authority": (1, {**ca_refs("other"), "sni": "web.test"}, "TLS: "),
    "expired": (2, {**ca_refs("ca"), "sni": "web.test"}, "TLS: certificate has expired"),
    "wrong-name": (1, {**ca_refs("ca"), "sni": "wrong.test"}, "TLS: no certificate for wrong.test"),
    "without-client": (5, {**ca_refs("ca"), "sni": "web.test"}, ""),
    "too-old": (6, {**ca_refs("ca"), "sni": "web.test", "minVersion": "1.3"}, "TLS: "),
    "policy-bad": (1, {"insecureSkipVerify": True}, "TLS: "),
}
ALL = GOOD | BAD


def servers(net, authority):
    """A listener for each of the numbers in the tables, at 8440 + number."""
    good, ca = authority.issue("web.test"), authority.file + ".crt"
    rows = {1: {"pem": good}, 2: {"pem": authority.issue("web.test", -1)}, 5: {"pem": good, "ca": ca},
            6: {"pem": good, "most": "1.2"}, 7: {"pem": good, "alpn": ["h2", "http/1.1"]}}
    return Seer(net, "p1", [{"port": 8440 + n, **row} for n, row in rows.items()])


def resources(authority, other):
    """A listener, a route and a Backend with a path of its own to the server for each of the tables' rows."""
    made = [gateway([8000 + n for n in range(len(ALL))]), config_map("ca", authority.pem),
            config_map("other", other.pem), secret("ca-secret", ca_crt=authority.pem),
            authority.issue_secret("client", "client.test"),
            tls_policy("policy-good", "ca", "web.test"), tls_policy("policy-bad", "other", "web.test")]
    for n, (name, (server, tls, _)) in enumerate(ALL.items()):
        more = {"hostname": "web.test"} if name == "automatic" else {}
        made += [backend(name, [ip(P1, 8440 + server, **more)], tls),
                 route(name, name=name, port=8000 + n)]
    return made


def row_of(gw, name):
    """The endpoint of a Backend of one."""
    return next(e for s in gw.json("endpoints")["services"] for e in s["endpoints"]
                if e["backend"] == "default/" + name)


def test_what_is_verified_is_what_the_manifest_says(net, gw):
    authority, other = Authority(net), Authority(net, "other")
    seer = servers(net, authority)
    gw.start()
    apply(gw, *resources(authority, other))
    lib.wait_for("HAProxy", lambda: all(not row_of(gw, n).get("problem") for n in ALL))
    for n, (name, (server, _, wanted)) in enumerate(ALL.items()):
        status, text = curl(net, port=8000 + n)
        if name in GOOD:
            assert (status, text) == (0, "p1"), (name, status, text)
            seen = seer.seen(8440 + server)[-1]
            assert {**seen, **wanted} == seen, (name, seen)
        else:
            assert status in (52, 56), (name, status, text)  # ended without an answer
    # after its handshake a server of TLS 1.3 tells whom it refuses: that connection was made
    for name in set(BAD) - {"without-client"}:
        lib.wait_for(f"{name} counted", lambda n=name: row_of(gw, n)["failedConnections"] == 1)
    for name in GOOD:
        assert row_of(gw, name)["failedConnections"] == 0, name
    apply(gw, policy(healthCheck=active()))
    for name, (_, _, wanted) in BAD.items():
        lib.wait_for(f"{name} is down", lambda n=name: row_of(gw, n)["state"] == "down")
        assert wanted in row_of(gw, name)["reason"], (name, row_of(gw, name))
    for name in GOOD:
        assert row_of(gw, name)["state"] == "up", (name, row_of(gw, name))
    keys_are_safe(gw)


def keys_are_safe(gw):
    """Nobody but HAProxy's user reads what it reads, and the log has no PEM."""
    proxy = os.path.join(gw.run_dir, "proxy")
    owner = int(lib.run("id", "-u", "haproxy").stdout)
    assert stat.S_IMODE(os.stat(proxy).st_mode) == 0o700 and os.stat(proxy).st_uid == owner
    names = os.listdir(proxy)
    assert any(n.startswith("cert-") for n in names) and any(n.startswith("ca-") for n in names)
    for name in names:
        mode = os.stat(os.path.join(proxy, name))
        assert stat.S_IMODE(mode.st_mode) & 0o177 == 0, (name, oct(mode.st_mode))
    for word in ("BEGIN", "PRIVATE", "MII"):
        assert word not in gw.log()


def test_a_certificate_is_replaced_while_connections_go_on(net, gw):
    authority = Authority(net)
    seer = Seer(net, "p1", [{"port": 8443, "pem": authority.issue("web.test"),
                             "ca": authority.file + ".crt"}])
    tls = {**ca_refs("ca"), "sni": "web.test", "clientCertificateRef": {
        "group": "", "kind": "Secret", "name": "client"}}
    gw.start()
    apply(gw, gateway(), route("web"), backend("web", [ip(P1)], tls), config_map("ca", authority.pem),
          authority.issue_secret("client", "first.test"))
    ready(gw)
    held = Connections(net, 3)
    before = handoff.haproxies(net)
    apply(gw, authority.issue_secret("client", "second.test"))
    lib.wait_for("the new certificate",
                 lambda: curl(net) == (0, "p1") and seer.seen(8443)[-1]["client"] == "second.test")
    assert held.use() == ["p1"] * 3
    assert [row["client"] for row in seer.seen(8443)[:3]] == ["first.test"] * 3
    assert handoff.haproxies(net) == before  # it was told, not started anew
    other = Authority(net, "other")
    apply(gw, config_map("ca", other.pem))
    lib.wait_for("the new authority", lambda: curl(net)[0] == 52)
    assert held.use() == ["p1"] * 3


def test_a_broken_pem_is_the_trouble_of_its_endpoint_only(net, gw):
    authority = Authority(net)
    Seer(net, "p1", [{"port": 8443, "pem": authority.issue("web.test")}])
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    good, bad = {**ca_refs("ca"), "sni": "web.test"}, {**ca_refs("bad"), "sni": "web.test"}
    base = [gateway((80, 81)), config_map("ca", authority.pem), config_map("bad", broken),
            route("web"), route("broken", name="broken", port=81), backend("web", [ip(P1)], good)]
    gw.start()
    apply(gw, *base, backend("broken", [ip(P1)], bad))  # in a configuration
    names_the_trouble(net, gw)
    apply(gw, backend("broken", [ip(P1)], good))
    lib.wait_for("mended", lambda: curl(net, port=81) == (0, "p1"))
    lib.wait_for("no condition", lambda: not condition(gw, "broken"))
    apply(gw, backend("broken", [ip(P1)], bad))  # over the admin socket
    names_the_trouble(net, gw)
    for _ in range(2):  # it starts again without it, as often as need be
        handoff.kill_haproxy(net)
        lib.wait_for("HAProxy again", lambda: curl(net) == (0, "p1"), every=0.2)
        names_the_trouble(net, gw)
    assert gw.log().count("HAProxy refuses it") < 8


def condition(gw, name):
    """What stands in the way of a Backend."""
    return handoff.condition(gw, "backend", name, "Programmed")


def names_the_trouble(net, gw):
    """The Backend `broken` says what is wrong, and `web` works."""
    lib.wait_for("the problem", lambda: "HAProxy refuses it" in row_of(gw, "broken").get("problem", ""))
    assert "HAProxy refuses it" in condition(gw, "broken")
    lib.wait_for("the other one", lambda: curl(net) == (0, "p1"))
    assert curl(net, port=81)[0] != 0
    assert not row_of(gw, "web").get("problem")


def test_ipv6_clients_reach_an_ipv4_endpoint_by_tls(net, gw):
    authority = Authority(net)
    Seer(net, "p1", [{"port": 8443, "pem": authority.issue("web.test")}])
    gw.start()
    apply(gw, gateway(addresses=(lib.VIP4, lib.VIP6)), route("web"), config_map("ca", authority.pem),
          backend("web", [ip(P1)], {**ca_refs("ca"), "sni": "web.test"}))
    ready(gw)
    assert curl(net, vip=lib.VIP6) == (0, "p1")
    assert curl(net) == (0, "p1")


def test_primaries_by_xdp_fall_back_to_a_name_over_tls(net, gw):
    authority = Authority(net)
    Seer(net, "f1", [{"port": 8443, "pem": authority.issue("web.test")}])
    webs = [lib.Web(net, host).start() for host in ("p1", "p2")]
    names = handoff.Names(net, web=lib.addr4("f1"))
    gw.start("--resolv-conf", names.resolv)
    plain = [ip(lib.addr4(host), 8080) for host in ("p1", "p2")]
    apply(gw, gateway(), route("web", "far"), backend("web", plain), config_map("ca", authority.pem),
          backend("far", [handoff.fqdn("web.test", 8443)], ca_refs("ca"), fallback=True),
          policy(healthCheck=active()))
    ready(gw)
    for address in gw.endpoints():
        gw.wait_state(address, "up")
    assert set(lib.fetch(net, lib.VIP4, 200)["answers"]) == {"p1", "p2"}
    for web in webs:
        web.kill()
    for host in ("p1", "p2"):
        gw.wait_state(lib.endpoint(host), "down")
    result = lib.fetch(net, lib.VIP4, 100)
    assert result["errors"] == [] and result["answers"] == {"f1": 100}
    held = Connections(net, 5)
    for web in webs:
        web.start()
    for host in ("p1", "p2"):
        gw.wait_state(lib.endpoint(host), "up")
    assert held.use() == ["f1"] * 5
    result = lib.fetch(net, lib.VIP4, 200)
    assert result["errors"] == [] and set(result["answers"]) == {"p1", "p2"}
