"""Take the host's descriptors."""

import os


def attack(ctx, at):
    found = []
    for number in range(64):
        try:
            found.append(os.readlink(f"/proc/{os.getppid()}/fd/{number}"))
        except OSError:
            continue
    return found
