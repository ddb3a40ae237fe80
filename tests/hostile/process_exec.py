"""Become another program."""

import os


def attack(ctx, at):
    os.execv("/bin/sh", ["sh", "-c", f"touch {at['outside']}/exec; sleep 60"])
