"""Signal all processes."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return libc.kill(-1, 0) == 0 or libc.kill(0, 0) == 0
