"""Fork."""

import os


def attack(ctx, at):
    if os.fork() == 0:
        os._exit(0)
    return "forked"
