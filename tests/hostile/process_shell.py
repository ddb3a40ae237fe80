"""Run a shell."""

import os


def attack(ctx, at):
    return os.system(f"touch {at['outside']}/shell") == 0
