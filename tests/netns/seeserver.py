#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""seeserver.py NAME FILE: web servers that write down what they saw of each connection.

FILE.json has a list of listeners, each an object: `port`, `pem` (over TLS with this certificate and
key), `ca` (a client certificate of these authorities is needed), `least` and `most` (versions of
TLS: "1.2"), `alpn` (a list), `proxy` (a PROXY header comes first). A line of JSON is added to FILE.log
for each connection: its port, and sni, version, cipher, alpn and the client's name, or the header.
Requests are answered as by webserver.py; FILE.count has their number.
"""
import asyncio
import json
import ssl
import struct
import socket
import sys

import webserver

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
SIGNATURE_V2 = b"\r\n\r\n\0\r\nQUIT\n"


def context(row):
    """The TLS side of a listener."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(row["pem"])
    if "ca" in row:
        made.load_verify_locations(row["ca"])
        made.verify_mode = ssl.CERT_REQUIRED
    if "least" in row:
        made.minimum_version = VERSIONS[row["least"]]
    if "most" in row:
        made.maximum_version = VERSIONS[row["most"]]
    if "alpn" in row:
        made.set_alpn_protocols(row["alpn"])

    def note(connection, name, _):
        connection.sent_name = name
    made.sni_callback = note
    return made


async def read_proxy(reader):
    """The PROXY header: its version and the client's address."""
    start = await reader.readexactly(12)
    if start == SIGNATURE_V2:
        _, kind, length = struct.unpack("!BBH", await reader.readexactly(4))
        rest = await reader.readexactly(length)
        family, size = (socket.AF_INET, 4) if kind >> 4 == 1 else (socket.AF_INET6, 16)
        return {"header": 2, "client": socket.inet_ntop(family, rest[:size])}
    line = start + await reader.readuntil(b"\r\n")
    return {"header": 1, "client": line.decode().split()[2]}


class Listener:
    """One of them."""

    def __init__(self, row, server, log):
        self.row, self.server, self.log = row, server, log

    def seen(self, writer):
        """What the handshake was."""
        tls = writer.get_extra_info("ssl_object")
        if not tls:
            return {}
        subject = (tls.getpeercert() or {}).get("subject", ())
        return {"sni": getattr(tls, "sent_name", None), "version": tls.version(),
                "cipher": tls.cipher()[0], "alpn": tls.selected_alpn_protocol(),
                "client": dict(part[0] for part in subject).get("commonName")}

    async def handle(self, reader, writer):
        """One connection."""
        try:
            row = {"port": self.row["port"], **self.seen(writer)}
            if self.row.get("proxy"):
                row.update(await read_proxy(reader))
        except (asyncio.IncompleteReadError, OSError):
            writer.close()
            return
        self.log.write(json.dumps(row) + "\n")
        await self.server.handle(reader, writer)


async def main():
    """Serves until it is killed."""
    name, path = sys.argv[1:3]
    server = webserver.Server(name, path + ".count")
    with open(path + ".json", encoding="ascii") as text:
        rows = json.load(text)
    running = []
    with open(path + ".log", "a", encoding="ascii", buffering=1) as log:
        for row in rows:
            running.append(await asyncio.start_server(
                Listener(row, server, log).handle, sock=webserver.listener(str(row["port"])),
                backlog=1024, ssl=context(row) if "pem" in row else None))
        with open(path + ".ready", "wb"):
            pass
        await asyncio.gather(*(one.serve_forever() for one in running))


if __name__ == "__main__":
    asyncio.run(main())
