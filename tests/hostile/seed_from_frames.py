"""Look for the run's seed in the frames that called."""

import hashlib
import sys


def attack(ctx, at):
    def is_seed(value):
        return (
            isinstance(value, (int, str))
            and hashlib.sha256(str(value).encode()).hexdigest() == at["seed_hash"]
        )

    frame = sys._getframe()
    while frame:
        for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
            if is_seed(value) or any(
                map(is_seed, vars(value).values() if hasattr(value, "__dict__") else ())
            ):
                return "the seed"
        frame = frame.f_back
    return None
