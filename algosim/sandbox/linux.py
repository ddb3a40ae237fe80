"""System calls that Python does not wrap (Linux on x86_64 and aarch64)."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Any

__all__ = ["CPU", "call", "no_new_privileges"]

CPU = platform.machine() if sys.platform == "linux" else ""

PR_SET_NO_NEW_PRIVS = 38


def call(number: int, *arguments: Any) -> int:  # noqa: ANN401  (integers and pointers)
    """Make a system call by its number.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    result = int(libc.syscall(ctypes.c_long(number), *words))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def no_new_privileges() -> None:
    """Give up what set-user-id programs would add, for good; the kernel asks for it before it confines."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, *(ctypes.c_ulong(word) for word in (1, 0, 0, 0))) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
