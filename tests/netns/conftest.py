# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: a running gateway with its servers, torn down after each test, also a failed one."""
import pytest

import lib


def pytest_sessionstart():
    """A clean start, also after a run that was killed."""
    lib.remove_stale()


class System:
    """A net, its web servers and the gateway."""

    def __init__(self, net):
        self.net = net
        self.web = {host: lib.Web(net, host) for host in lib.SERVERS}
        self.gw = lib.Gateway(net)

    def fetch(self, requests, vip=lib.VIP4, **kw):
        """Requests from the client to the VIP."""
        return lib.fetch(self.net, vip, requests, **kw)


@pytest.fixture
def net():
    """The standard topology without processes."""
    made = lib.standard_net()
    yield made
    made.close()


@pytest.fixture
def system(net):
    """Servers and an empty gateway, running."""
    it = System(net)
    for web in it.web.values():
        web.start()
    it.gw.start()
    yield it
    if it.gw.process:
        print(it.gw.log())  # pytest shows it when the test failed


@pytest.fixture
def served(system):
    """The same with the standard manifest applied and every endpoint up."""
    system.gw.apply(lib.manifest())
    for host in lib.SERVERS:
        system.gw.wait_state(lib.endpoint(host), "up")
        system.gw.wait_state(lib.endpoint(host, 6), "up")
    return system
