"""Look for the run's seed in the random numbers' generator."""

import hashlib
import random


def attack(ctx, at):
    def is_seed(value):
        return (
            isinstance(value, (int, str))
            and hashlib.sha256(str(value).encode()).hexdigest() == at["seed_hash"]
        )

    state = ctx.rng.bit_generator.state["state"]
    sequence = ctx.rng.bit_generator.seed_seq
    return any(map(is_seed, [*state.values(), sequence.entropy, *random.getstate()[1]]))
