"""Slow another process down."""

import os


def attack(ctx, at):
    os.setpriority(os.PRIO_PROCESS, at["victim"], 19)
    return "slowed"
