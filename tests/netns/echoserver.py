#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""echoserver.py NAME PORT READY_FILE: HTTP/1.1; every answer is what was asked, as JSON.

GET /status/N is answered with the status N, GET /slow/S after S seconds. A request to
upgrade to `websocket` is granted; what comes then is sent back.
"""
import asyncio
import base64
import hashlib
import json
import socket
import sys


async def read_request(reader):
    """Method, target, headers and the body; None at the end."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if line]
    length = int(dict((n.lower(), v) for n, v in headers).get("content-length", 0))
    return method, target, headers, await reader.readexactly(length)


async def echo(reader, writer, key):
    """After an upgrade (RFC 6455, section 4.2.2)."""
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 b"Sec-WebSocket-Accept: %s\r\n\r\n" % base64.b64encode(digest))
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def answer(name, writer, request):
    """One answer."""
    method, target, headers, body = request
    parts = target.split("/")
    status = int(parts[2]) if parts[1] == "status" else 200
    if parts[1] == "slow":
        await asyncio.sleep(float(parts[2]))
    text = json.dumps({"server": name, "method": method, "target": target, "headers": headers,
                       "body": body.decode("latin1")}).encode()
    writer.write(b"HTTP/1.1 %d Status\r\nContent-Type: application/json\r\nX-Server: %s\r\n"
                 b"Content-Length: %d\r\n\r\n" % (status, name.encode(), len(text)))
    writer.write(text)
    await writer.drain()


async def serve(name, reader, writer):
    """One connection."""
    try:
        while True:
            request = await read_request(reader)
            headers = {n.lower(): v for n, v in request[2]}
            if "upgrade" in headers:
                await echo(reader, writer, headers.get("sec-websocket-key", ""))
                break
            await answer(name, writer, request)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    """Serves until it is killed."""
    name, port, ready = sys.argv[1:4]
    listener = socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True)
    server = await asyncio.start_server(lambda r, w: serve(name, r, w), sock=listener)
    with open(ready, "w", encoding="ascii"):
        pass
    await server.serve_forever()


asyncio.run(main())
