"""Fork through the C library."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    child = libc.fork()
    if child == 0:
        libc._exit(0)
    return child if child > 0 else None
