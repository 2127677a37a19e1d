# SPDX-License-Identifier: BSD-2-Clause
"""
Attaches a pinned XDP program by a bpf_link in native mode and pins the link, which bpftool cannot:
xdplink.py PROGRAM-PIN INTERFACE LINK-PIN
"""
import ctypes
import os
import platform
import socket
import struct
import sys

SYSCALL = {"x86_64": 321, "aarch64": 280}[platform.machine()]
OBJ_PIN, OBJ_GET, LINK_CREATE = 6, 7, 28  # enum bpf_cmd
ATTACH_XDP, XDP_FLAGS_DRV_MODE = 37, 4

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    """The system call, with its union as bytes."""
    room = ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128)
    result = libc.syscall(SYSCALL, command, room, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def by_path(command, path, fd=0):
    """OBJ_GET and OBJ_PIN."""
    text = ctypes.create_string_buffer(path.encode())
    return bpf(command, struct.pack("=QI", ctypes.addressof(text), fd))


program = by_path(OBJ_GET, sys.argv[1])
link = bpf(LINK_CREATE, struct.pack("=IIII", program, socket.if_nametoindex(sys.argv[2]),
                                    ATTACH_XDP, XDP_FLAGS_DRV_MODE))
by_path(OBJ_PIN, sys.argv[3], link)
