"""Kill another process."""

import os
import signal


def attack(ctx, at):
    os.kill(at["victim"], signal.SIGKILL)
    return "killed"
