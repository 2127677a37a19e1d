# SPDX-License-Identifier: BSD-2-Clause
"""What tests of layer 7 need: routes, servers that say what they were asked, clients that speak HTTP."""
import json
import os
import sys

import lib
from handoff import ENVOY_API, GATEWAY_API, resource

EDGE_PARENT = [{"name": "edge"}]


def edge(*listeners, addresses=(lib.VIP4,)):
    """The Gateway `edge` with these listeners."""
    return resource(f"{GATEWAY_API}/v1", "Gateway", "edge", {
        "gatewayClassName": "spillway", "addresses": [{"value": a} for a in addresses],
        "listeners": list(listeners)})


def listener(name="web", port=80, protocol="HTTP", hostname=None, secrets=(), mode=None):
    """A listener; `secrets` are names of those with its certificates."""
    made = {"name": name, "port": port, "protocol": protocol}
    if hostname:
        made["hostname"] = hostname
    if secrets or mode:
        made["tls"] = {"mode": mode or "Terminate",
                       **({"certificateRefs": [{"name": s} for s in secrets]} if secrets else {})}
    return made


def refs(*names):
    """backendRefs, each a name or a name and its weight."""
    return [{"group": ENVOY_API, "kind": "Backend",
             **({"name": n} if isinstance(n, str) else {"name": n[0], "weight": n[1]})}
            for n in names]


def rule(*names, **more):
    """A rule to Backends; `path`, `exact` and `regex` are short for a match, others are as they are."""
    made = {"backendRefs": refs(*names)} if names else {}
    for key, kind in (("path", "PathPrefix"), ("exact", "Exact"), ("regex", "RegularExpression")):
        if key in more:
            made["matches"] = [{"path": {"type": kind, "value": more.pop(key)}}]
    return {**made, **more}


def http_route(name, *rules, hosts=(), section=None, kind="HTTPRoute"):
    """A route on `edge`."""
    return resource(f"{GATEWAY_API}/v1", kind, name, {
        "parentRefs": [{"name": "edge", **({"sectionName": section} if section else {})}],
        **({"hostnames": list(hosts)} if hosts else {}), "rules": list(rules)})


class Echo:
    """A server that answers with what it was asked, as JSON; see echoserver.py."""

    def __init__(self, net, host, port=8080):
        ready = os.path.join(net.dir, f"{host}-{port}-echo.ready")
        self.process = net.popen(host, sys.executable, os.path.join(lib.HERE, "echoserver.py"),
                                 host, str(port), ready)
        lib.wait_for("echo server", lambda: os.path.exists(ready))


def ask(net, path="/", host="a.test", *args, scheme="http", port=None, vip=lib.VIP4):
    """
    curl: the status and the answer, decoded when it is JSON. The name goes to the VIP by --resolve, so
    that SNI is it, too.
    """
    port = port or (443 if scheme == "https" else 80)
    where = f"[{vip}]" if ":" in vip else vip
    done = net.exec("client", "curl", "-sS", "-k", "--max-time", "5", "-o", "-", "-w",
                    "\n%{http_code} %{http_version} %{redirect_url}", "--path-as-is", "--resolve",
                    f"{host}:{port}:{where}", *args, f"{scheme}://{host}:{port}{path}", check=False)
    body, _, tail = done.stdout.rpartition("\n")
    status, version, location = (tail + "   ").split(" ")[:3]
    try:
        body = json.loads(body)
    except ValueError:
        pass
    return Answer(int(status), version, location, body, done.stderr)


class Answer:
    """What curl got."""

    def __init__(self, status, version, location, body, error):
        self.status, self.version, self.location = status, version, location
        self.body, self.error = body, error

    @property
    def server(self):
        """Who answered, or the status."""
        return self.body["server"] if isinstance(self.body, dict) else self.status

    def header(self, name):
        """Values of a header that the server got."""
        return [v for n, v in self.body["headers"] if n.lower() == name.lower()]

    def __repr__(self):
        return f"{self.status} {self.body} {self.error}"


def proxied(gw):
    """Waits until HAProxy has all that is wanted."""
    def good():
        rows = [(s, e) for s in gw.json("endpoints")["services"] for e in s["endpoints"]]
        proxies = [e for _, e in rows if e["kind"] == "proxy"]
        return proxies and not any(e.get("problem") for e in proxies)
    lib.wait_for("frontends that are served", good, 10)
