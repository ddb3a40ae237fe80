"""Ask for an address."""

import socket


def attack(ctx, at):
    return socket.getaddrinfo("localhost", 80)
