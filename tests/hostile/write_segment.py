"""Keep memory beyond the process's life."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    segment = libc.shmget(0, 4096, 0o1600)
    return [segment] if segment >= 0 else None
