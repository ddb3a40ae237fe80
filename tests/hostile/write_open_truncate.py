"""Cut a file that may be read by opening it for reading."""

import os


def attack(ctx, at):
    os.close(os.open(__file__, os.O_RDONLY | os.O_TRUNC))
    return "cut" if not os.path.getsize(__file__) else None
