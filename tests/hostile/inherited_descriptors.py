"""Find what was left open: sockets, and files other than the pipes."""

import os
import stat


def attack(ctx, at):
    found = []
    for number in range(3, 256):
        try:
            mode = os.fstat(number).st_mode
        except OSError:
            continue
        if not stat.S_ISFIFO(mode):
            found.append((number, oct(mode)))
    return found
