"""Attach to the host as a debugger."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    return libc.ptrace(16, os.getppid(), 0, 0) == 0
