"""Start a process by the newest call."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    arguments = (ctypes.c_uint64 * 11)()
    arguments[4] = 17
    child = libc.syscall(435, arguments, 88)
    if child == 0:
        libc._exit(0)
    return child if child > 0 else None
