"""Run a file outside as code, whose error may show it."""

import runpy


def attack(ctx, at):
    return runpy.run_path(at["secret"])
