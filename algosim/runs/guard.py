"""A process that dies with the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

__all__ = ["die_with_launcher", "die_with_parent"]

POLL_S = 0.25
PR_SET_PDEATHSIG = 1


def die_with_launcher() -> None:
    """Let the kernel end this process when the thread that started it ends, where it can (Linux).

    For a child whose launching thread lives as long as its process. It works on code that never lets
    another thread run; elsewhere the launcher's kill and `die_with_parent` must do.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    watch_parent()


def die_with_parent(status: int = 86) -> None:
    """End this process when its standard input ends or its parent is another.

    Both are needed: after a fork in the parent the pipe stays open in the forked child, and where the
    parent's id never changes (Windows) only the pipe tells.
    """

    def wait_for_end() -> None:
        while os.read(0, 65536):
            pass
        os._exit(status)

    threading.Thread(target=wait_for_end, name="pipe guard", daemon=True).start()
    watch_parent(status)


def watch_parent(status: int = 86) -> None:
    """End this process when its parent is another, from a thread."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_S)
        os._exit(status)

    threading.Thread(target=watch, name="parent guard", daemon=True).start()
