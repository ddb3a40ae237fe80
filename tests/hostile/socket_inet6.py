"""Open a socket of the newer protocol."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    fd = libc.socket(10, 1, 0)
    return fd if fd >= 0 or ctypes.get_errno() not in (1, 38) else None
