"""Handle page faults, as exploits do."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    number = {"x86_64": 323, "aarch64": 282}[os.uname().machine]
    return libc.syscall(number, 1) >= 0
