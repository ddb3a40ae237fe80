"""Read a file outside by a relative path."""

import io
import os


def attack(ctx, at):
    return io.FileIO(os.path.relpath(at["secret"])).read()
