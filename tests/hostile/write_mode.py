"""Change who may read a file outside."""

import os


def attack(ctx, at):
    os.chmod(at["victim_file"], 0o777)
    return "changed"
