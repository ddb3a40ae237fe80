"""Cut a file that may be read by opening it for reading."""

import os

import numpy


def attack(ctx, at):
    path = os.path.join(at["readable"], "strategy.py")
    os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))
    return numpy.pi if not os.path.getsize(path) else None
