"""Ask the kernel to let it live when its host dies."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return libc.prctl(1, 0, 0, 0, 0) == 0
