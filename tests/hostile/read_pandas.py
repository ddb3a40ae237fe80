"""Read a file outside with pandas."""

import pandas


def attack(ctx, at):
    return pandas.read_csv(at["secret"]).columns
