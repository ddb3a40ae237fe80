"""Change the times of a file outside, which would reload a strategy."""

import os


def attack(ctx, at):
    os.utime(at["victim_file"], (1, 1))
    return "touched"
