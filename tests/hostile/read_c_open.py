"""Read a file outside through the C library."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    fd = libc.open(at["secret"].encode(), 0)
    data = ctypes.create_string_buffer(100)
    return data.value if fd >= 0 and libc.read(fd, data, 99) > 0 else None
