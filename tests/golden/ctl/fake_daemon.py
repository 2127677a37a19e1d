# SPDX-License-Identifier: BSD-2-Clause
"""A stand-in for spillwayd that answers as docs/api.md says, so that the tool is tested without root.

It keeps what is applied, checks nothing, and refuses or warns about what a test asks it to:
an annotation `refuse: TEXT` or `warn: TEXT` (with `warn-path: PATH`) on an object.
"""
import copy
import http.server
import json
import re
import socketserver
import threading
import time
import urllib.parse

GROUPS = {"backends": ("gateway.envoyproxy.io", "v1alpha1", "Backend"),
          "backendtrafficpolicies": ("gateway.envoyproxy.io", "v1alpha1", "BackendTrafficPolicy"),
          "gateways": ("gateway.networking.k8s.io", "v1", "Gateway"),
          "tcproutes": ("gateway.networking.k8s.io", "v1alpha2", "TCPRoute"),
          "udproutes": ("gateway.networking.k8s.io", "v1alpha2", "UDPRoute"),
          "referencegrants": ("gateway.networking.k8s.io", "v1beta1", "ReferenceGrant"),
          "httproutes": ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
          "tlsroutes": ("gateway.networking.k8s.io", "v1", "TLSRoute"),
          "backendtlspolicies": ("gateway.networking.k8s.io", "v1", "BackendTLSPolicy"),
          "gatewayclasses": ("gateway.networking.k8s.io", "v1", "GatewayClass"),
          "configmaps": ("", "v1", "ConfigMap"),
          "secrets": ("", "v1", "Secret")}
CLUSTER = ["gatewayclasses"]
PLURAL = {kind: plural for plural, (_, _, kind) in GROUPS.items()}
AGE_S = 5 * 3600 + 30 * 60 + 20  # 5h30m for the next 40 seconds


def endpoint(address, backend, tier, share, state, **more):
    """One row of an endpoints answer."""
    row = {"backend": backend, "address": address, "tier": tier, "weight": 1,
           "sharePercent": share, "state": state, "reason": "status 200", "admin": "auto",
           "sinceSeconds": 12, "checked": True, "activeFlows": 3, "totalFlows": 100,
           "packetsIn": 1000, "bytesIn": 64000, "packetsOut": 900, "bytesOut": 1200000,
           "problem": None, "kind": "ip", "path": "xdp", "pathReason": "mode nat", "fqdn": None, "carried": True,
           "latest": "status 200", "zone": None,
           "passive": False, "ejectedSecondsLeft": 0, "ejections": 0, "rampPercent": 0}
    row.update(more)
    return row


def tier(number, healthy, total, load, panic=False):
    """One tier of an endpoints answer."""
    return {"tier": number, "total": total, "healthy": healthy, "loadPercent": load,
            "panic": panic, "availablePercent": min(100, 140 * healthy // total) if total else 0}


def service(name, listener, vip, protocol, tiers, endpoints, **more):
    """One service of an endpoints answer."""
    row = {"name": name, "listener": listener, "gateway": name.split("/", maxsplit=1)[0] + "/edge",
           "route": "UDPRoute" if protocol == "UDP" else "TCPRoute", "vip": vip, "port": 53 if protocol == "UDP" else 80, "protocol": protocol,
           "tiers": tiers, "endpoints": endpoints, "zone": None, "zoneNote": None, "empty": False,
           "noEndpoint": {"new": "answer", "established": "leave"}}
    row.update(more)
    return row


SERVICES = [
    service("default/web", "http", "192.0.2.1", "TCP", [tier(0, 2, 3, 93), tier(1, 1, 1, 7)], [
        endpoint("10.0.0.1:80", "default/web", 0, 46.5, "up"),
        endpoint("10.0.0.2:80", "default/web", 0, 46.5, "up"),
        endpoint("10.0.0.3:80", "default/web", 0, 0, "down", reason="timeout", activeFlows=0,
                 latest="connection refused"),
        endpoint("10.0.1.1:80", "default/spare", 1, 7, "up",
                 problem="no route to the endpoint")],
            table={"size": 509, "inMotion": 0, "digest": "a6bff67a340beb06"}),
    service("default/dns", "dns", "2001:db8::1", "UDP",
            [tier(0, 1, 5, 100, panic=True), tier(1, 0, 0, 0)],
            [endpoint("[2001:db8:b::1]:53", "default/dns", 0, 20.0, "up", checked=False, reason="",
                      latest="")],
            noEndpoint={"new": "unreachable", "established": "drop"},
            table={"size": 4093, "inMotion": 1021, "digest": "0123456789abcdef"}),
    service("other/web", "http", "192.0.2.2", "TCP", [tier(0, 1, 5, 50), tier(1, 1, 5, 50)], [],
            empty=True),
    service("tiers/api", "http", "192.0.2.3", "TCP",
            [tier(0, 1, 5, 28, panic=True), tier(1, 2, 5, 56), tier(7, 1, 1, 16)], [
                endpoint("10.0.2.1:80", "tiers/a", 0, 7, "starting", reason="status 200",
                         rampPercent=40, zone="east", passive=True),
                endpoint("10.0.2.2:80", "tiers/a", 0, 7, "ejected", checked=False, passive=True,
                         reason="5 SYNs unanswered", latest="", ejectedSecondsLeft=25,
                         ejections=3, zone="west"),
                endpoint("10.0.2.3:80", "tiers/a", 0, 0, "draining", admin="drain",
                         reason="set by the operator"),
                endpoint("10.0.3.1:80", "tiers/b", 1, 28, "unknown", reason="", latest=""),
                endpoint("api.example.com:443", "tiers/b", 1, 0, "down", kind="fqdn", path="userspace",
                         carried=False, pathReason="TLS, host name", reason="certificate has expired", activeFlows=0,
                         latest="certificate has expired"),
                endpoint("unix:/run/api.sock", "tiers/c", 7, 0, "up", kind="unix", carried=False,
                         path="userspace", pathReason="Unix socket",
                         reason="", activeFlows=0)],
            zone="east", zoneNote="preferLocal has no effect: fewer than 6 endpoints are up"),
    service("tiers/gone", "gone", "192.0.2.4", "TCP", [tier(0, 0, 1, 100)],
            [endpoint("10.0.4.1:80", "tiers/gone", 0, 0, "down", admin="down",
                      reason="set by the operator")], empty=True,
            noEndpoint={"new": "drop", "established": "pass"}),
    service("tiers/tls", "tls", "192.0.2.5", "TCP", [],
            [endpoint("10.0.5.1:443", "tiers/tls", 0, 0, "up", carried=False, reason="")],
            empty=True),
]
EVENTS = [("endpoint", "10.0.0.3:80", "default/web", "unknown", "up", "status 200"),
          ("endpoint", "10.0.0.3:80", "default/web", "up", "down", "timeout"),
          ("tiers", "default/web at 192.0.2.1:80/tcp", "", "100/0", "93/7", "tier 0: 2 of 3 up"),
          ("endpoint", "[2001:db8:b::1]:53", "default/dns", "up", "draining",
           "set by the operator"),
          ("drain", "[2001:db8:b::1]:53", "default/dns", "", "started", "10m, then reset"),
          ("endpoint", "api.example.com:443", "other/api", "up", "down", "status 503")]
COUNTERS = [{"name": "pass_not_ip", "kind": "pass", "description": "not IP", "value": 0},
            {"name": "drop_ttl", "kind": "drop", "description": "time to live used up",
             "value": 12345678901}]
GUARDED = [{"address": "192.0.2.1:80", "protocol": "TCP", "denied": 3, "notAllowed": 0, "limited": 12,
            "sourceLimited": 4567890}]
FLOW = {"protocol": "TCP", "client": "198.51.100.2:40000", "vip": "192.0.2.1:80",
        "source": "203.0.113.1:1024", "endpoint": "10.0.0.1:80", "state": "established",
        "ageSeconds": 75, "idleSeconds": 0}
STATUS = {"version": "0.1.0", "pid": 42, "uptimeSeconds": 200,
          "interfaces": [{"name": "eth0", "attached": True, "mode": "native", "modeReason": None,
                          "driver": "ixgbe", "problem": None},
                         {"name": "eth1", "attached": True, "mode": "generic",
                          "modeReason": "its driver has no native XDP: use another",
                          "driver": "tg3", "problem": "cannot transmit what is redirected"},
                         {"name": "eth2", "attached": False, "mode": None, "modeReason": None,
                          "driver": None, "problem": "no such interface"}],
          "sources": ["203.0.113.1"], "sysctls": ["net.ipv4.conf.eth0.forwarding: 0 -> 1"],
          "offloads": ["rx-vlan-offload of eth0: on -> off"],
          "vips": [{"address": "192.0.2.1", "problem": None},
                   {"address": "2001:db8::1", "problem": "another host answers for it"}],
          "flows": {"count": 7, "max": 262144, "maxIPv6": 65536, "bytes": 5242880},
          "mapBytes": 10485760,
          "maps": {"services": {"count": 2, "max": 4096}, "endpoints": {"count": 6, "max": 16384},
                   "slots": {"count": 1024, "max": 2097152}},
          "resources": {"Backend": 3, "Gateway": 1}, "services": 2, "endpoints": 5,
          "health": {"unknown": 0, "up": 3, "starting": 0, "down": 1, "ejected": 1, "draining": 0},
          "zone": "east",
          "resourceVersion": "12", "problems": ["store: the disk is full"]}


class Daemon:
    """What the fake keeps: objects by (project, plural, namespace, name)."""

    def __init__(self):
        self.objects = {}
        self.applied = set()  # keys of objects that an apply made or changed
        self.version = 0
        self.requests = []
        self.broken = None  # (code, body text) instead of any answer
        self.events = []
        for index, texts in enumerate(EVENTS):
            self.happen(*texts, age_s=10815 - 3600 * (index // 2))
        self.drains = []
        self.ends_per_look = 0  # flows of each drain that end between two looks

    def happen(self, *texts, age_s=0):
        """One more event: kind, subject, backend, from, to, reason."""
        row = dict(zip(("kind", "subject", "backend", "from", "to", "reason"), texts))
        when = time.strftime("%Y-%m-%dT%H:%M:%S.678Z", time.gmtime(time.time() - age_s))
        row.update(seq=len(self.events) + 1, time=when, monotonicNs=123)
        self.events.append(row)

    def events_after(self, since, limit):
        """An events answer."""
        return {"events": [e for e in self.events if e["seq"] > since][:limit],
                "last": self.events[-1]["seq"] if self.events else 0,
                "oldest": self.events[0]["seq"] if self.events else 0}

    def drain(self, body):
        """Begins drains."""
        if body.get("backend", "default/web") != "default/web":
            return 404, status(404, "NotFound", f'backend "{body["backend"]}" has no endpoints')
        addresses = [body["address"]] if "address" in body else ["10.0.0.1:80", "10.0.0.2:80"]
        if not addresses[0].startswith("10.0.0."):
            return 404, status(404, "NotFound", f'endpoint "{addresses[0]}" not found')
        addresses = [a if ":" in a else a + ":80" for a in addresses]
        self.drains = [row for row in self.drains if row["address"] not in addresses]
        for address in addresses:
            flow = dict(FLOW, endpoint=address)
            self.drains.append({
                "address": address, "backend": "default/web", "startedSeconds": 65,
                "deadlineSecondsLeft": body["deadlineSeconds"] or None, "then": body["then"],
                "flowsAtStart": 37, "activeFlows": 37, "estimateSeconds": 130,
                "state": "draining", "longest": [dict(flow, ageSeconds=86400), flow]})
        return 200, {"endpoints": [{"address": a, "from": "auto", "to": "drain",
                                    "activeFlows": 37} for a in addresses],
                     "shared": [a for a in addresses if a == "10.0.0.2:80"]}

    def look(self, address):
        """A drains answer; flows end meanwhile."""
        answer = {"drains": [copy.deepcopy(row) for row in self.drains
                             if address in (None, row["address"])]}
        for row in self.drains:
            row["activeFlows"] = max(0, row["activeFlows"] - self.ends_per_look)
            if not row["activeFlows"]:
                row.update(state="done", longest=[], estimateSeconds=0)
        return answer

    def apply(self, project, request):
        """The apply call: (code, body)."""
        plan, warnings, causes = [], [], []
        for index, given in enumerate(request["objects"]):
            obj = copy.deepcopy(given)
            meta = obj["metadata"]
            if PLURAL[obj["kind"]] not in CLUSTER:
                meta.setdefault("namespace", request["namespace"])
            notes = meta.get("annotations", {})
            if "refuse" in notes:
                causes.append({"index": index, "message": notes["refuse"]})
            if "warn" in notes:
                warnings.append({"index": index, "path": notes.get("warn-path", ""),
                                 "message": notes["warn"]})
            plan.append((index, (project, PLURAL[obj["kind"]], meta.get("namespace", ""),
                                 meta["name"]), obj))
        if causes:
            return 422, {"kind": "Status", "apiVersion": "v1", "status": "Failure",
                         "message": "refused", "reason": "Invalid", "code": 422,
                         "details": {"causes": causes}}
        refused = self.precondition(plan, request["operation"])
        if refused:
            return refused
        kept = dict(self.objects)
        results = [self.change(index, key, obj, request["operation"]) for index, key, obj in plan]
        pruned = self.prune(project, request["prune"], plan) if "prune" in request else []
        rows = results + pruned
        for row, key in zip(rows, [key for _, key, _ in plan] + [tuple(r.pop("key")) for r in pruned]):
            show(row, request["show"], kept.get(key), self.objects.get(key))
        if request["dryRun"]:
            self.objects = kept
        elif request["operation"] == "apply":
            self.applied |= {key for _, key, _ in plan}
        return 200, {"results": results, "pruned": pruned, "warnings": warnings}

    def precondition(self, plan, operation):
        """What create and edit rely on; None, or (code, body)."""
        causes = []
        for index, key, obj in plan:
            old, seen = self.objects.get(key), obj["metadata"].get("resourceVersion")
            group = GROUPS[key[1]][0]
            name = f'{key[1]}{"." if group else ""}{group} "{key[3]}"'
            if operation == "edit" and seen and seen != (old or {"metadata": {}})["metadata"].get(
                    "resourceVersion"):
                return 409, status(409, "Conflict", f"Operation cannot be fulfilled on {name}")
            if old and (operation == "create" or (operation == "edit" and not seen)):
                causes.append({"index": index, "message": f"{name} already exists"})
        if not causes:
            return None
        return 409, dict(status(409, "AlreadyExists", causes[0]["message"]),
                         details={"causes": causes})

    def prune(self, project, terms, plan):
        """Deletes what the terms say; the rows of the answer."""
        given = {key for _, key, _ in plan}
        kinds = [PLURAL[k["kind"]] for k in terms.get("kinds", [])] or list(GROUPS)
        rows = []
        for key in sorted(self.applied & set(self.objects) - given):
            if (key[0] == project and key[1] in kinds and key[2] in {k[2] for k in given} and
                    selects(terms.get("selector"), self.objects[key])):
                rows.append(dict(self.change(0, key, self.objects[key], "delete"), key=key))
        return rows

    def change(self, index, key, obj, operation):
        """Carries out one change; returns its row of the results."""
        old = self.objects.get(key)
        if operation == "delete":
            outcome = "deleted" if self.objects.pop(key, None) else "notfound"
        else:
            outcome = "created" if not old else "configured"
            if old and all(old.get(part) == obj.get(part) for part in ("spec", "data")):
                outcome = "unchanged"
            else:
                self.objects[key] = self.stored(obj, old)
        return {"index": index, "kind": obj["kind"], "group": GROUPS[key[1]][0],
                "namespace": key[2], "name": key[3], "outcome": outcome}

    def stored(self, obj, old):
        """The object with what a server adds."""
        self.version += 1
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - AGE_S))
        if old:
            made = old["metadata"]["creationTimestamp"]
        obj["metadata"].update(uid="50d244aa-b7a4-46b2-b355-fb8fa643aa37", creationTimestamp=made,
                               generation=2 if old else 1, resourceVersion=str(self.version))
        if obj["kind"] in ("Backend", "Gateway"):
            kind = "Accepted" if obj["kind"] == "Backend" else "Programmed"
            obj["status"] = {"conditions": [{
                "type": kind, "status": "True", "reason": kind, "observedGeneration": 1,
                "message": f"The {obj['kind']} was accepted", "lastTransitionTime": made}]}
        return obj

    def get(self, project, plural, namespace, name):
        """One object or a list: (code, body)."""
        group, version, kind = GROUPS[plural]
        if name:
            found = self.objects.get((project, plural, namespace or "", name))
            if found:
                return 200, found
            return 404, status(404, "NotFound", f'{plural}{"." if group else ""}{group} "{name}" not found')
        items = [obj for key, obj in sorted(self.objects.items())
                 if key[:2] == (project, plural) and namespace in (None, key[2])]
        return 200, {"apiVersion": f"{group}/{version}".lstrip("/"), "kind": kind + "List",
                     "metadata": {"resourceVersion": str(self.version)}, "items": items}

    def answer(self, method, target, body):
        """Everything: (code, body)."""
        self.requests.append((method, target, body))
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query))
        prefix = re.match(r"/projects/([^/]+)/control-plane(/.*)", url.path)
        project, path = prefix.groups() if prefix else ("default", url.path)
        own = re.fullmatch(r"/apis/spillway.dev/v1alpha1/(.*)", path)
        if own:
            return self.own(own.group(1), project, query, body)
        if path == "/version":
            return 200, {"gitVersion": "v0.1.0", "major": "0", "minor": "1"}
        path = re.sub("^/api/", "/apis/core/", path)
        found = re.fullmatch(r"/apis/([^/]+)/([^/]+)(?:/namespaces/([^/]+))?/([^/]+)(?:/([^/]+))?",
                             path)
        if not found or found.group(4) not in GROUPS:
            return 404, status(404, "NotFound", "the server could not find the requested resource")
        namespace, plural, name = (urllib.parse.unquote(part) if part else None
                                   for part in found.groups()[2:])
        return self.get(project, plural, namespace, name)

    def own(self, path, project, query, body):
        """Spillway's own paths."""
        if path == "apply":
            return self.apply(project, body)
        if path == "drains":
            return self.drain(body) if body else (200, self.look(query.get("address")))
        if path == "events":
            return 200, self.events_after(int(query["since"]), int(query["limit"]))
        if path == "endpoints/state":
            if not body["address"].startswith("10.0.0."):
                return 404, status(404, "NotFound", f"no endpoint has {body['address']}")
            self.drains.clear()
            full = body["address"] if ":" in body["address"] else body["address"] + ":80"
            return 200, {"endpoints": [{"address": full, "from": "auto", "to": body["state"]}]}
        if path == "flows":
            return 200, {"count": 2, "truncated": query["limit"] == "1",
                         "flows": [FLOW] * min(2, int(query["limit"]))}
        return 200, {"endpoints": {"services": SERVICES}, "stats": {"counters": COUNTERS, "services": GUARDED},
                     "flows/count": {"count": 2, "max": 262144, "maxIPv6": 65536}, "status": STATUS}[path]


def selects(selector, obj):
    """Whether a LabelSelector matches."""
    labels = obj["metadata"].get("labels", {})
    for want in (selector or {}).get("matchExpressions", []):
        label = labels.get(want["key"])
        good = {"In": label in want.get("values", []),
                "NotIn": label not in want.get("values", []),
                "Exists": label is not None, "DoesNotExist": label is None}[want["operator"]]
        if not good:
            return False
    return True


def show(row, what, before, after):
    """Puts the objects into a row of an answer, as asked for."""
    for key, obj in (("before", before if what == "both" else None),
                     ("after", after if what != "nothing" else None)):
        if obj:
            row[key] = {k: v for k, v in obj.items() if k != "status"}


def status(code, reason, message):
    """A Kubernetes Status."""
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
            "reason": reason, "code": code}


class Handler(http.server.BaseHTTPRequestHandler):
    """HTTP around the daemon."""

    protocol_version = "HTTP/1.1"

    def respond(self):
        """Any request."""
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        code, text = self.server.daemon.broken or self.server.daemon.answer(
            self.command, self.path, body)
        data = (text if isinstance(text, str) else json.dumps(text)).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = respond  # pylint: disable=invalid-name

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """Quiet."""


class Server(socketserver.ThreadingUnixStreamServer):
    """The fake on a socket; `with Server(path):` runs it."""

    daemon_threads = True

    def __init__(self, path):
        self.daemon = Daemon()
        super().__init__(path, Handler)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
