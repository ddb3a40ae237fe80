"""Count the machine's events."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    number = {"x86_64": 298, "aarch64": 241}[os.uname().machine]
    attributes = (ctypes.c_uint8 * 128)(1, 0, 0, 0, 128)
    return libc.syscall(number, attributes, os.getppid(), -1, -1, 0) >= 0 or ctypes.get_errno() != 1
