"""How long a run waits for a headless strategy that says nothing, as one does that holds the interpreter."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from algosim.runs.watchdog import SIGN_OF_LIFE_S
from algosim.sandbox.scratch import excess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from algosim.config import Limits

__all__ = ["Patience"]

LOOK_S = 0.25
QUIET_S = 2.0 * SIGN_OF_LIFE_S


class Patience:
    """Watches a process that should give signs of life, from a thread.

    Its own watchdog cannot when its code never lets another thread run; then it is over its budget when it
    has used so much CPU time in silence, or has been silent too long.

    Parameters
    ----------
    pid : int
    limits : Limits
    scratch : str
        Its working folder, which must not fill the disk.
    lose : callable
        Called once, with what is wrong, when patience is over.
    """

    def __init__(self, pid: int, limits: Limits, scratch: str, lose: Callable[[str], None]) -> None:
        self._pid = pid
        self._limits = limits
        self._scratch = scratch
        self._lose = lose
        self._budget_s = limits.init_s
        self._since: float | None = None
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="patience", daemon=True).start()

    def started(self) -> None:
        """Take note that ``init`` has returned."""
        self._budget_s = max(self._limits.on_tick_s, self._limits.on_stop_s)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Watch while the run waits for the process; else its silence may be ours."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def end(self) -> None:
        """Stop watching."""
        self._over.set()

    def _watch(self) -> None:
        mark: float | None = None
        before = 0.0
        while not self._over.wait(LOOK_S):
            since = self._since
            if fault := excess(self._scratch):
                self._lose(f"the strategy was stopped: {fault}")
                return
            if since is None or since != mark:
                mark, before = since, self._cpu()
            elif fault := self._fault(time.monotonic() - since, self._cpu() - before):
                self._lose(fault)
                return

    def _fault(self, silent_s: float, used_s: float) -> str:
        if silent_s > QUIET_S and used_s > self._budget_s:
            return f"the strategy used more than {self._budget_s:g} s and let nothing else run"
        longest_s = self._limits.wall_s + QUIET_S
        return f"the strategy gave no sign of life for {longest_s:g} s" if silent_s > longest_s else ""

    def _cpu(self) -> float:
        try:
            times = psutil.Process(self._pid).cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)
