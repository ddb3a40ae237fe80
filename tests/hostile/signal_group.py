"""Kill another process's group."""

import os
import signal


def attack(ctx, at):
    os.killpg(at["victim"], signal.SIGKILL)
    return "killed"
