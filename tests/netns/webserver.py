#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""webserver.py NAME PORT COUNT_FILE READY_FILE [PEM]: a small real HTTP/1.1 server.

It listens on PORT of both families, or on a Unix socket when PORT is a path; with PEM, a certificate
and its key, over TLS.

GET /           NAME; counted
GET /bytes/N    N bytes of a repeating pattern; counted
GET /noise/N    N bytes in which nothing comes again within 16 MiB; counted
GET /slow/S     NAME after S seconds; counted
GET /peer       the client's address, as this server sees it; counted
POST /          the length of the body; counted
POST /sum       the SHA-256 of the body; counted
GET /healthz    200, or the status in the file COUNT_FILE.health; not counted
With a status in the file COUNT_FILE.status everything is answered with it.
The number of counted answers is in COUNT_FILE (8 bytes, little endian), kept across restarts.
"""
import asyncio
import functools
import hashlib
import mmap
import os
import socket
import ssl
import sys

PATTERN = bytes(range(256)) * 256
NOISE_BYTES = (16 << 20) + 1  # odd, so that rounds begin at ever other places of segments


@functools.lru_cache(maxsize=1)
def one_round():
    """Bytes without a pattern, always the same."""
    return memoryview(hashlib.shake_128(b"noise").digest(NOISE_BYTES))


def noise(length):
    """So many bytes of it, in pieces."""
    while length:
        piece = one_round()[:length]
        for at in range(0, len(piece), len(PATTERN)):
            yield piece[at:at + len(PATTERN)]
        length -= len(piece)


class Counter:
    """A number in a file, visible to others at once."""

    def __init__(self, path):
        if not os.path.exists(path):
            with open(path, "wb") as new:
                new.write(bytes(8))
        with open(path, "r+b") as backing:
            self.map = mmap.mmap(backing.fileno(), 8)

    def add(self):
        """Adds one."""
        value = int.from_bytes(self.map[:8], "little") + 1
        self.map[:8] = value.to_bytes(8, "little")


class Server:
    """Answers the requests of all connections of this process."""

    def __init__(self, name, count_file):
        self.name = name.encode()
        self.counter = Counter(count_file)
        self.count_file = count_file

    def status(self, *kinds):
        """The status that a test wants to be answered with."""
        for kind in kinds:
            try:
                with open(f"{self.count_file}.{kind}", encoding="ascii") as text:
                    return int(text.read() or 200)
            except FileNotFoundError:
                pass
        return 200

    async def answer(self, writer, path, body):
        """Writes one answer."""
        status, length, chunks = self.status("status"), len(self.name), [self.name]
        if path == "/healthz":
            status = self.status("health", "status")
        else:
            self.counter.add()
        if path.startswith("/bytes/"):
            length = int(path[7:])
            chunks = (PATTERN[:min(len(PATTERN), length - at)]
                      for at in range(0, length, len(PATTERN)))
        elif path.startswith("/noise/"):
            length = int(path[7:])
            chunks = noise(length)
        elif path.startswith("/slow/"):
            await asyncio.sleep(float(path[6:]))
        elif path == "/peer":
            peer = writer.get_extra_info("peername")[0].removeprefix("::ffff:")
            chunks, length = [peer.encode()], len(peer)
        elif body is not None:
            chunks = [body if path == "/sum" else b"%d" % len(body)]
            length = len(chunks[0])
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nX-Server: %s\r\n\r\n"
                     % (status, length, self.name))
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()

    async def handle(self, reader, writer):
        """One connection, until the client asks to close or goes away."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                path = lines[0].split(" ")[1]
                fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                body = None
                if "content-length" in fields:
                    body = await read_body(reader, int(fields["content-length"]), path)
                await self.answer(writer, path, body)
                if fields.get("connection") == "close":
                    break
        except (asyncio.IncompleteReadError, ConnectionError, ValueError, IndexError):
            pass
        finally:
            writer.close()


async def read_body(reader, length, path):
    """A request's body, or its sum: that may be of more than fits into memory."""
    if path != "/sum":
        return await reader.readexactly(length)
    digest = hashlib.sha256()
    while length:
        piece = await reader.read(min(length, 1 << 20))
        if not piece:
            raise asyncio.IncompleteReadError(b"", length)
        digest.update(piece)
        length -= len(piece)
    return digest.hexdigest().encode()


def listener(port):
    """A socket at a port of all addresses, or at a path."""
    if not port.isdigit():
        if os.path.exists(port):
            os.unlink(port)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.bind(port)
        os.chmod(port, 0o666)  # HAProxy runs as a user of its own
        return made
    made = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.bind(("::", int(port)))
    return made


async def main():
    """Serves until it is killed."""
    name, port, count_file, ready = sys.argv[1:5]
    server, tls = Server(name, count_file), None
    if len(sys.argv) > 5:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(sys.argv[5])
    running = await asyncio.start_server(server.handle, sock=listener(port), backlog=1024, ssl=tls)
    with open(ready, "wb"):
        pass
    await running.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
