"""Read a file outside as a module."""

import importlib.machinery


def attack(ctx, at):
    return importlib.machinery.SourceFileLoader("secret", at["secret"]).get_data(at["secret"])
