"""Make the link with the C library."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    libc.symlink(at["secret"].encode(), b"link")
    with open("link") as file:
        return file.read()
