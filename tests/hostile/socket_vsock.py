"""Talk to the machine around this one."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    fd = libc.socket(40, 1, 0)
    return fd if fd >= 0 or ctypes.get_errno() not in (1, 38) else None
