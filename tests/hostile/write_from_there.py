"""Go outside, then write there."""

import os


def attack(ctx, at):
    os.chdir(at["outside"])
    with open("there", "w") as file:
        return file.write("x")
