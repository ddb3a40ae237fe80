"""Queue a signal."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return libc.sigqueue(at["victim"], 9, None) == 0
