"""Append to a file outside."""

import os


def attack(ctx, at):
    return os.write(os.open(at["victim_file"], os.O_WRONLY | os.O_APPEND), b"x")
