"""Read the code of other strategies."""

import pathlib


def attack(ctx, at):
    return [path.read_text() for path in pathlib.Path(at["workspace"]).rglob("strategy.py")]
