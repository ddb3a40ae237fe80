"""Signal by a descriptor of the process."""

import os
import signal


def attack(ctx, at):
    signal.pidfd_send_signal(os.pidfd_open(at["victim"]), signal.SIGKILL)
    return "killed"
