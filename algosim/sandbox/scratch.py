"""What a strategy has written into its working folder: how much, and its removal."""

from __future__ import annotations

import contextlib
import os
import shutil
from itertools import islice

__all__ = ["excess", "remove"]

MOST_MB = 64
MOST_FILES = 1000


def excess(folder: str) -> str:
    """Return what is too much in a working folder, or ``""``."""
    size = files = 0
    open_ = [folder]
    while open_:
        for entry in _entries(open_.pop()):
            files += 1
            if files > MOST_FILES:
                return f"its working folder has more than {MOST_FILES:,} files"
            with contextlib.suppress(OSError):  # it may have been removed since
                size += entry.stat(follow_symlinks=False).st_size
                if entry.is_dir(follow_symlinks=False):
                    open_.append(entry.path)
    return f"its files have more than {MOST_MB} MB" if size > MOST_MB << 20 else ""


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """Return what is in a folder; nothing of one that is gone, or too deep for a path."""
    try:
        with os.scandir(folder) as found:
            return list(islice(found, MOST_FILES + 1))
    except OSError:
        return []


def remove(folder: str) -> None:
    """Remove a working folder, as far as that goes: what is nested too deep stays."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
