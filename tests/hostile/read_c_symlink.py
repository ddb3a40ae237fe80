"""Make the link with the C library."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    libc.symlink(at["secret"].encode(), b"soft")
    with open("soft") as file:
        return file.read()
