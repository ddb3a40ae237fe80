"""Load a program into the kernel."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    attributes = (ctypes.c_uint8 * 120)()
    return libc.syscall(number, 0, attributes, 120) >= 0 or ctypes.get_errno() != 1
