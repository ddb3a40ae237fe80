"""Load a file outside as a library, whose error may show it."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return ctypes.CDLL(at["secret"])
