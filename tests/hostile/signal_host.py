"""Stop the host."""

import os
import signal


def attack(ctx, at):
    os.kill(os.getppid(), signal.SIGSTOP)
    return "stopped"
