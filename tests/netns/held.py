#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""held.py ADDR PORT COUNT: keep-alive connections. Prints the server of each as a JSON list, then
answers commands, a line each: `use [SECONDS]` (a request on each at once; null where it broke or did
not answer in time), `use SECONDS but SERVER` (those of SERVER are left alone: their name as it was),
`close`, `close SERVER` (only those of SERVER)."""
import asyncio
import json
import sys


class Held:
    """One connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.server = None

    async def use(self, timeout):
        """One request: the server's name, or None."""
        try:
            return await asyncio.wait_for(self.talk(), timeout)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, KeyError, ValueError):
            return None

    async def talk(self):
        """Sends a request and reads its answer."""
        self.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        await self.reader.readexactly(int(fields["Content-Length"]))
        return fields["X-Server"]


async def use(conns, timeout, but):
    """Every connection at once, but those of one server."""
    async def one(conn):
        return conn.server if but and conn.server == but else await conn.use(timeout)
    return await asyncio.gather(*(one(c) for c in conns))


def close(conns, server):
    """Closes those of a server, or all; returns the rest."""
    rest = []
    for conn in conns:
        if server and conn.server != server:
            rest.append(conn)
        else:
            conn.writer.close()
    return rest


async def main():
    """Opens, then serves commands from standard input."""
    addr, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    conns = []
    for _ in range(count):
        conns.append(Held(*await asyncio.wait_for(asyncio.open_connection(addr, port), 5)))
        conns[-1].server = await conns[-1].use(5)
    print(json.dumps([c.server for c in conns]), flush=True)
    loop = asyncio.get_running_loop()
    while True:
        words = (await loop.run_in_executor(None, sys.stdin.readline)).split()
        if not words:
            return
        if words[0] == "use":
            timeout = float(words[1]) if len(words) > 1 else 5.0
            answer = await use(conns, timeout, words[3] if len(words) > 3 else None)
        else:
            conns = close(conns, words[1] if len(words) > 1 else None)
            answer = [c.server for c in conns]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
