"""Start a program by posix_spawn."""

import os


def attack(ctx, at):
    return os.posix_spawn("/bin/sh", ["sh", "-c", f"touch {at['outside']}/spawn"], {})
