"""Read a file outside through a hard link."""

import os


def attack(ctx, at):
    os.link(at["secret"], "link")
    with open("link") as file:
        return file.read()
