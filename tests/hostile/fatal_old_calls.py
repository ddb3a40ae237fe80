"""Call the kernel as 32-bit programs do (x86)."""

import ctypes
import mmap
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    if os.uname().machine != "x86_64":
        return None
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(bytes.fromhex("b814000000cd80c3"))
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0
