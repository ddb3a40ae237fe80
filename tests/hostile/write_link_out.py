"""Link a file of the working folder to the outside."""

import os


def attack(ctx, at):
    with open("mine", "w") as file:
        file.write("x")
    os.link("mine", at["outside"] + "/linked")
    return "linked"
