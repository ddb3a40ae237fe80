"""Copy from the host's memory."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    data = ctypes.create_string_buffer(8)
    ours = (ctypes.c_size_t * 2)(ctypes.addressof(data), 8)
    theirs = (ctypes.c_size_t * 2)(id(libc), 8)
    read = libc.process_vm_readv(os.getppid(), ours, 1, theirs, 1, 0)
    refused = read < 0 and ctypes.get_errno() == 1
    return None if refused else read
