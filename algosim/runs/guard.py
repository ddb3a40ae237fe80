"""A process that dies with the one that started it."""

from __future__ import annotations

import os
import threading
import time

__all__ = ["die_with_parent"]

POLL_S = 0.25


def die_with_parent(status: int = 86) -> None:
    """End this process when its standard input ends or its parent is another.

    Both are needed: after a fork in the parent the pipe stays open in the forked child, and where the
    parent's id never changes (Windows) only the pipe tells.
    """
    parent = os.getppid()

    def wait_for_end() -> None:
        while os.read(0, 65536):
            pass
        os._exit(status)

    def watch_parent() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_S)
        os._exit(status)

    threading.Thread(target=wait_for_end, name="pipe guard", daemon=True).start()
    threading.Thread(target=watch_parent, name="parent guard", daemon=True).start()
