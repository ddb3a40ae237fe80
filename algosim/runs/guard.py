"""A process that dies with the one that started it, and tells where it was when it crashes."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["die_with_launcher", "die_with_parent", "tell_where", "was_launched_by", "watch_parent"]

POLL_S = 0.25
PR_SET_PDEATHSIG = 1


def die_with_launcher() -> None:
    """Let the kernel end this process when the thread that started it ends, where it can (Linux).

    For a child that is of no use once that thread has ended. It works on code that never lets another thread
    run, and on a stopped process; elsewhere the launcher's kill and `die_with_parent` must do.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0:
            return
    watch_parent(lambda: os._exit(86))


def tell_where() -> None:
    """Write the present line to standard error in a crash, and when asked by SIGUSR1.

    It needs nothing of the interpreter, which a loop in C may hold.
    """
    faulthandler.enable(all_threads=False)
    if hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1, all_threads=False)


def was_launched_by(pid: int) -> bool:
    """Whether the process `pid` is still this one's parent.

    To be asked after `die_with_launcher`: the kernel does not tell of a launcher that had died before it.
    """
    return sys.platform != "linux" or os.getppid() == pid


def die_with_parent(status: int = 86, *, grace_s: float = 0.0) -> threading.Event:
    """End this process when its standard input ends or its parent is another.

    Both are needed: after a fork in the parent the pipe stays open in the forked child, and where the
    parent's id never changes (Windows) only the pipe tells.

    Parameters
    ----------
    status : int
        What this process then exits with.
    grace_s : float
        How long it may go on, to bring its work to an end.

    Returns
    -------
    threading.Event
        Set when the parent is gone.
    """
    orphaned = threading.Event()

    def leave() -> None:
        orphaned.set()
        time.sleep(grace_s)
        os._exit(status)

    def wait_for_end() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 65536):
                pass
        leave()

    threading.Thread(target=wait_for_end, name="pipe guard", daemon=True).start()
    watch_parent(leave)
    return orphaned


def watch_parent(leave: Callable[[], None]) -> None:
    """Call `leave` when this process's parent is another, from a thread."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_S)
        leave()

    threading.Thread(target=watch, name="parent guard", daemon=True).start()
