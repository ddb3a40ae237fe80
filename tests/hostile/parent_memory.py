"""Open the host's memory."""

import os


def attack(ctx, at):
    return os.open(f"/proc/{os.getppid()}/mem", os.O_RDWR)
