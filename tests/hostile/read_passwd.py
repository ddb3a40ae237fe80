"""Read the list of users."""

import pathlib


def attack(ctx, at):
    return pathlib.Path("/etc/passwd").read_text()
