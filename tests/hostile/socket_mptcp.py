"""Open a multipath TCP socket, which Landlock does not know."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    fd = libc.socket(2, 1, 262)
    return fd if fd >= 0 or ctypes.get_errno() not in (1, 38) else None
