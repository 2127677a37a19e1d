#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""held.py ADDR PORT COUNT: keep-alive connections. Prints the server of each as a JSON list, then
answers `use` (a request on each again; null where it broke) and `close`, a line each."""
import json
import socket
import sys


def use(conn):
    """One request on an open connection: the server's name, or None."""
    try:
        conn.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while b"\r\n\r\n" not in got:
            more = conn.recv(4096)
            if not more:
                return None
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        while len(body) < int(fields["Content-Length"]):
            body += conn.recv(4096)
        return fields["X-Server"]
    except OSError:
        return None


def main():
    """Opens, then serves commands from standard input."""
    addr, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    conns = [socket.create_connection((addr, port), timeout=5) for _ in range(count)]
    print(json.dumps([use(c) for c in conns]), flush=True)
    for line in sys.stdin:
        if line.strip() == "use":
            print(json.dumps([use(c) for c in conns]), flush=True)
        elif line.strip() == "close":
            for conn in conns:
                conn.shutdown(socket.SHUT_RDWR)
                conn.close()
            conns = []
            print("[]", flush=True)


if __name__ == "__main__":
    main()
