# SPDX-License-Identifier: BSD-2-Clause
"""Kernels as Debian builds them: fetched by apt once, unpacked below build/kernels/, never installed.

The packages are those of its cloud images: small, with BTF, virtio and the modules that hosts have.
"""
import glob
import lzma
import os
import re
import shutil
import subprocess

# series: the package of Debian 12 that stands for its newest kernel
SERIES = {"6.1": "linux-image-cloud-amd64", "6.12": "linux-image-6.12-cloud-amd64"}


class Failed(Exception):
    """Something a boot needs cannot be had."""


def run(*cmd, **kw):
    """Runs a command to its end; returns what it printed."""
    done = subprocess.run(cmd, capture_output=True, text=True, check=False, **kw)
    if done.returncode:
        raise Failed(f"{' '.join(cmd)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Kernel:
    """An unpacked package."""

    def __init__(self, series, root):
        self.series, self.root = series, root
        self.image = glob.glob(os.path.join(root, "boot", "vmlinuz-*"))[0]
        self.release = os.path.basename(self.image).removeprefix("vmlinuz-")
        self.modules = os.path.join(root, "lib", "modules", self.release)

    def closure(self, *names):
        """Paths of these modules and of all they need, in the order to load them; built-in ones not."""
        wanted = {}
        with open(os.path.join(self.modules, "modules.dep"), encoding="ascii") as rows:
            for row in rows:
                path, needs = row.strip().split(":")
                stem = os.path.basename(path).split(".")[0].replace("-", "_")
                wanted[stem] = [*reversed(needs.split()), path]
        order = []
        for name in names:
            order += [p for p in wanted.get(name, ()) if p not in order]
        return [os.path.join(self.modules, p) for p in order]


def plain_module(path):
    """A module's bytes; some kernels have them compressed."""
    with (lzma.open if path.endswith(".xz") else open)(path, "rb") as module:
        return module.read()


def newest(meta):
    """The package that a metapackage stands for."""
    names = re.findall(r"^ +Depends: (linux-image-\S+)$", run("apt-cache", "depends", meta), re.M)
    if not names:
        raise Failed(f"apt knows no {meta}")
    return names[0]


def download(meta, into):
    """Fetches the package behind `meta`; with fresh lists when those at hand are stale or missing."""
    try:
        run("apt-get", "download", "-q", newest(meta), cwd=into)
    except Failed:
        run("apt-get", "update", "-qq")
        run("apt-get", "download", "-q", newest(meta), cwd=into)
    return glob.glob(os.path.join(into, "linux-image-*.deb"))[0]


def kernel(series, cache):
    """The kernel of a series, from the cache or from Debian."""
    root = os.path.join(cache, series)
    if not os.path.exists(os.path.join(root, "complete")):
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root)
        package = download(SERIES[series], root)
        run("dpkg-deb", "-x", package, root)
        os.unlink(package)
        run("depmod", "-b", root, Kernel(series, root).release)
        with open(os.path.join(root, "complete"), "w", encoding="ascii"):
            pass
    return Kernel(series, root)
