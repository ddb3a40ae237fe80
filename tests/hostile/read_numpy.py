"""Read a file outside with numpy."""

import numpy


def attack(ctx, at):
    return bytes(numpy.fromfile(at["secret"], dtype=numpy.uint8))
