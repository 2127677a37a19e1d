#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""webclient.py ADDR PORT PATH REQUESTS PARALLEL TIMEOUT_S [RATE]: real requests, a connection each.

Prints {"answers": {SERVER: n}, "errors": [text...], "failed_at": [begin of each, CLOCK_MONOTONIC],
"seconds": t} as JSON. With REQUESTS 0 it goes on until standard input ends; with a RATE it begins so
many a second, whatever becomes of those before.
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
    if raw and head.split(b" ")[1] != b"200":
        raise ConnectionError("status " + head.split(b" ")[1].decode())
    fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
    if int(fields.get("Content-Length", -1)) != len(body):
        raise ConnectionError(f"{len(body)} bytes of {fields.get('Content-Length')}")
    return fields["X-Server"]


async def main():
    """Keeps PARALLEL requests under way."""
    addr, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    total, parallel, timeout = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
    rate = float(sys.argv[7]) if len(sys.argv) > 7 else 0
    answers, errors, failed_at = collections.Counter(), [], []
    left = total
    stop = asyncio.Event()
    start = time.monotonic()

    async def once():
        began = time.monotonic()
        try:
            answers[await request(addr, port, path, timeout)] += 1
            return True
        except (OSError, asyncio.TimeoutError, ValueError, KeyError) as why:
            errors.append(f"{began - start:.3f}s: {type(why).__name__}: {why}")
            failed_at.append(began)
            return False

    async def worker():
        nonlocal left
        while not stop.is_set() and (total == 0 or left > 0):
            left -= 1
            if not await once():
                await asyncio.sleep(0.01)

    async def pacer():
        begun = []
        while not stop.is_set():
            begun.append(asyncio.create_task(once()))
            await asyncio.sleep(max(0, start + len(begun) / rate - time.monotonic()))
        await asyncio.gather(*begun)

    if total == 0:
        loop = asyncio.get_running_loop()

        def ended():
            if not sys.stdin.buffer.read1(1):
                loop.remove_reader(sys.stdin)
                stop.set()
        loop.add_reader(sys.stdin, ended)
    await asyncio.gather(*([pacer()] if rate else (worker() for _ in range(parallel))))
    print(json.dumps({"answers": answers, "errors": errors, "failed_at": failed_at,
                      "seconds": time.monotonic() - start}))


if __name__ == "__main__":
    asyncio.run(main())
