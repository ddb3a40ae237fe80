"""Make a folder outside."""

import os


def attack(ctx, at):
    os.mkdir(at["outside"] + "/folder")
    return "made"
