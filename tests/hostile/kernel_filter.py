"""Put a filter of its own on the process."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
    allow = (ctypes.c_uint32 * 2)(0x00000006, 0x7FFF0000)
    program = (ctypes.c_size_t * 2)(1, ctypes.addressof(allow))
    return libc.syscall(number, 1, 0, program) == 0
