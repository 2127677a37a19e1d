# SPDX-License-Identifier: BSD-2-Clause
"""Every kind of active check against a real server: up, then out for the right reason, then back."""
import os
import sys

import pytest

import lib

WEB, OK, NOT_SERVING = "203.0.113.11:8080", 1, 2
HTTP = "type: HTTP, http: {path: /healthz}"
PLAIN = "- ip: {address: 203.0.113.11, port: 8080}"


def manifest(check, endpoint=PLAIN, spec="", kind="TCPRoute"):
    """A Backend of one endpoint behind a route of its own, checked 5 times a second."""
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: spillway
  addresses: [{{value: {lib.VIP4}}}]
  listeners: [{{name: web, port: 80, protocol: {kind[:3]}}}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: web}}
spec:
{spec}
  endpoints:
  {endpoint}
---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: web}}
spec:
  parentRefs: [{{name: edge}}]
  rules:
  - backendRefs: [{{group: gateway.envoyproxy.io, kind: Backend, name: web}}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: web}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: {kind}, name: web}}]
  healthCheck:
    active: {{interval: 200ms, timeout: 2s, unhealthyThreshold: 2, {check}}}
"""


@pytest.fixture
def gw(net):
    """A gateway that is not running yet."""
    it = lib.Gateway(net)
    yield it
    if it.process:
        print(it.log())


def is_judged(gw, address, reason, path="xdp"):
    """Is it up for this reason, and which way do its flows go?"""
    gw.wait_state(address, "up")
    row = gw.endpoints()[address]
    assert (row["reason"], row["carried"], row["path"]) == (reason, True, path)
    assert gw.wait_event(kind="endpoint", subject=address, to="up")["reason"] == reason


def goes_down(gw, address, fail, reason):
    """Once `fail` was called it is out, and everything that tells why says so."""
    last = gw.json("events", "--limit", "1")["last"]
    fail()
    event = lib.wait_for("the event", lambda: [
        e for e in gw.json("events", "--since", str(last))["events"]
        if e["kind"] == "endpoint" and e["subject"] == address and e["to"] == "down"])[0]
    assert (event["from"], event["reason"]) == ("up", reason)
    assert gw.endpoints()[address]["state"] == "down"
    assert f"endpoint {address}: up -> down ({reason})" in gw.log()


def redirect(net, port):
    """From now on p1's new connections to port 8080 reach another server: no moment without any."""
    net.exec("p1", "nft", "add table ip r; add chain ip r c { type nat hook prerouting priority "
             f"dstnat; }}; add rule ip r c tcp dport 8080 redirect to :{port}")


def redirect_end(net):
    """They reach the first one again."""
    net.exec("p1", "nft", "delete table ip r")


def write(path, text):
    """A file's new content, all of it at once for those who read it meanwhile."""
    with open(path + ".new", "w", encoding="ascii") as out:
        out.write(text)
    os.rename(path + ".new", path)


def certificate(net, *names):
    """A certificate that signed itself, and its key, in one file."""
    path = os.path.join(net.dir, names[0] + ".pem")
    lib.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "30", "-subj", "/CN=test", "-keyout", path, "-out", path + ".crt",
            "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
    with open(path, "a", encoding="ascii") as both, open(path + ".crt", encoding="ascii") as crt:
        both.write(crt.read())
    return path


def test_a_tls_backend_is_checked_and_reached_over_tls(net, gw):
    web = lib.Web(net, "p1", pem=certificate(net, "web.test")).start()
    gw.start().apply(manifest(HTTP, spec="  tls: {insecureSkipVerify: true}"))
    is_judged(gw, WEB, "status 200", "userspace")
    lib.wait_for("an answer", lambda: net.exec("client", "curl", "-s", "--max-time", "3",
                                               f"http://{lib.VIP4}/", check=False).stdout == "p1")
    answered = web.count()
    goes_down(gw, WEB, lambda: web.answer_with(503), "status 503")
    web.answer_with(200)
    gw.wait_state(WEB, "up")
    goes_down(gw, WEB, web.kill, "connection refused")
    assert web.count() == answered  # probes are not counted


def test_a_certificate_that_is_not_accepted_is_named_in_the_reason(net, gw, monkeypatch):
    good, other = certificate(net, "web.test"), certificate(net, "other.test")
    lib.Web(net, "p1", pem=good).start()
    lib.Web(net, "p1", 8081, other).start()
    system = os.path.join(net.dir, "system.crt")
    with open(system, "w", encoding="ascii") as out:
        for pem in (good, other):
            with open(pem + ".crt", encoding="ascii") as text:
                out.write(text.read())
    monkeypatch.setenv("SSL_CERT_FILE", system)
    gw.start().apply(manifest(HTTP, spec="  tls: {wellKnownCACertificates: System, sni: web.test}"))
    is_judged(gw, WEB, "status 200", "userspace")
    goes_down(gw, WEB, lambda: redirect(net, 8081), "TLS: no certificate for web.test")
    redirect_end(net)
    gw.wait_state(WEB, "up")
    gw.kill(lib.signal.SIGTERM)
    monkeypatch.delenv("SSL_CERT_FILE")
    gw.start()
    event = gw.wait_event(subject=WEB, to="down", reason="TLS: self-signed certificate")
    assert event["from"] == "up"  # as it was before the restart


def trusting(name, path, key="ca.crt"):
    """A ConfigMap with the certificate of a file."""
    with open(path, encoding="ascii") as crt:
        text = "".join("    " + line for line in crt)
    return f"""
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}}}
data:
  {key}: |
{text}"""


def test_authorities_of_a_configmap_judge_an_endpoint_and_a_policy_goes_over_them(net, gw):
    good, other = certificate(net, "web.test"), certificate(net, "other.test")
    lib.Web(net, "p1", pem=good).start()
    tls = manifest(HTTP, spec='  tls: {sni: web.test, caCertificateRefs: [{group: "", kind: '
                              "ConfigMap, name: ca}]}")
    gw.start().apply(tls + trusting("ca", good + ".crt"))
    is_judged(gw, WEB, "status 200", "userspace")
    gw.apply(trusting("ca", other + ".crt"))
    gw.wait_event(subject=WEB, to="down", reason="TLS: self-signed certificate")
    gw.apply(trusting("own", good + ".crt", "tls.crt") + """
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: own}
spec:
  targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: web}]
  validation:
    hostname: web.test
    caCertificateRefs: [{group: "", kind: ConfigMap, name: own}]
""")
    gw.wait_state(WEB, "up")


class Grpc:
    """A gRPC server in p1."""

    def __init__(self, net, pem=None):
        self.net, self.pem = net, pem
        self.status = os.path.join(net.dir, "status")
        self.say(OK)
        self.start()

    def start(self):
        """Starts it and waits until it listens."""
        ready = os.path.join(self.net.dir, "grpc.ready")
        if os.path.exists(ready):
            os.unlink(ready)
        self.process = self.net.popen(
            "p1", sys.executable, os.path.join(lib.HERE, "grpcserver.py"), "8080", self.status, ready,
            *([self.pem] if self.pem else []))
        lib.wait_for("gRPC server", lambda: os.path.exists(ready))

    def say(self, status, service="shop.Cart"):
        """How the service is from now on."""
        write(self.status, f"{service}={status}\n")

    def kill(self):
        """Ends the process as a crash would."""
        self.net.kill(self.process)


@pytest.mark.parametrize("tls", (False, True))
def test_a_grpc_service_is_asked_how_it_is(net, gw, tls):
    server = Grpc(net, certificate(net, "web.test") if tls else None)
    gw.start().apply(manifest("type: GRPC, grpc: {service: shop.Cart}",
                              spec="  tls: {insecureSkipVerify: true}" if tls else ""))
    is_judged(gw, WEB, "serving", "userspace" if tls else "xdp")
    for fail, mend, reason in (
            (lambda: server.say(NOT_SERVING), lambda: server.say(OK), "not serving"),
            (lambda: server.say(OK, "another"), lambda: server.say(OK), "gRPC status 5 (NOT_FOUND)"),
            (server.kill, server.start, "connection refused")):
        goes_down(gw, WEB, fail, reason)
        mend()
        gw.wait_state(WEB, "up")


def http2(net, root, port):
    """nghttpd in p1, which speaks neither TLS nor HTTP/1.1."""
    path = os.path.join(net.dir, root)
    os.makedirs(path, exist_ok=True)
    process = net.popen("p1", "nghttpd", "--no-tls", "-d", path, str(port))
    lib.wait_for("nghttpd", lambda: f":{port}" in net.exec("p1", "ss", "-Hltn").stdout)
    return process


def test_a_backend_that_says_h2c_is_checked_over_http2(net, gw):
    full, _ = http2(net, "full", 8080), http2(net, "empty", 8081)
    write(os.path.join(net.dir, "full", "healthz"), "fine")
    gw.start().apply(manifest(HTTP, spec="  appProtocols: [gateway.envoyproxy.io/h2c]"))
    is_judged(gw, WEB, "status 200")
    goes_down(gw, WEB, lambda: redirect(net, 8081), "status 404")
    redirect_end(net)
    gw.wait_state(WEB, "up")
    goes_down(gw, WEB, lambda: net.kill(full), "connection refused")
    http2(net, "full", 8080)
    gw.wait_state(WEB, "up")


def test_a_name_is_judged_until_it_has_an_address_and_then_that_is(net, gw):
    paths = {name: os.path.join(net.dir, name) for name in ("zone", "resolv")}
    write(paths["zone"], "")
    write(paths["resolv"], "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    net.popen("gw", sys.executable, os.path.join(lib.HERE, "nameserver.py"), paths["zone"])
    lib.wait_for("name server", lambda: ":53" in net.exec("gw", "ss", "-Hlun").stdout)
    for host in ("p1", "p2"):
        lib.Web(net, host).start()
    name, second = "web.test:8080", lib.endpoint("p2")
    gw.start("--resolv-conf", paths["resolv"]).apply(
        manifest(HTTP, "- fqdn: {hostname: web.test, port: 8080}").replace(
            "spec:\n  targetRefs", "spec:\n  dns: {dnsRefreshRate: 1s}\n  targetRefs"))
    gw.wait_state(name, "down")
    row = gw.endpoints()[name]
    assert (row["reason"], row["carried"]) == ("name does not resolve (NXDOMAIN)", False)
    write(paths["zone"], f"web.test={lib.addr4('p1')}\n")
    is_judged(gw, WEB, "status 200", "userspace")
    assert list(gw.endpoints()) == [WEB]
    write(paths["zone"], f"web.test={lib.addr4('p2')}\n")
    is_judged(gw, second, "status 200", "userspace")
    assert list(gw.endpoints()) == [second]


def test_a_unix_socket_is_checked(net, gw):
    path = os.path.join(net.dir, "web.sock")
    address, web = "unix:" + path, lib.Web(net, "gw", path).start()
    gw.start().apply(manifest(HTTP, f"- unix: {{path: {path}}}"))
    is_judged(gw, address, "status 200", "userspace")
    goes_down(gw, address, lambda: web.answer_with(500), "status 500")
    web.answer_with(200)
    gw.wait_state(address, "up")
    goes_down(gw, address, web.kill, "connection refused")
    os.unlink(path)
    lib.wait_for("no socket", lambda: gw.endpoints()[address]["latest"] == "no such socket")
    web.start()
    gw.wait_state(address, "up")


def test_a_udp_endpoint_is_checked_at_another_port(net, gw):
    web, address = lib.Web(net, "p1").start(), "203.0.113.11:7007"
    endpoint = "- ip: {address: 203.0.113.11, port: 7007}"
    gw.start().apply(manifest("type: TCP, tcp: {}, overrides: {port: 8080}", endpoint,
                              kind="UDPRoute"))
    is_judged(gw, address, "connected")
    goes_down(gw, address, web.kill, "connection refused")
    web.start()
    gw.wait_state(address, "up")


def test_a_tcp_check_sends_and_expects(net, gw):
    web = lib.Web(net, "p1").start()
    gw.start().apply(manifest(
        'type: TCP, tcp: {send: {type: Text, text: "GET /healthz HTTP/1.1\\r\\nConnection: close\\r\\n'
        '\\r\\n"}, receive: {type: Binary, binary: MSAyMDAg}}'))  # "1 200 "
    is_judged(gw, WEB, "answered")
    goes_down(gw, WEB, lambda: web.answer_with(503), "closed before the answer")
    web.answer_with(200)
    gw.wait_state(WEB, "up")
    goes_down(gw, WEB, lambda: web.process.send_signal(lib.signal.SIGSTOP), "timeout")
    web.process.send_signal(lib.signal.SIGCONT)
    gw.wait_state(WEB, "up")
