"""Talk to the kernel."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    fd = libc.socket(16, 3, 0)
    return fd if fd >= 0 or ctypes.get_errno() not in (1, 38) else None
