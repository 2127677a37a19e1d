# SPDX-License-Identifier: BSD-2-Clause
"""A virtual machine with a kernel of our choice and this host's files.

The guest's root is this host's, shared by virtiofs, below a layer in memory that takes all writes:
what is installed and built here runs there as it is, and nothing here changes. Processors are
emulated (TCG), so no /dev/kvm is needed. What the guest reports comes by a second serial line, a
JSON object each, apart from the kernel's words on the console; the last one is {"exit": STATUS}.

Each of CARDS is a virtio-net card; those of one hub see each other's frames, as on one switch.
"""
import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time

import debian

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
BUSYBOX = "/bin/busybox"
MEMORY_MB = 2048
# what the guest calls it: (hub, last byte of its MAC, 52:54:00:00:00:xx)
CARDS = {"c0": (1, 1), "front": (1, 2), "near": (1, 3), "back": (2, 4), "p1": (2, 5), "p2": (2, 6)}
# What reads the host's files; the rest is loaded from there when it is asked for.
MODULES = ("virtio_pci", "virtiofs", "overlay")

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod $module || echo "init: $module: not loaded"; done
mount -t virtiofs -o ro host /host || echo "init: the host's files are not there"
mount -t tmpfs -o size=75% memory /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work layers /new
mount -t tmpfs run /new/run
mount -t sysfs sys /new/sys
mount --move /proc /new/proc
mount --move /dev /new/dev
mkdir -p /new/dev/shm && mount -t tmpfs shm /new/dev/shm
cp /command /new/run/command
exec switch_root /new /bin/sh /run/command
"""

# A host that is up: the kernel finds its modules, and the cards are there.
COMMAND = """cd {root}
mkdir -p /lib/modules && ln -sfn {modules} /lib/modules/{release}
modprobe virtio_net
ip link set lo up
{command}
echo "{{\\"exit\\": $?}}" > /dev/ttyS1
/bin/busybox poweroff -f
"""


def mac(card):
    """The MAC address of a card."""
    return f"52:54:00:00:00:{CARDS[card][1]:02x}"


class Guest:
    """One boot, and the processes and files that go away with it. Its console goes to the file `log`,
    or to standard output without one."""

    def __init__(self, kernel, log=None):
        self.kernel, self.log = kernel, log
        self.dir = tempfile.mkdtemp(prefix="spillway-vm-")
        self.children = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            if child.poll() is None:
                child.kill()
            child.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        """A file of this boot."""
        return os.path.join(self.dir, name)

    def make_initramfs(self, command):
        """What runs before the host's files can be read; then the command in their midst."""
        tree = self.path("tree")
        for name in ("bin", "modules", "proc", "dev", "host", "memory", "new"):
            os.makedirs(os.path.join(tree, name))
        shutil.copy(BUSYBOX, os.path.join(tree, "bin", "busybox"))
        for number, path in enumerate(self.kernel.closure(*MODULES)):
            with open(os.path.join(tree, "modules", f"{number:02}.ko"), "wb") as module:
                module.write(debian.plain_module(path))
        with open(os.path.join(tree, "init"), "w", encoding="utf8") as init:
            init.write(INIT)
        os.chmod(os.path.join(tree, "init"), 0o755)
        with open(os.path.join(tree, "command"), "w", encoding="utf8") as script:
            script.write(COMMAND.format(
                root=shlex.quote(ROOT), modules=shlex.quote(self.kernel.modules),
                release=self.kernel.release, command=shlex.join(command)))
        names = debian.run("find", ".", cwd=tree)
        with open(self.path("initramfs"), "wb") as archive:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), cwd=tree,
                           stdout=archive, check=True)

    def start_files(self):
        """The process that serves this host's files."""
        with open(self.path("virtiofsd.log"), "wb") as log:
            self.children.append(subprocess.Popen(
                [VIRTIOFSD, f"--socket-path={self.path('fs')}", "-o", "source=/",
                 "-o", "cache=always", "-o", "sandbox=chroot", "-o", "log_level=warn"],
                stdout=log, stderr=log))
        for _ in range(100):
            if os.path.exists(self.path("fs")):
                return
            time.sleep(0.05)
        raise debian.Failed(f"virtiofsd does not start: {self.read('virtiofsd.log')}")

    def start_machine(self):
        """QEMU; it ends when the guest switches itself off."""
        command = [
            "setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-smp", "2",
            "-m", f"{MEMORY_MB}M",
            "-object", f"memory-backend-memfd,id=memory,size={MEMORY_MB}M,share=on",
            "-machine", "q35,memory-backend=memory",
            "-chardev", f"socket,id=fs,path={self.path('fs')}",
            "-device", "vhost-user-fs-pci,chardev=fs,tag=host",
            "-serial", f"file:{self.log}" if self.log else "stdio", "-serial", f"file:{self.path('reports')}",
            "-device", "virtio-rng-pci",
            "-kernel", self.kernel.image, "-initrd", self.path("initramfs"),
            "-append", "console=ttyS0 panic=-1 quiet loglevel=4 mitigations=off no_timer_check random.trust_cpu=on"]
        for card, (hub, _) in CARDS.items():
            command += ["-netdev", f"hubport,id={card},hubid={hub}",
                        "-device", f"virtio-net-pci,netdev={card},mac={mac(card)},romfile="]
        with open(self.path("qemu.log"), "wb") as log:
            self.children.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log,
                                                  stdout=log if self.log else None))
        return self.children[-1]

    def read(self, name):
        """The text of a file of this boot."""
        with open(self.path(name), encoding="utf8", errors="replace") as text:
            return text.read()

    def run(self, command, limit_s):
        """Boots and runs the command; returns its reports, and what went wrong or None."""
        self.make_initramfs(command)
        self.start_files()
        machine = self.start_machine()
        problem = None
        try:
            if machine.wait(timeout=limit_s):
                problem = f"QEMU ended with {machine.returncode}: {self.read('qemu.log')}"
        except subprocess.TimeoutExpired:
            problem = f"not done after {limit_s} s"
        reports = self.read_reports()
        if not problem and not any("exit" in report for report in reports):
            problem = "the guest ended before its command"
        return reports, problem

    def read_reports(self):
        """The JSON objects that the guest wrote; a last line cut short is left out."""
        reports = []
        for line in self.read("reports").splitlines():
            try:
                reports.append(json.loads(line))
            except ValueError:
                continue
        return reports
