"""Look for the run's seed in all objects of the process."""

import gc
import hashlib


def attack(ctx, at):
    def is_seed(value):
        return (
            isinstance(value, (int, str))
            and hashlib.sha256(str(value).encode()).hexdigest() == at["seed_hash"]
        )

    for holder in gc.get_objects():
        if is_seed(holder) or any(map(is_seed, gc.get_referents(holder))):
            return "the seed"
    return None
