"""Enter another process's namespaces."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return libc.setns(os.open(f"/proc/{os.getppid()}/ns/user", os.O_RDONLY), 0) == 0
