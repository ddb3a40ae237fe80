"""Move another process to one processor."""

import os


def attack(ctx, at):
    os.sched_setaffinity(at["victim"], {0})
    return "moved"
