"""Make a named pipe outside."""

import os


def attack(ctx, at):
    os.mkfifo(at["outside"] + "/fifo")
    return "made"
