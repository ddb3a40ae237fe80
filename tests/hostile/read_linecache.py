"""Read a file outside as a line of code."""

import linecache


def attack(ctx, at):
    return linecache.getline(at["secret"], 1)
