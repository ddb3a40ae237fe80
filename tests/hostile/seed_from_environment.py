"""Look for the run's seed in the command line and environment."""

import hashlib
import os
import sys


def attack(ctx, at):
    def is_seed(value):
        return (
            isinstance(value, (int, str))
            and hashlib.sha256(str(value).encode()).hexdigest() == at["seed_hash"]
        )

    return any(map(is_seed, [*sys.argv, *sys.orig_argv, *os.environ.values()]))
