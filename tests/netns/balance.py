#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Servers that hold connections, and clients that open them at a rate.

balance.py serve NAME PORT HOLD_S: after HOLD_S answers every connection with its NAME and ends it.
balance.py ask PORT RATE COUNT TIMEOUT_S ADDR FROM...: COUNT connections at random moments, RATE a second
in all, from the addresses FROM in turns. Prints {"answers": {FROM: {NAME: n}}, "failed": {FROM: n},
"seconds": t} as JSON. With a timeout of less than a second a SYN is never repeated.
balance.py theory RATE COUNT HOLD_S...: the share of each server when two are drawn for every connection
and the one with fewer open ones gets it, as JSON.
"""
import asyncio
import collections
import heapq
import json
import random
import sys
import time


async def serve(name, port, hold):
    """Until killed."""
    async def talk(_, writer):
        await asyncio.sleep(hold)
        writer.write(name.encode())
        writer.close()
    server = await asyncio.start_server(talk, None, port, backlog=4096)
    await server.serve_forever()


async def ask(port, rate, count, timeout, addr, sources):
    """Connections that do not wait for each other."""
    answers = collections.defaultdict(collections.Counter)
    failed = collections.Counter()
    draw = random.Random(1)

    async def once(source):
        try:
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(addr, port, local_addr=(source, 0)), timeout)
            name = await asyncio.wait_for(reader.read(-1), 10)
            writer.close()
            answers[source][name.decode()] += 1
        except (OSError, asyncio.TimeoutError):
            failed[source] += 1

    begin = due = time.monotonic()
    tasks = []
    for i in range(count):
        due += draw.expovariate(rate)
        if due > time.monotonic():
            await asyncio.sleep(due - time.monotonic())
        tasks.append(asyncio.ensure_future(once(sources[i % len(sources)])))
    seconds = time.monotonic() - begin
    await asyncio.gather(*tasks)
    print(json.dumps({"answers": answers, "failed": failed, "seconds": seconds}))


def theory(rate, count, holds):
    """Mean of twenty courses of the same length, each from empty servers on."""
    draw, got = random.Random(2), [0] * len(holds)
    for _ in range(20):
        now, ends, opened = 0.0, [], [0] * len(holds)
        for _ in range(count):
            now += draw.expovariate(rate)
            while ends and ends[0][0] <= now:
                opened[heapq.heappop(ends)[1]] -= 1
            one, other = draw.randrange(len(holds)), draw.randrange(len(holds))
            if opened[other] < opened[one]:
                one = other
            opened[one] += 1
            got[one] += 1
            heapq.heappush(ends, (now + holds[one], one))
    return [n / sum(got) for n in got]


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
    elif sys.argv[1] == "ask":
        asyncio.run(ask(int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]),
                        sys.argv[6], sys.argv[7:]))
    else:
        print(json.dumps(theory(float(sys.argv[2]), int(sys.argv[3]),
                                [float(hold) for hold in sys.argv[4:]])))
