"""Kill another process, through the C library."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return libc.kill(at["victim"], 9) == 0
