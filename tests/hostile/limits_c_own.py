"""Lift its own limits, through the C library."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    no_limit = (ctypes.c_uint64 * 2)(2**64 - 1, 2**64 - 1)
    return libc.setrlimit(9, no_limit) == 0 or libc.prlimit(0, 9, no_limit, None) == 0
