"""Become another program, through the C library."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    words = (ctypes.c_char_p * 4)(b"sh", b"-c", f"touch {at['outside']}/cexec".encode(), None)
    return libc.execve(b"/bin/sh", words, None) == 0
