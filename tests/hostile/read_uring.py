"""Set up a ring that opens files behind the filter's back."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    parameters = (ctypes.c_uint8 * 120)()
    fd = libc.syscall(425, 4, parameters)
    return fd if fd >= 0 else None
