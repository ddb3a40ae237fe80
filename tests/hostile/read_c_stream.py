"""Read a file outside through a C stream."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    libc.fopen.restype = libc.fgets.restype = ctypes.c_void_p
    stream = libc.fopen(at["secret"].encode(), b"r")
    data = ctypes.create_string_buffer(100)
    return data.value if stream and libc.fgets(data, 99, ctypes.c_void_p(stream)) else None
