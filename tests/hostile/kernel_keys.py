"""Reach the user's keys."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
    return libc.syscall(number, 0, -4, 0) >= 0
