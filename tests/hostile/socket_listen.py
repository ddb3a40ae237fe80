"""Listen."""

import socket


def attack(ctx, at):
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return "listening"
