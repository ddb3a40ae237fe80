"""Read a file outside through a link in the working folder."""

import os


def attack(ctx, at):
    os.symlink(at["secret"], "link")
    with open("link") as file:
        return file.read()
