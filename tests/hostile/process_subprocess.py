"""Run a program."""

import subprocess
import sys


def attack(ctx, at):
    return subprocess.run([sys.executable, "-c", "pass"], check=True)
