# SPDX-License-Identifier: BSD-2-Clause
"""apply --prune, diff, create and expose against a running daemon."""
import os

import lib

VIP = "192.0.2.20"
LABELLED = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: {name}, labels: {{app: shop}}}}
spec: {{endpoints: [{{ip: {{address: {address}, port: 8080}}}}]}}
"""
SECRET = "\napiVersion: v1\nkind: Secret\nmetadata: {{name: key}}\nstringData: {{a: {a}, b: same}}\n"


def backend(name, host="p1"):
    """A Backend of one server, labelled."""
    return LABELLED.format(name=name, address=lib.addr4(host))


def ctl(gw, *args, stdin=None):
    """The tool, which may fail."""
    return lib.run(lib.SPILLWAY, "--socket", gw.socket, *args, stdin=stdin, check=False)


def names(gw, kind="backends"):
    """What is stored of a kind."""
    return {o["metadata"]["name"] for o in gw.json("get", kind)["items"]}


def test_a_prune_takes_what_was_applied_with_the_labels_and_nothing_else(system):
    gw = system.gw
    gw.apply(lib.manifest())
    gw.apply(backend("one") + "---" + backend("two"))
    gw.ctl("create", "-f", "-", stdin=backend("made"))
    gw.ctl("-n", "other", "apply", "-f", "-", stdin=backend("elsewhere"))
    files = backend("one") + "---" + backend("three")
    shown = ctl(gw, "diff", "-f", "-", "--prune", "-l", "app=shop", stdin=files)
    assert shown.returncode == 1
    assert "Backend.default.two" in shown.stdout and "Backend.default.made" not in shown.stdout
    assert names(gw) == {"web", "web-fallback", "one", "two", "made"}
    said = gw.ctl("apply", "-f", "-", "--prune", "-l", "app=shop", stdin=files).splitlines()
    assert said == ["backend.gateway.envoyproxy.io/one unchanged",
                    "backend.gateway.envoyproxy.io/three created",
                    "backend.gateway.envoyproxy.io/two pruned"]
    assert names(gw) == {"web", "web-fallback", "one", "three", "made"}
    # A refused apply prunes nothing, and a restart forgets nothing of it.
    bad = ctl(gw, "apply", "-f", "-", "--prune", "-l", "app=shop",
              stdin=backend("one").replace("8080", "70000"))
    assert bad.returncode == 1 and "three" in names(gw)
    gw.kill()
    gw.start()
    said = gw.ctl("apply", "-f", "-", "--prune", "--all", stdin=backend("one")).splitlines()
    assert said[0] == "backend.gateway.envoyproxy.io/one unchanged"
    assert names(gw) == {"one", "made"} and names(gw, "gateways") == set()
    assert len(gw.json("-n", "other", "get", "backends")["items"]) == 1


def test_a_diff_shows_what_an_apply_would_change_and_changes_nothing(system):
    gw = system.gw
    gw.apply(lib.manifest() + "---" + SECRET.format(a="old"))
    same = ctl(gw, "diff", "-f", "-", stdin=lib.manifest() + "---" + SECRET.format(a="old"))
    assert (same.returncode, same.stdout, same.stderr) == (0, "", "")
    other = ctl(gw, "diff", "-f", "-", stdin=lib.manifest(primaries=("p1", "p2")) + "---" +
                SECRET.format(a="new") + "---" + backend("fresh"))
    assert other.returncode == 1
    assert f"-      address: {lib.addr4('p3')}\n" in other.stdout
    assert "-  generation: 1\n+  generation: 2\n" in other.stdout
    assert "\n   name: web\n" in other.stdout and "status:" not in other.stdout
    assert "-  a: '*** (before)'\n+  a: '*** (after)'\n" in other.stdout
    assert "+  name: fresh\n" in other.stdout
    assert "   b: '***'\n" in other.stdout
    assert "b2xk" not in other.stdout and "bmV3" not in other.stdout
    assert "fresh" not in names(gw)
    bad = ctl(gw, "diff", "-f", "-", stdin=backend("x").replace("8080", "70000"))
    assert bad.returncode == 2 and bad.stdout == ""
    assert bad.stderr.startswith('STDIN:5:') and 'The Backend "x" is invalid: ' in bad.stderr


def test_an_exposed_backend_serves_clients(system):
    gw = system.gw
    gw.apply(backend("shop") + "---" + backend("spare", "p2"))
    dry = gw.ctl("expose", "backend", "shop", "--address", VIP, "--port", "80", "--dry-run=client",
                 "-o", "yaml")
    assert names(gw, "gateways") == set()
    assert gw.ctl("expose", "backend", "shop", "--address", VIP, "--port", "80").splitlines() == [
        "gateway.gateway.networking.k8s.io/shop created",
        "tcproute.gateway.networking.k8s.io/shop created"]
    assert ctl(gw, "diff", "-f", "-", stdin=dry).returncode == 0
    gw.ctl("expose", "be/shop", "--address", VIP, "--port", "81")
    for port in (80, 81):
        done = lib.fetch(system.net, VIP, 20, port=port)
        assert done["errors"] == [] and done["answers"] == {"p1": 20}
    taken = ctl(gw, "expose", "be/spare", "--address", VIP, "--port", "81")
    assert taken.returncode == 1
    assert taken.stderr == ('error: port 81/TCP is taken: listener "tcp-81" of Gateway default/shop '
                            'has it on the same address\n')
    assert names(gw, "gateways") == {"shop"} and names(gw, "tcproutes") == {"shop", "shop-81"}
    # The same address for another Gateway is fine as long as the port is free.
    assert ctl(gw, "expose", "be/spare", "--address", VIP, "--port", "82").stderr == ""
    assert lib.fetch(system.net, VIP, 20, port=82)["answers"] == {"p2": 20}
    assert lib.fetch(system.net, VIP, 20, port=80)["answers"] == {"p1": 20}


def test_a_create_refuses_what_is_there_and_deletes_go_by_labels(system, tmp_path):
    gw = system.gw
    gw.apply(lib.manifest())
    path = os.path.join(tmp_path, "new.yaml")
    with open(path, "w", encoding="utf8") as out:
        out.write(backend("new") + "---" + backend("web"))
    done = ctl(gw, "create", "-f", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0] == (
        f'{path}:7:1: Error from server (AlreadyExists): error when creating "{path}": '
        'backends.gateway.envoyproxy.io "web" already exists')
    assert "new" not in names(gw)
    gw.ctl("create", "-f", path, "-l", "app=shop", "--dry-run=client")
    gw.ctl("create", "-f", "-", stdin=backend("new"))
    assert gw.ctl("delete", "be", "-l", "app=shop", "-A", "-o", "name").split() == [
        "backend.gateway.envoyproxy.io/new"]
    assert names(gw) == {"web", "web-fallback"}
