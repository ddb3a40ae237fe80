"""Change another process's limits."""

import resource


def attack(ctx, at):
    resource.prlimit(at["victim"], resource.RLIMIT_CPU, (1, 1))
    return "changed"
