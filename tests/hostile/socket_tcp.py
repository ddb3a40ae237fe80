"""Connect to a server."""

import socket


def attack(ctx, at):
    socket.create_connection(("127.0.0.1", at["port"]), 1).sendall(b"x")
    return "connected"
