"""Change the interpreter's packages."""

import os

import numpy


def attack(ctx, at):
    with open(os.path.join(os.path.dirname(numpy.__file__), "planted.py"), "w") as file:
        return file.write("x")
