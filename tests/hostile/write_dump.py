"""Let a crash handler write outside."""

import faulthandler
import os


def attack(ctx, at):
    with open(os.path.join(at["outside"], "dump"), "w") as file:
        faulthandler.dump_traceback(file)
    return "written"
