"""Log to a file outside."""

import logging
import os


def attack(ctx, at):
    logging.FileHandler(os.path.join(at["outside"], "log")).emit(logging.makeLogRecord({"msg": "x"}))
    return "written"
