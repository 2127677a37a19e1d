# SPDX-License-Identifier: BSD-2-Clause
"""Hosts for end-to-end tests: network namespaces, veths, real servers, a gateway with spillwayd.

          client ns            gateway ns              switch ns         p1, p2, p3, f1, f2 ns
        +-----------+       +--------------+         +-----------+        +----------+
        |       c0 -+-------+- front  back-+---------+-  br0    -+-- x5 --+- eth0    |
        +-----------+       +--------------+         +-----------+        +----------+
     198.51.100.2/24     .1              .1       203.0.113.0/24        .11 .12 .13 .21 .22
     2001:db8:f::2/64   ::1             ::1       2001:db8:b::/64      ::11 ...

VIPs are 192.0.2.10 and 2001:db8::10, routed to the gateway by the client. Everything a Net made
goes away with close(), also after a failure. Names hold a random part, so tests run in parallel.

The packets of veth senders carry unfinished checksums, which a redirect would leave as they are:
the endpoints and clients switch `tx` off. A redirect into a veth needs NAPI at its peer: GRO on.
"""
import atexit
import itertools
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("SPILLWAY_BUILD", os.path.join(ROOT, "build"))
SPILLWAYD = os.path.join(BUILD, "spillwayd")
SPILLWAY = os.path.join(BUILD, "spillway")
HERE = os.path.join(ROOT, "tests", "netns")

VIP4, VIP6 = "192.0.2.10", "2001:db8::10"
SERVERS = {"p1": 11, "p2": 12, "p3": 13, "f1": 21, "f2": 22}


def addr4(host):
    """IPv4 address of a server."""
    return f"203.0.113.{SERVERS[host]}"


def addr6(host):
    """IPv6 address of a server."""
    return f"2001:db8:b::{SERVERS[host]}"


def endpoint(host, family=4, port=8080):
    """ADDR:PORT of a server, as the CLI takes it."""
    return f"{addr4(host)}:{port}" if family == 4 else f"[{addr6(host)}]:{port}"


class Failed(Exception):
    """A command that should have worked did not."""


def run(*cmd, check=True, stdin=None, timeout=60):
    """Runs a command to its end; returns the CompletedProcess with text output."""
    done = subprocess.run(cmd, input=stdin, capture_output=True, text=True, timeout=timeout,
                          check=False)
    if check and done.returncode:
        raise Failed(f"{' '.join(cmd)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_for(what, condition, timeout=10.0, every=0.05):
    """Waits until condition() is true and returns its value; fails naming `what`."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"timeout after {timeout} s: {what}")
        time.sleep(every)


def unmount_below(directory):
    """Unmounts what was mounted below a directory of ours."""
    with open("/proc/self/mounts", encoding="utf8") as mounts:
        ours = [m.split()[1] for m in mounts if m.split()[1].startswith(directory + "/")]
    for path in reversed(ours):
        run("umount", path, check=False)


def end_all_in(full):
    """Kills the processes of a namespace of ours; some may end by themselves meanwhile."""
    for pid in run("ip", "netns", "pids", full, check=False).stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass


def is_stale(name):
    """Is this the name of something of a run that has ended? Its pid is in the name."""
    found = re.match(r"spw-(\d+)-[0-9a-f]{6}-", name)
    return found and not os.path.exists(f"/proc/{found.group(1)}/exe")


def remove_stale():
    """Removes what runs that were killed outright left behind."""
    for row in run("ip", "-o", "netns", "list").stdout.split("\n"):
        if is_stale(row):
            full = row.split()[0]
            end_all_in(full)
            run("ip", "netns", "del", full, check=False)
    for name in filter(is_stale, os.listdir(tempfile.gettempdir())):
        directory = os.path.join(tempfile.gettempdir(), name)
        unmount_below(directory)
        shutil.rmtree(directory, ignore_errors=True)


def end_by_signal(*_):
    """SIGTERM ends Python at once; as an exception it lets everything be cleaned up."""
    sys.exit(143)


signal.signal(signal.SIGTERM, end_by_signal)


class Net:
    """A set of namespaces and the processes in them."""

    def __init__(self):
        self.id = f"{os.getpid()}-{secrets.token_hex(3)}"
        self.dir = tempfile.mkdtemp(prefix=f"spw-{self.id}-")
        os.chmod(self.dir, 0o711)  # HAProxy's user is another one
        self.names = {}
        self.processes = []
        self.closed = False
        self.links = itertools.count()
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ns(self, name):
        """Makes a namespace with loopback up."""
        full = f"spw-{self.id}-{name}"
        run("ip", "netns", "add", full)
        self.names[name] = full
        # no link-local address waits for duplicate detection when a test starts
        self.exec(name, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
                  "net.ipv6.conf.default.accept_dad=0")
        self.exec(name, "ip", "link", "set", "lo", "up")
        return full

    def _enter(self, name):
        return ["nsenter", f"--net=/run/netns/{self.names[name]}"]

    def exec(self, name, *cmd, **kw):
        """Runs a command in a namespace to its end."""
        return run(*self._enter(name), *cmd, **kw)

    def popen(self, name, *cmd, **kw):
        """Starts a process in a namespace; close() ends it."""
        log = open(os.path.join(self.dir, f"{name}-{next(self.links)}.log"), "w+b")
        kw.setdefault("stdout", log)
        kw.setdefault("stderr", log)
        process = subprocess.Popen([*self._enter(name), *cmd], **kw)
        process.log_path = log.name
        log.close()
        self.processes.append(process)
        return process

    def veth(self, a, a_if, b, b_if):
        """A cable between two namespaces, both ends up, checksums done by the senders' stacks."""
        run("ip", "link", "add", a_if, "netns", self.names[a], "type", "veth", "peer", "name", b_if,
            "netns", self.names[b])
        for name, dev in ((a, a_if), (b, b_if)):
            self.exec(name, "ip", "link", "set", dev, "up")
            self.exec(name, "ethtool", "-K", dev, "tx", "off", "gro", "on")

    def addr(self, name, dev, *addrs):
        """Adds addresses with prefix length; IPv6 without duplicate detection."""
        for text in addrs:
            extra = ["nodad"] if ":" in text else []
            self.exec(name, "ip", "addr", "add", text, "dev", dev, *extra)

    def kill(self, process, sig=signal.SIGKILL):
        """Ends a process of ours and waits for it."""
        if process.poll() is None:
            process.send_signal(sig)
        process.wait(timeout=20)

    def close(self):
        """Ends processes, removes namespaces, mounts and files. Safe to call twice."""
        if self.closed:
            return
        self.closed = True
        atexit.unregister(self.close)
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                print(f"pid {process.pid} does not end", file=sys.stderr)
        for full in self.names.values():
            end_all_in(full)  # what a daemon started and left behind: HAProxy
            run("ip", "netns", "del", full, check=False)
        unmount_below(self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)


class Gateway:
    """spillwayd in a namespace of a Net, with directories of its own, and its CLI."""

    def __init__(self, net, name="gw", interfaces=("front", "back"), args=()):
        self.net, self.name = net, name
        self.run_dir = os.path.join(net.dir, f"{name}-run")
        self.state_dir = os.path.join(net.dir, f"{name}-state")
        self.bpffs = os.path.join(net.dir, f"{name}-bpf")
        self.dirs = ["--run-dir", self.run_dir, "--bpffs", self.bpffs]
        self.args = ["--interface", ",".join(interfaces), "--state-dir", self.state_dir,
                     "--max-flows", "65536", *args]
        self.socket = os.path.join(self.run_dir, "spillwayd.sock")
        self.process = None

    def log(self):
        """What the daemon wrote to stderr since its latest start."""
        with open(self.process.log_path, encoding="utf8", errors="replace") as log:
            return log.read()

    def start(self, *more):
        """Starts the daemon and waits for its `ready`."""
        self.process = self.net.popen(self.name, SPILLWAYD, *self.dirs, *self.args, *more)

        def ready():
            if self.process.poll() is not None:
                raise Failed(f"spillwayd ended with {self.process.returncode}:\n{self.log()}")
            return re.search(r"\bready\b", self.log())

        try:
            wait_for("spillwayd ready", ready, timeout=30)
        except Failed as late:
            raise Failed(f"{late}\n{self.log()}") from None
        return self

    def kill(self, sig=signal.SIGKILL):
        """Ends the daemon; traffic must go on."""
        self.net.kill(self.process, sig)

    def detach(self, **kw):
        """spillwayd --detach"""
        return self.net.exec(self.name, SPILLWAYD, "--detach", *self.dirs, **kw)

    def ctl(self, *args, **kw):
        """Runs the CLI against this daemon; returns stdout."""
        return run(SPILLWAY, "--socket", self.socket, *args, **kw).stdout

    def json(self, *args):
        """Runs the CLI with -o json and decodes what it printed."""
        return json.loads(self.ctl(*args, "-o", "json"))

    def apply(self, text):
        """Applies a manifest given as text."""
        return self.ctl("apply", "-f", "-", stdin=text)

    def counters(self):
        """Every counter by name."""
        return {c["name"]: c["value"] for c in self.json("stats")["counters"]}

    def endpoints(self, vip=None):
        """Rows of `endpoints` by address, of one VIP or of all."""
        rows = {}
        for service in self.json("endpoints")["services"]:
            if vip in (None, service["vip"]):
                rows.update({e["address"]: e for e in service["endpoints"]})
        return rows

    def events(self, **fields):
        """Events whose fields have these values, oldest first."""
        return [e for e in self.json("events")["events"]
                if all(e.get(name) == value for name, value in fields.items())]

    def wait_event(self, timeout=15, **fields):
        """Waits for an event; returns the first that fits."""
        return wait_for(f"event {fields}", lambda: self.events(**fields), timeout)[0]

    def wait_state(self, address, state, timeout=15):
        """Waits until an endpoint has the state."""
        wait_for(f"{address} {state}",
                 lambda: self.endpoints().get(address, {}).get("state") == state, timeout)


class Web:
    """
    A real web server in a namespace; counts requests itself (see webserver.py). `port` may be the
    path of a Unix socket; with `pem`, a certificate and its key, it speaks TLS.
    """

    def __init__(self, net, host, port=8080, pem=None):
        self.net, self.host, self.port, self.pem = net, host, port, pem
        self.file = os.path.join(net.dir, f"{host}-{os.path.basename(str(port))}")
        self.count_file = self.file + ".count"
        self.process = None

    def start(self):
        """Starts it and waits until it listens."""
        ready = self.file + ".ready"
        if os.path.exists(ready):
            os.unlink(ready)
        self.process = self.net.popen(self.host, sys.executable, os.path.join(HERE, "webserver.py"),
                                      self.host, str(self.port), self.count_file, ready,
                                      *([self.pem] if self.pem else []))
        wait_for(f"web server {self.host}", lambda: os.path.exists(ready))
        return self

    def kill(self):
        """Ends the process as a crash would."""
        self.net.kill(self.process)

    def answer_with(self, status):
        """From now on everything is answered with this status."""
        with open(self.count_file + ".status", "w", encoding="ascii") as text:
            text.write(str(status))

    def drop_all(self, what=""):
        """The host drops all packets that come in, or those that an nft match is true for."""
        self.net.exec(self.host, "nft", "add table inet t; add chain inet t c { type filter hook "
                      f"prerouting priority 0; }}; add rule inet t c {what} counter drop")

    def drop_none(self):
        """Ends drop_all()."""
        self.net.exec(self.host, "nft", "delete table inet t")

    def count(self):
        """Requests answered since the first start, health probes not counted."""
        with open(self.count_file, "rb") as counter:
            return int.from_bytes(counter.read(8), "little")


def fetch(net, url_addr, requests, parallel=64, path="/", client="client", port=80, timeout=5):
    """Requests by real connections, one each; returns {"answers": {host: n}, "errors": [...]}."""
    done = net.exec(client, sys.executable, os.path.join(HERE, "webclient.py"), url_addr, str(port),
                    path, str(requests), str(parallel), str(timeout), timeout=300)
    return json.loads(done.stdout)


def standard_net():
    """The topology of the head of this file, without processes."""
    net = Net()
    try:
        for name in ("client", "gw", "sw", *SERVERS):
            net.ns(name)
        net.veth("client", "c0", "gw", "front")
        net.veth("sw", "gw0", "gw", "back")
        net.exec("sw", "ip", "link", "add", "br0", "type", "bridge",
                 "mcast_snooping", "0")
        net.exec("sw", "ip", "link", "set", "br0", "up")
        net.exec("sw", "ip", "link", "set", "gw0", "master", "br0")
        for host, number in SERVERS.items():
            net.veth("sw", host, host, "eth0")
            net.exec("sw", "ip", "link", "set", host, "master", "br0")
            net.addr(host, "eth0", f"203.0.113.{number}/24", f"2001:db8:b::{number}/64")
        net.addr("client", "c0", "198.51.100.2/24", "2001:db8:f::2/64")
        net.addr("gw", "front", "198.51.100.1/24", "2001:db8:f::1/64")
        net.addr("gw", "back", "203.0.113.1/24", "2001:db8:b::1/64")
        net.exec("client", "ip", "route", "add", "192.0.2.0/24", "via", "198.51.100.1")
        net.exec("client", "ip", "route", "add", "2001:db8::/64", "via", "2001:db8:f::1")
    except BaseException:
        net.close()
        raise
    return net


def manifest(primaries=("p1", "p2", "p3"), fallbacks=("f1", "f2"), interval="200ms",
             timeout="1s", panic=None, check=True, port=8080, families=(4, 6)):
    """
    Gateway, route, Backends and policy over the standard servers, as YAML. The timeout is what
    these servers may need on a machine that does other things too.
    """
    def rows(hosts):
        return "\n".join(f"  - ip: {{address: '{(addr4 if f == 4 else addr6)(h)}', port: {port}}}"
                         for f in families for h in hosts)
    docs = [f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: spillway
  addresses:
  - value: {VIP4}
  - value: {VIP6}
  listeners:
  - {{name: web, port: 80, protocol: TCP}}
""", f"""
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: web}}
spec:
  endpoints:
{rows(primaries)}
"""]
    refs = "\n    - {group: gateway.envoyproxy.io, kind: Backend, name: web}"
    if fallbacks:
        docs.append(f"""
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: web-fallback}}
spec:
  fallback: true
  endpoints:
{rows(fallbacks)}
""")
        refs += "\n    - {group: gateway.envoyproxy.io, kind: Backend, name: web-fallback}"
    docs.append(f"""
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: web}}
spec:
  parentRefs: [{{name: edge}}]
  rules:
  - backendRefs:{refs}
""")
    if check:
        threshold = "" if panic is None else f"\n    panicThreshold: {panic}"
        docs.append(f"""
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: web}}
spec:
  targetRefs:
  - {{group: gateway.networking.k8s.io, kind: TCPRoute, name: web}}
  healthCheck:{threshold}
    active:
      type: HTTP
      interval: {interval}
      timeout: {timeout}
      unhealthyThreshold: 2
      http: {{path: /healthz}}
""")
    return "---".join(docs)
