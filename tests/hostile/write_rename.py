"""Move a file out of the working folder."""

import os


def attack(ctx, at):
    with open("mine", "w") as file:
        file.write("x")
    os.rename("mine", at["outside"] + "/renamed")
    return "renamed"
