"""Remove a file outside."""

import os


def attack(ctx, at):
    os.unlink(at["victim_file"])
    return "removed"
