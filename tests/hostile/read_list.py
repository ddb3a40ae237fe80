"""List folders outside."""

import os


def attack(ctx, at):
    return [os.listdir(folder) for folder in ("/", os.path.dirname(at["secret"]))]
