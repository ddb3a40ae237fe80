"""Change the root."""

import os


def attack(ctx, at):
    os.chroot(".")
    return "changed"
