"""Write a file outside with numpy."""

import os

import numpy


def attack(ctx, at):
    numpy.save(os.path.join(at["outside"], "array"), numpy.zeros(3))
    return "written"
