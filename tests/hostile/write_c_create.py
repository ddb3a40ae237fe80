"""Write a file outside through the C library."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    fd = libc.creat((at["outside"] + "/creat").encode(), 0o600)
    return fd if fd >= 0 else None
