"""Change who may read a file outside, through the C library."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return (
        libc.chmod(at["victim_file"].encode(), 0o777) == 0
        or libc.fchmodat(-100, at["victim_file"].encode(), 0o777, 0) == 0
    )
