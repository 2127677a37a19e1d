#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""webclient.py ADDR PORT PATH REQUESTS PARALLEL TIMEOUT_S: real requests, a connection each.

Prints {"answers": {SERVER: n}, "errors": [text...], "seconds": t} as JSON. With REQUESTS 0 it goes on
until standard input ends.
"""
import asyncio
import collections
import json
import sys
import time


async def request(addr, port, path, timeout):
    """One connection, one request; returns the name of the server that answered."""
    async def talk():
        reader, writer = await asyncio.open_connection(addr, port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return await reader.read(-1)
        finally:
            writer.close()
    raw = await asyncio.wait_for(talk(), timeout)
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
    if int(fields.get("Content-Length", -1)) != len(body):
        raise ConnectionError(f"{len(body)} bytes of {fields.get('Content-Length')}")
    return fields["X-Server"]


async def main():
    """Keeps PARALLEL requests under way."""
    addr, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    total, parallel, timeout = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
    answers, errors = collections.Counter(), []
    left = total
    stop = asyncio.Event()
    start = time.monotonic()

    async def worker():
        nonlocal left
        while not stop.is_set() and (total == 0 or left > 0):
            left -= 1
            began = time.monotonic() - start
            try:
                answers[await request(addr, port, path, timeout)] += 1
            except (OSError, asyncio.TimeoutError, ValueError, KeyError) as why:
                errors.append(f"{began:.3f}s: {type(why).__name__}: {why}")
                await asyncio.sleep(0.01)

    if total == 0:
        loop = asyncio.get_running_loop()

        def ended():
            if not sys.stdin.buffer.read1(1):
                loop.remove_reader(sys.stdin)
                stop.set()
        loop.add_reader(sys.stdin, ended)
    await asyncio.gather(*(worker() for _ in range(parallel)))
    print(json.dumps({"answers": answers, "errors": errors,
                      "seconds": time.monotonic() - start}))


if __name__ == "__main__":
    asyncio.run(main())
