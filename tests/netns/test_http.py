# SPDX-License-Identifier: BSD-2-Clause
"""Layer 7: requests and connections go by host, path, header and SNI to the Backends of their rules."""
import collections
import json
import os
import subprocess

import pytest

import lib
from handoff import (Authority, Names, active, apply, backend, ca_refs, condition, config_map, fqdn,
                     haproxies, ip, policy, secret, unix)
from l7 import Echo, ask, edge, http_route, listener, proxied, rule

P1, P2, P3, F1 = (lib.addr4(h) for h in ("p1", "p2", "p3", "f1"))


@pytest.fixture
def gw(net):
    """A running gateway with an echo server on three hosts."""
    for host in ("p1", "p2", "f1"):
        Echo(net, host)
    it = lib.Gateway(net).start()
    yield it
    print(it.log())


BACKENDS = [backend("one", [ip(P1, 8080)]), backend("two", [ip(P2, 8080)])]


def test_requests_go_by_host_and_path(net, gw):
    """The most specific host, then the longest path; whole parts of it; 404 for what nobody wants."""
    apply(gw, edge(listener()), *BACKENDS,
          http_route("a", rule("one", path="/"), rule("two", path="/foo"), rule("two", exact="/e"),
                     rule("two", regex="/r[0-9]+"), hosts=["a.test"]),
          http_route("wild", rule("two"), hosts=["*.test"]),
          http_route("deep", rule("one", path="/only"), hosts=["x.b.test"]))
    proxied(gw)
    wanted = {("a.test", "/"): "p1", ("a.test", "/foo"): "p2", ("a.test", "/foo/x"): "p2",
              ("a.test", "/foobar"): "p1", ("a.test", "/e"): "p2", ("a.test", "/e/"): "p1",
              ("a.test", "/r12"): "p2", ("a.test", "/r12x"): "p1", ("A.TEST", "/foo?q=1"): "p2",
              ("b.test", "/"): "p2", ("c.b.test", "/x"): "p2", ("x.b.test", "/only"): "p1",
              ("x.b.test", "/else"): 404, ("other.example", "/"): 404,
              ("a.test", "/x/../foo"): "p2", ("a.test", "//foo"): "p2"}
    assert {key: ask(net, key[1], key[0]).server for key in wanted} == wanted
    got = ask(net, "/", "a.test")
    assert got.header("x-forwarded-for") == ["198.51.100.2"]
    assert got.header("x-forwarded-proto") == ["http"]
    assert got.header("host") == ["a.test:80"] or got.header("host") == ["a.test"]


def spread(net, count, path="/", host="a.test"):
    """Who answered how many of so many requests, over one connection each."""
    done = net.exec("client", "curl", "-sS", "--parallel", "--parallel-max", "8", "--max-time", "60",
                    "-H", f"Host: {host}", "-w", "%{http_code}\n", "-o", "/dev/null", "-D", "-",
                    f"http://{lib.VIP4}{path}?[1-{count}]", timeout=100)
    return collections.Counter(line.split()[-1] for line in done.stdout.lower().splitlines()
                               if line.startswith("x-server"))


def test_weights_are_shares_of_requests_and_what_cannot_be_used_is_answered_500(net, gw):
    """Two Backends 70 to 30, within 2 %; a missing one has a quarter; one with none left all."""
    apply(gw, edge(listener()), *BACKENDS,
          http_route("a", rule(("one", 70), ("two", 30)), hosts=["a.test"]),
          http_route("b", rule(("one", 3), ("gone", 1)), hosts=["b.test"]),
          http_route("c", rule("gone"), hosts=["c.test"]),
          http_route("d", {"backendRefs": []}, hosts=["d.test"]))
    proxied(gw)
    got = spread(net, 1000)
    assert got["p1"] + got["p2"] == 1000 and abs(got["p1"] - 700) <= 20, got
    assert 650 <= spread(net, 1000, host="b.test")["p1"] <= 850
    assert ask(net, "/", "c.test").status == 500
    assert ask(net, "/", "d.test").status == 500


def test_what_is_down_gets_nothing_and_the_fallback_takes_over(net, gw):
    """By the same arithmetic as in the packet path; 503 when nobody is left."""
    apply(gw, edge(listener()), backend("one", [ip(P1, 8080), ip(P2, 8080)]),
          backend("spare", [ip(F1, 8080)], fallback=True), http_route("a", rule("one", "spare")),
          policy(healthCheck=active(type="HTTP", http={"path": "/"})))
    proxied(gw)
    gw.wait_state(lib.endpoint("p1"), "up")
    gw.wait_state(lib.endpoint("p2"), "up")
    assert set(spread(net, 40)) == {"p1", "p2"}
    drop = ["nft", "add table inet t; add chain inet t c { type filter hook prerouting priority 0; }"
            "; add rule inet t c tcp dport 8080 counter reject with tcp reset"]
    net.exec("p1", *drop)
    gw.wait_state(lib.endpoint("p1"), "down")
    got = spread(net, 200)  # 1 of 2 up: 70 %
    assert abs(got["p2"] - 140) <= 4 and abs(got["f1"] - 60) <= 4 and "p1" not in got, got
    net.exec("p2", *drop)
    gw.wait_state(lib.endpoint("p2"), "down")
    assert spread(net, 20) == {"f1": 20}
    net.exec("f1", *drop)
    gw.wait_state(lib.endpoint("f1"), "down")
    assert ask(net).status == 503
    net.exec("p1", "nft", "delete table inet t")
    gw.wait_state(lib.endpoint("p1"), "up")
    lib.wait_for("p1 again", lambda: ask(net).server == "p1")


def test_methods_headers_and_parameters_choose_and_filters_change(net, gw):
    """Each kind of match; headers that are set, added and removed; other paths, hosts and answers."""
    def header(kind, **values):
        return {"type": f"{kind}HeaderModifier", f"{kind.lower()}HeaderModifier": values}

    def pair(name, value, **more):
        return {"name": name, "value": value, **more}
    apply(gw, edge(listener()), *BACKENDS, http_route(
        "a", rule("one"),
        rule("two", matches=[{"method": "POST"}, {"headers": [pair("x-to", "two words's")]},
                             {"headers": [pair("x-re", "a+", type="RegularExpression")]},
                             {"queryParams": [pair("v", "2"), pair("w", "x y")]}]),
        rule("two", path="/headers", filters=[
            header("Request", set=[pair("X-Set", "100% 'new' \"q\" %[path]")],
                   add=[pair("X-Add", "more")], remove=["X-Gone"]),
            header("Response", set=[pair("X-Answer", "yes")], remove=["X-Server"])]),
        rule("two", path="/old", filters=[{"type": "URLRewrite", "urlRewrite": {
            "hostname": "inner.test", "path": {"type": "ReplacePrefixMatch",
                                               "replacePrefixMatch": "/new%20x"}}}]),
        rule("two", path="/cut/", filters=[{"type": "URLRewrite", "urlRewrite": {
            "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}}]),
        rule("two", path="/full", filters=[{"type": "URLRewrite", "urlRewrite": {
            "path": {"type": "ReplaceFullPath", "replaceFullPath": "/whole"}}}]),
        rule(path="/go", filters=[{"type": "RequestRedirect", "requestRedirect": {
            "scheme": "https", "statusCode": 301}}]),
        rule(path="/away", filters=[{"type": "RequestRedirect", "requestRedirect": {
            "hostname": "b.test", "port": 8443, "path": {
                "type": "ReplacePrefixMatch", "replacePrefixMatch": "/there"}}}])))
    proxied(gw)
    assert ask(net).server == "p1"
    assert ask(net, "/", "a.test", "-X", "POST", "-d", "x").server == "p2"
    assert ask(net, "/", "a.test", "-H", "X-To: two words's").server == "p2"
    assert ask(net, "/", "a.test", "-H", "X-To: two words").server == "p1"
    assert ask(net, "/", "a.test", "-H", "X-Re: aaa").server == "p2"
    assert ask(net, "/", "a.test", "-H", "X-Re: aab").server == "p1"
    assert ask(net, "/?w=x%20y&v=2").server in ("p1", "p2")
    got = ask(net, "/headers", "a.test", "-H", "X-Gone: 1", "-H", "X-Add: first", "-i")
    assert "x-answer: yes" in got.body.lower() and "x-server" not in got.body.lower()
    got = ask(net, "/headers", "a.test", "-H", "X-Gone: 1", "-H", "X-Add: first")
    assert got.header("x-set") == ["100% 'new' \"q\" %[path]"]
    assert got.header("x-add") == ["first", "more"] and not got.header("x-gone")
    got = ask(net, "/old/a?b=c")
    assert got.body["target"] == "/new%20x/a?b=c" and got.header("host") == ["inner.test"]
    assert ask(net, "/old").body["target"] == "/new%20x"
    assert ask(net, "/cut/a").body["target"] == "/a" and ask(net, "/cut").body["target"] == "/"
    assert ask(net, "/full/x?q").body["target"] == "/whole?q"
    got = ask(net, "/go/x?y=z")
    assert (got.status, got.location) == (301, "https://a.test/go/x?y=z")
    got = ask(net, "/away/x")
    assert (got.status, got.location) == (302, "http://b.test:8443/there/x")


def test_tls_ends_with_the_certificate_of_the_name_and_h2_is_spoken(net, gw):
    """Two listeners of one port; HTTP/2 to the client, HTTP/1.1 to the server; a name of nobody's."""
    ca = Authority(net)
    apply(gw, edge(listener("a", 443, "HTTPS", "a.test", ["a"]),
                   listener("b", 443, "HTTPS", "b.test", ["b"])),
          ca.issue_secret("a", "a.test"), ca.issue_secret("b", "b.test"), *BACKENDS,
          http_route("a", rule("one"), section="a"), http_route("b", rule("two"), section="b"))
    proxied(gw)
    strict = ["--cacert", ca.file + ".crt"]
    for host, server in (("a.test", "p1"), ("b.test", "p2")):
        done = net.exec("client", "curl", "-sS", *strict, "--resolve", f"{host}:443:{lib.VIP4}",
                        f"https://{host}/")
        assert f'"server": "{server}"' in done.stdout
        assert '["x-forwarded-proto", "https"]' in done.stdout.lower()
    assert ask(net, "/", "a.test", scheme="https").version == "2"
    assert ask(net, "/", "a.test", "--http1.1", scheme="https").version == "1.1"
    assert ask(net, "/", "a.test", "-H", "Host: b.test", scheme="https").status == 421
    assert ask(net, "/", "c.test", scheme="https").status == 0
    apply(gw, ca.issue_secret("a", "a.test"))  # a new certificate, while requests go on
    assert ask(net, "/", "a.test", scheme="https").server == "p1"
    broken = json.dumps(secret("a", tls_crt="no", tls_key="certificate"))
    done = lib.run(lib.SPILLWAY, "--socket", gw.socket, "apply", "-f", "-", stdin=broken, check=False)
    assert done.returncode == 1
    assert f"service default/a at {lib.VIP4}:443/TCP carries traffic and would lose" in done.stderr
    assert "Secret default/a must contain valid tls.crt and tls.key" in done.stderr
    assert ask(net, "/", "a.test", scheme="https").server == "p1"


UPGRADE = """
import socket, sys
s = socket.create_connection((sys.argv[1], 80), 5)
s.sendall(b"GET /chat HTTP/1.1\\r\\nHost: a.test\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
          b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n")
head = s.recv(4096)
print(head.split(b"\\r\\n")[0].decode())
for text in (b"one", b"two" * 1000):
    s.sendall(text)
    got = b""
    while len(got) < len(text):
        got += s.recv(65536)
    print(got == text)
"""
CHECK = """
import sys, grpc
target, ca = sys.argv[1:3]
name = (("grpc.ssl_target_name_override", "a.test"),)
if ca == "-":
    channel = grpc.insecure_channel(target, options=(("grpc.default_authority", "a.test"),))
else:
    channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(open(ca, "rb").read()), name)
call = channel.unary_unary("/grpc.health.v1.Health/Check")
print(list(call(b"", timeout=5)))
"""


def test_a_websocket_stays_open(net, gw):
    """The upgrade is passed on, and bytes go both ways, also while another process takes over."""
    apply(gw, edge(listener()), *BACKENDS, http_route("a", rule("one")))
    proxied(gw)
    done = net.exec("client", "/usr/bin/python3", "-c", UPGRADE, lib.VIP4)
    assert done.stdout.split("\n")[:3] == ["HTTP/1.1 101 Switching Protocols", "True", "True"]


def test_grpc_goes_end_to_end(net, gw):
    """HTTP/2 from a client with and without TLS, to a server with and without."""
    ca = Authority(net)
    status = f"{net.dir}/grpc-status"
    with open(status, "w", encoding="ascii") as text:
        text.write("=1\n")
    for port, pem in ((50051, ()), (50052, (ca.issue("grpc.test"),))):
        ready = f"{net.dir}/grpc-{port}"
        net.popen("p3", "/usr/bin/python3", f"{lib.HERE}/grpcserver.py", str(port), status, ready, *pem)
        lib.wait_for("gRPC server", lambda path=ready: os.path.exists(path))
    plain = backend("plain", [ip(P3, 50051)])
    secure = backend("secure", [ip(P3, 50052)], tls={**ca_refs("ca"), "sni": "grpc.test"})
    for one in (plain, secure):
        one["spec"]["appProtocols"] = ["gateway.envoyproxy.io/h2c"]
    apply(gw, edge(listener(), listener("s", 443, "HTTPS", None, ["a"])), plain, secure,
          ca.issue_secret("a", "a.test"), config_map("ca", ca.pem),
          http_route("a", rule("plain"), section="web"), http_route("b", rule("secure"), section="s"))
    proxied(gw)
    for target, root in ((f"{lib.VIP4}:80", "-"), (f"{lib.VIP4}:443", ca.file + ".crt")):
        done = net.exec("client", "/usr/bin/python3", "-c", CHECK, target, root, check=False)
        assert done.stdout.strip() == "[8, 1]", done.stderr[-2000:]


def test_tls_that_passes_goes_by_name(net, gw):
    """Exact names before wildcards; a name of nobody's gets no answer; one certificate for each server."""
    ca = Authority(net)
    for host in ("p1", "p2"):
        lib.Web(net, host, 8443, ca.issue(f"{host}.test")).start()
    apply(gw, edge(listener("tls", 443, "TLS", None, (), "Passthrough")),
          backend("one", [ip(P1)]), backend("two", [ip(P2)]),
          http_route("exact", rule("one"), hosts=["a.pass.test"], kind="TLSRoute"),
          http_route("wild", rule("two"), hosts=["*.pass.test"], kind="TLSRoute"))
    proxied(gw)
    assert ask(net, "/", "a.pass.test", scheme="https").body == "p1"
    assert ask(net, "/", "b.pass.test", scheme="https").body == "p2"
    assert ask(net, "/", "x.b.pass.test", scheme="https").body == "p2"
    assert ask(net, "/", "other.test", scheme="https").status == 0
    assert ask(net, "/", "a.pass.test", scheme="http", port=443).status == 0


def test_tls_that_ends_here_carries_anything(net, gw):
    """A TLSRoute and a TCPRoute on listeners of their own names."""
    ca = Authority(net)
    apply(gw, edge(listener("a", 443, "TLS", "a.test", ["a"]), listener("b", 443, "TLS", "b.test", ["b"]),
                   addresses=(lib.VIP4, lib.VIP6)),
          ca.issue_secret("a", "a.test"), ca.issue_secret("b", "b.test"), *BACKENDS,
          http_route("a", rule("one"), hosts=["a.test"], section="a", kind="TLSRoute"),
          http_route("b", rule("two"), section="b", kind="TCPRoute"))
    proxied(gw)
    for vip in (lib.VIP4, lib.VIP6):
        assert ask(net, "/", "a.test", "--http1.1", scheme="https", vip=vip).server == "p1"
        assert ask(net, "/", "b.test", "--http1.1", scheme="https", vip=vip).server == "p2"
    assert ask(net, "/", "c.test", scheme="https").status == 0


def test_silence_ends_with_504_and_a_failure_is_tried_elsewhere(net, gw):
    """timeouts.request of a rule, the policy's for those without; retries as the policy says."""
    apply(gw, edge(listener()), backend("one", [ip(P1, 8080)]),
          backend("both", [ip(P1, 8080), ip(P2, 1)]),
          http_route("a", rule("one", path="/", timeouts={"request": "500ms"}), hosts=["a.test"]),
          http_route("b", rule("one"), hosts=["b.test"]),
          http_route("c", rule("both"), hosts=["c.test"]),
          policy("b", "HTTPRoute", timeout={"http": {"requestTimeout": "700ms"}},
                 retry={"numRetries": 1, "retryOn": {"triggers": ["gateway-error"]}}))
    proxied(gw)
    assert ask(net, "/slow/2", "a.test").status == 504
    assert ask(net, "/slow/2", "b.test").status == 504
    assert ask(net, "/slow/1", "c.test").server == "p1"
    assert [ask(net, "/", "c.test").server for _ in range(6)] == ["p1"] * 6
    assert "spec.retry" not in condition(gw, "BackendTrafficPolicy", "b", "Programmed")


def test_what_haproxy_refuses_is_left_out_and_told_of(net, gw):
    """A regular expression that is none: everything else goes on, and `status` says why."""
    apply(gw, edge(listener()), *BACKENDS,
          http_route("a", rule("one"), rule("two", regex="/(x")))
    proxied(gw)
    lib.wait_for("the rest", lambda: ask(net).server == "p1")
    assert "which is left out" in gw.ctl("status")
    apply(gw, http_route("a", rule("one"), rule("two", regex="/(x)")))
    lib.wait_for("all of it", lambda: ask(net, "/x").server == "p2")
    assert "which is left out" not in gw.ctl("status")


def test_requests_go_on_while_processes_change(net, gw):
    """No request fails while routes come and go, and while the daemon is away."""
    apply(gw, edge(listener()), *BACKENDS, http_route("a", rule("one")))
    proxied(gw)
    script = ("import http.client, sys, time\n"
              "end, bad, n = time.time() + 6, 0, 0\n"
              "while time.time() < end:\n"
              "    c = http.client.HTTPConnection(sys.argv[1], 80, timeout=5)\n"
              "    try:\n"
              "        c.request('GET', '/'); bad += c.getresponse().status != 200\n"
              "    except OSError:\n"
              "        bad += 1\n"
              "    c.close(); n += 1\n"
              "print(bad, n)\n")
    client = net.popen("client", "/usr/bin/python3", "-c", script, lib.VIP4, stdout=subprocess.PIPE)
    for n in range(4):
        apply(gw, http_route("b", rule("two"), hosts=[f"b{n}.test"]))
        lib.wait_for("the new route", lambda host=f"b{n}.test": ask(net, "/", host).server == "p2")
    gw.kill()
    assert ask(net, "/", "b3.test").server == "p2"
    gw.start()
    out, _ = client.communicate(timeout=30)
    bad, count = map(int, out.split())
    assert bad == 0 and count > 100, (bad, count)


REFUSED = ("127.0.0.1", "127.0.0.1:8080", "[::1]", "[::ffff:127.0.0.1]:80", "169.254.169.254", "0.0.0.0",
           "224.0.0.1", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "127.1", "0x7f000001", "127.0.0.1.",
           "10.0.0.1", "192.168.1.1", "192.0.2.10", "[fe80::1]", "[64:ff9b::7f00:1]", "to-loopback.test",
           "to-private.test", "to-vip.test", "localhost", "a b", "open.test.")


def test_clients_choose_hosts_and_may_not_choose_all(net):
    """DynamicResolver over HTTP: names and addresses, with a port; what is refused however it is spelt."""
    Echo(net, "p1")
    Echo(net, "p2", 80)
    names = Names(net, **{"open": P1, "to-loopback": "127.0.0.1", "to-private": "10.1.2.3",
                          "to-vip": lib.VIP4})
    gw = lib.Gateway(net).start("--resolv-conf", names.resolv)
    plain = backend("any", None)
    plain["spec"] = {"type": "DynamicResolver"}
    apply(gw, edge(listener()), plain, http_route("a", rule("any")))
    proxied(gw)

    def to(host):
        return ask(net, "/", "a.test", "-H", f"Host: {host}").server
    assert to("open.test:8080") == "p1"
    assert to(f"{P1}:8080") == "p1" and to(P2) == "p2"
    assert to(f"[{lib.addr6('p1')}]:8080") == "p1"
    assert to("nobody.test") == 503
    got = {host: to(host) for host in REFUSED}
    assert all(status in (400, 403, 503) for status in got.values()), got
    assert [h for h, status in got.items() if status == 503] == ["to-loopback.test", "to-vip.test",
                                                                 "localhost"]
    for own in ("198.51.100.1", "203.0.113.1", "[2001:db8:b::1]"):  # this host is nobody's target
        assert to(own) == 403 and to(own + ":8080") == 403
    net.addr("p3", "eth0", "10.1.2.3/24")
    net.exec("gw", "ip", "route", "add", "10.1.2.0/24", "dev", "back")
    net.exec("p3", "ip", "route", "add", "203.0.113.0/24", "dev", "eth0", check=False)
    Echo(net, "p3", 80)
    plain["metadata"]["annotations"] = {"spillway.dev/private-targets": "allow"}
    apply(gw, plain)
    lib.wait_for("private targets", lambda: to("to-private.test") == "p3")
    assert to("10.1.2.3") == "p3" and to("127.0.0.1") == 403 and to("192.0.2.10") == 403


def test_clients_choose_hosts_by_sni_and_over_tls(net):
    """DynamicResolver of a TLSRoute; and over HTTP to servers whose certificates are verified."""
    ca = Authority(net)
    lib.Web(net, "p1", 443, ca.issue("open.test")).start()
    names = Names(net, **{"open": P1, "wrong": P1, "to-loopback": "127.0.0.1"})
    gw = lib.Gateway(net).start("--resolv-conf", names.resolv)
    plain, secure = backend("any", None), backend("secure", None)
    plain["spec"] = {"type": "DynamicResolver"}
    secure["spec"] = {"type": "DynamicResolver", "tls": ca_refs("ca")}
    apply(gw, edge(listener(), listener("tls", 443, "TLS", None, (), "Passthrough")), plain, secure,
          config_map("ca", ca.pem), http_route("a", rule("secure"), section="web"),
          http_route("b", rule("any"), hosts=["*.test"], section="tls", kind="TLSRoute"))
    proxied(gw)
    assert ask(net, "/", "open.test", scheme="https").body == "p1"
    assert ask(net, "/", "to-loopback.test", scheme="https").status == 0
    assert ask(net, "/", "open.test").body == "p1"
    assert ask(net, "/", "wrong.test").status == 503


def test_what_haproxy_counts_is_shown_and_judges(net, gw):
    """Bytes and connections that failed; passive detection ejects an endpoint that refuses them."""
    apply(gw, edge(listener()), backend("one", [ip(P1, 8080), ip(P2, 1)]), http_route("a", rule("one")),
          policy(healthCheck={"panicThreshold": 0, "passive": {
              "interval": "100ms", "baseEjectionTime": "60s", "consecutive5XxErrors": 2,
              "maxEjectionPercent": 50}}))
    proxied(gw)
    for _ in range(20):
        assert ask(net).server == "p1"  # a failure is tried once more, elsewhere
    rows = lib.wait_for("counters", lambda: (lambda r: r[lib.endpoint("p1")]["bytesOut"] > 2000 and r)(
        gw.endpoints()))
    assert rows[lib.endpoint("p1")].get("problem") is None
    gw.wait_state(lib.endpoint("p2", port=1), "ejected")
    assert gw.endpoints()[lib.endpoint("p2", port=1)]["sharePercent"] == 0
    assert gw.endpoints()[lib.endpoint("p2", port=1)]["failedConnections"] >= 2


def test_servers_come_and_go_without_a_new_process(net, gw):
    """Endpoints are added and taken out over the admin socket, also over TLS; names that change, too."""
    ca = Authority(net)
    lib.Web(net, "p1", 8443, ca.issue("web.test")).start()
    secure = backend("secure", [ip(P1)], tls={**ca_refs("ca"), "sni": "web.test"})
    apply(gw, edge(listener()), backend("one", [ip(P1, 8080)]), http_route("a", rule("one")))
    proxied(gw)
    assert set(spread(net, 20)) == {"p1"}
    before = haproxies(net)
    apply(gw, backend("one", [ip(P1, 8080), ip(P2, 8080)]))
    lib.wait_for("both", lambda: set(spread(net, 10)) == {"p1", "p2"})
    apply(gw, backend("one", [ip(P2, 8080)]))
    lib.wait_for("the new one", lambda: spread(net, 20) == {"p2": 20})
    apply(gw, backend("one", [ip(P1, 8080), ip(P2, 8080)]))
    lib.wait_for("both again", lambda: set(spread(net, 10)) == {"p1", "p2"})
    assert haproxies(net) == before
    apply(gw, config_map("ca", ca.pem), secure, http_route("b", rule("one"), hosts=["b.test"]))
    proxied(gw)
    lib.wait_for("the new route", lambda: haproxies(net) != before)
    lib.wait_for("the old process", lambda: len(haproxies(net)) == 1)
    before = haproxies(net)
    one = backend("one", [ip(P1)], tls={**ca_refs("ca"), "sni": "web.test"})
    apply(gw, one)
    lib.wait_for("the one over TLS", lambda: ask(net, "/", "b.test").body == "p1")
    assert haproxies(net) == before


def test_names_and_sockets_are_endpoints_of_rules(net):
    """A name whose address changes needs no new process; a Unix socket of the gateway's host."""
    Echo(net, "p1")
    Echo(net, "p2")
    path = os.path.join(net.dir, "web.sock")
    lib.Web(net, "gw", path).start()
    os.chmod(path, 0o777)
    names = Names(net, web=P1)
    gw = lib.Gateway(net).start("--resolv-conf", names.resolv)
    apply(gw, edge(listener()), backend("named", [fqdn("web.test")]), backend("local", [unix(path)]),
          http_route("a", rule("named"), hosts=["a.test"]), http_route("b", rule("local"), hosts=["b.test"]),
          policy(dns={"dnsRefreshRate": "500ms", "respectDnsTtl": False}))
    lib.wait_for("the name", lambda: ask(net).server == "p1")
    assert ask(net, "/", "b.test").body == "gw"
    lib.wait_for("one process", lambda: len(haproxies(net)) == 1)
    before = haproxies(net)
    names.say(web=P2)
    lib.wait_for("the new address", lambda: ask(net).server == "p2")
    assert haproxies(net) == before
    os.chmod(path, 0o600)
    lib.wait_for("the problem", lambda: "permission denied" in (
        gw.endpoints()["unix:" + path]["problem"] or ""))
    assert "permission denied" in gw.ctl("describe", "backend", "local")
