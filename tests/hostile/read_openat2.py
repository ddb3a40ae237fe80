"""Read a file outside by a newer system call."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    how = (ctypes.c_uint64 * 3)()
    fd = libc.syscall(437, -100, at["secret"].encode(), how, 24)
    data = ctypes.create_string_buffer(100)
    return data.value if fd >= 0 and libc.read(fd, data, 99) > 0 else None
