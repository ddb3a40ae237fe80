"""Take namespaces of its own."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return libc.unshare(0x10000000) == 0 or libc.unshare(0x20000) == 0
