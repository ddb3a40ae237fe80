"""Read a file outside through a hard link."""

import os


def attack(ctx, at):
    os.link(at["secret"], "hard")
    with open("hard") as file:
        return file.read()
