"""Whether a run is still being written: a lock on its events file that goes with the writer's process."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["hold", "is_held", "released"]

LOOK_S = 0.02

FAR = 1 << 40
"""The byte that is locked where a lock keeps others from reading (Windows); no file is that long."""


def hold(fd: int) -> None:
    """Mark an open file as being written until it is closed or this process ends.

    A file system without locks leaves the file unmarked; its run then looks crashed while it goes on.
    """
    with contextlib.suppress(OSError):
        _lock(fd)


def is_held(path: Path) -> bool:
    """Whether a living process writes this file."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        _lock(fd)
    except BlockingIOError:
        return True
    except OSError as error:
        return sys.platform == "win32" and isinstance(error, PermissionError)
    finally:
        os.close(fd)
    return False


def released(path: Path, within_s: float) -> bool:
    """Wait until no living process writes this file; return whether that is so by then."""
    deadline = time.monotonic() + within_s
    while is_held(path):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_S)
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        here = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(fd, here, os.SEEK_SET)

else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
