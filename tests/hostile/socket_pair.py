"""Make a pair of sockets."""

import socket


def attack(ctx, at):
    return socket.socketpair()
