"""Run a program from memory."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def attack(ctx, at):
    fd = libc.memfd_create(b"x", 0)
    if fd < 0:
        return None
    libc.write(fd, b"#!/bin/sh\ntouch /tmp/x\n", 23)
    words = (ctypes.c_char_p * 2)(b"x", None)
    return fd + libc.fexecve(fd, words, words)
