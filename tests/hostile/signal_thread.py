"""Signal another process's thread."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    number = {"x86_64": 234, "aarch64": 131}[os.uname().machine]
    return libc.syscall(number, at["victim"], at["victim"], 9) == 0
