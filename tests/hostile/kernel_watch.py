"""Watch a folder outside."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    fd = libc.inotify_init1(0)
    return libc.inotify_add_watch(fd, os.path.dirname(at["secret"]).encode(), 0xFFF) >= 0
