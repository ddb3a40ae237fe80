"""Connect to a server by its path."""

import socket


def attack(ctx, at):
    link = socket.socket(socket.AF_UNIX)
    link.connect(at["unix"])
    link.sendall(b"x")
    return "connected"
