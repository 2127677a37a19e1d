# SPDX-License-Identifier: BSD-2-Clause
"""What tests of the userspace path need: resources as dicts, certificates, servers that tell what they saw."""
import contextlib
import json
import os
import signal
import sys
import threading
import time

import lib

GATEWAY_API, ENVOY_API = "gateway.networking.k8s.io", "gateway.envoyproxy.io"
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def write(path, text):
    """A file's new content, all of it at once for those who read it meanwhile."""
    with open(path + ".new", "w", encoding="ascii") as out:
        out.write(text)
    os.rename(path + ".new", path)


def read(path):
    """A file's content."""
    with open(path, encoding="ascii") as text:
        return text.read()


# --- resources

def resource(api, kind, name, spec, **annotations):
    """Any resource with a spec; `fqdn_path` stands for the annotation spillway.dev/fqdn-path."""
    notes = {f"spillway.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "annotations": notes},
            "spec": spec}


def gateway(ports=(80,), protocol="TCP", addresses=(lib.VIP4,), **spec):
    """The Gateway `edge`; its listeners are called l<PORT>."""
    return resource(f"{GATEWAY_API}/v1", "Gateway", "edge", {
        "gatewayClassName": "spillway", "addresses": [{"value": a} for a in addresses],
        "listeners": [{"name": f"l{p}", "port": p, "protocol": protocol} for p in ports], **spec})


def route(*refs, name="web", port=80, kind="TCPRoute", **annotations):
    """A route from a listener of `edge` to Backends, each a name or a name and its weight."""
    rows = [{"group": ENVOY_API, "kind": "Backend",
             **({"name": r} if isinstance(r, str) else {"name": r[0], "weight": r[1]})} for r in refs]
    return resource(f"{GATEWAY_API}/v1", kind, name, {
        "parentRefs": [{"name": "edge", "sectionName": f"l{port}"}],
        "rules": [{"backendRefs": rows}]}, **annotations)


def ip(address, port=8443, **more):
    """An endpoint by address."""
    return {"ip": {"address": address, "port": port}, **more}


def fqdn(name, port=8080):
    """An endpoint by name."""
    return {"fqdn": {"hostname": name, "port": port}}


def unix(path):
    """An endpoint by the path of a socket."""
    return {"unix": {"path": path}}


def backend(name, endpoints, tls=None, fallback=False, **annotations):
    """A Backend; `tls` is its spec.tls."""
    spec = {"endpoints": endpoints, "fallback": fallback}
    if tls is not None:
        spec["tls"] = tls
    return resource(f"{ENVOY_API}/v1alpha1", "Backend", name, spec, **annotations)


def policy(target="edge", kind="Gateway", **spec):
    """A BackendTrafficPolicy on a Gateway or a route, of the same name."""
    return resource(f"{ENVOY_API}/v1alpha1", "BackendTrafficPolicy", target, {
        "targetRefs": [{"group": GATEWAY_API, "kind": kind, "name": target}], **spec})


def active(**check):
    """A health check five times a second, over HTTP unless told otherwise."""
    check = check or {"type": "HTTP", "http": {"path": "/healthz"}}
    return {"panicThreshold": 0, "active": {"interval": "200ms", "timeout": "1s",
                                            "unhealthyThreshold": 2, **check}}


def config_map(name, pem):
    """Certificates of authorities."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
            "data": {"ca.crt": pem}}


def secret(name, **texts):
    """A Secret; `ca_crt` stands for the key ca.crt."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "stringData": {key.replace("_", "."): text for key, text in texts.items()}}


def ca_refs(*names, kind="ConfigMap"):
    """spec.tls that trusts these."""
    return {"caCertificateRefs": [{"group": "", "kind": kind, "name": n} for n in names]}


def apply(gw, *resources):
    """Applies resources; returns what the CLI printed, warnings too."""
    done = lib.run(lib.SPILLWAY, "--socket", gw.socket, "apply", "-f", "-",
                   stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(resources)}))
    return done.stdout + done.stderr


def condition(gw, kind, name, wanted):
    """The message of a condition, or ''."""
    status = gw.json("get", kind, name)["status"]
    for place in (status, *status.get("parents", ()), *status.get("ancestors", ())):
        for one in place.get("conditions", ()):
            if one["type"] == wanted:
                return one["message"]
    return ""


# --- certificates

class Authority:
    """Issues certificates; files are in the Net's directory."""

    def __init__(self, net, name="ca"):
        self.file = os.path.join(net.dir, name)
        lib.run("openssl", "req", "-x509", *CURVE, "-days", "30", "-subj", f"/CN={name}",
                "-keyout", self.file + ".key", "-out", self.file + ".crt")
        self.pem = read(self.file + ".crt")

    def issue(self, name, days=30):
        """A certificate for a name: paths of it, of its key and of a file with both."""
        base = f"{self.file}-{name}{days}"
        lib.run("openssl", "req", "-new", *CURVE, "-subj", f"/CN={name}", "-keyout", base + ".key",
                "-out", base + ".csr")
        write(base + ".ext", f"subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\n")
        lib.run("openssl", "x509", "-req", "-in", base + ".csr", "-CA", self.file + ".crt", "-CAkey",
                self.file + ".key", "-CAcreateserial", "-days", str(days), "-extfile", base + ".ext",
                "-out", base + ".crt")
        write(base + ".pem", read(base + ".crt") + read(base + ".key"))
        return base + ".pem"

    def issue_secret(self, resource_name, name):
        """The same as a Secret."""
        base = self.issue(name)[:-len(".pem")]
        return secret(resource_name, tls_crt=read(base + ".crt"), tls_key=read(base + ".key"))


# --- servers

class Seer:
    """Servers of one host that write down what they saw, see seeserver.py."""

    def __init__(self, net, host, listeners):
        self.path = os.path.join(net.dir, f"{host}-seer")
        write(self.path + ".json", json.dumps(listeners))
        self.process = net.popen(host, sys.executable, os.path.join(lib.HERE, "seeserver.py"), host,
                                 self.path)
        lib.wait_for("servers", lambda: os.path.exists(self.path + ".ready"))

    def seen(self, port):
        """What came to a port, oldest first."""
        if not os.path.exists(self.path + ".log"):
            return []
        return [row for row in map(json.loads, read(self.path + ".log").splitlines())
                if row["port"] == port]


class Names:
    """A name server of the gateway host, and a resolv.conf that names it."""

    def __init__(self, net, **names):
        self.zone, self.resolv = (os.path.join(net.dir, n) for n in ("zone", "resolv"))
        self.names = {}
        write(self.resolv, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.say(**names)
        net.popen("gw", sys.executable, os.path.join(lib.HERE, "nameserver.py"), self.zone)
        lib.wait_for("name server", lambda: ":53" in net.exec("gw", "ss", "-Hlun").stdout)

    def say(self, **names):
        """From now on the names NAME.test stand for this: see nameserver.py."""
        self.names.update(names)
        write(self.zone, "".join(f"{n}.test={v}\n" for n, v in self.names.items()))


def curl(net, *args, vip=lib.VIP4, port=80, path="/", client="client", timeout=5):
    """curl to the VIP: its exit status and the body."""
    host = f"[{vip}]" if ":" in vip else vip
    done = net.exec(client, "curl", "-sS", "--max-time", str(timeout), *args,
                    f"http://{host}:{port}{path}", check=False)
    return done.returncode, done.stdout


def ready(gw, *addresses, timeout=10):
    """Waits until HAProxy serves these endpoints, or all."""
    def good():
        rows = gw.endpoints()
        wanted = addresses or rows
        return all(a in rows and not rows[a].get("problem") and rows[a]["carried"] for a in wanted)
    try:
        lib.wait_for("endpoints that are served", good, timeout)
    except lib.Failed as late:
        raise lib.Failed(f"{late}: {gw.endpoints()}") from None


def haproxies(net):
    """Process ids of the HAProxies of the gateway host, the youngest last."""
    found = []
    for pid in lib.run("ip", "netns", "pids", net.names["gw"]).stdout.split():
        with contextlib.suppress(OSError):
            if read(f"/proc/{pid}/comm").strip() == "haproxy":
                found.append(int(pid))
    return sorted(found)


def kill_haproxy(net):
    """As a crash of HAProxy."""
    for pid in haproxies(net):
        os.kill(pid, signal.SIGKILL)


class Restarts:
    """Restarts a killed process beside a test, so that time goes on."""

    def __init__(self, action):
        self.thread = threading.Thread(target=action, daemon=True)
        self.began = time.monotonic()
        self.thread.start()

    def wait(self):
        """Until it is done."""
        self.thread.join(30)
        return time.monotonic() - self.began
