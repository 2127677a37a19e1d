#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""grpcserver.py PORT STATUS_FILE READY_FILE [PEM]: gRPC's health service on all addresses.

Each line of STATUS_FILE is SERVICE=STATUS (the number that health.proto gives it; the service may be
empty); what is not in it is not known. With PEM, a certificate and its key, it speaks TLS.
"""
import concurrent.futures
import sys

import grpc


class Health(grpc.GenericRpcHandler):
    """grpc.health.v1.Health/Check, with messages as they are on the wire."""

    def __init__(self, path):
        self.path = path

    def service(self, handler_call_details):
        if handler_call_details.method != "/grpc.health.v1.Health/Check":
            return None
        return grpc.unary_unary_rpc_method_handler(self.check)

    def check(self, request, context):
        """Field 1 of the request is the service's name, field 1 of the answer its status."""
        name = request[2:].decode() if request else ""
        with open(self.path, encoding="ascii") as text:
            known = dict(line.split("=") for line in text.read().split())
        if name not in known:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return bytes((8, int(known[name])))


def main():
    """Serves until it is killed."""
    port, path, ready = sys.argv[1:4]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Health(path),))
    if len(sys.argv) > 4:
        with open(sys.argv[4], "rb") as file:
            pem = file.read()
        server.add_secure_port(f"[::]:{port}", grpc.ssl_server_credentials([(pem, pem)]))
    else:
        server.add_insecure_port(f"[::]:{port}")
    server.start()
    with open(ready, "wb"):
        pass
    server.wait_for_termination()


if __name__ == "__main__":
    main()
