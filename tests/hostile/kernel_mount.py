"""Mount."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return libc.mount(b"none", b".", b"tmpfs", 0, None) == 0
