"""Cut a file outside."""

import os


def attack(ctx, at):
    os.truncate(at["victim_file"], 0)
    return "cut"
