"""Read a file outside with os.open."""

import os


def attack(ctx, at):
    return os.read(os.open(at["secret"], os.O_RDONLY), 100)
