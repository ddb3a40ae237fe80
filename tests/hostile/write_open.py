"""Write a file outside."""

import os


def attack(ctx, at):
    with open(os.path.join(at["outside"], "open"), "w") as file:
        return file.write("x")
