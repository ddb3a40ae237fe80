"""Ends a headless strategy that does not return: the live engine's budgets, kept from within its process.

A thread looks at the process's CPU time, which stands still while the process is stopped. Code that never
lets another thread run is found by the parent, which hears no sign of life.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from algosim.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from algosim.config import Limits
    from algosim.runs.frames import Frame

__all__ = ["SIGN_OF_LIFE_S", "Watchdog"]

LOOK_S = 0.1
SIGN_OF_LIFE_S = 1.0


class Watchdog:
    """Watches the hook that the main thread is in.

    Parameters
    ----------
    limits : Limits

    Attributes
    ----------
    sources : mapping of str to str
        The strategy's texts by the name they were compiled under; set once it is loaded.
    last_words : callable
        Returns what to send about a hook that is over its budget; whoever calls hooks sets it.
    """

    last_words: Callable[[StrategyError], Frame]

    def __init__(self, limits: Limits) -> None:
        self.sources: Mapping[str, str] = {}
        self._limits = limits
        self._give_up: Callable[[StrategyError], None] = _ignore
        self._sign: Callable[[], None] = _ignore
        self._hook = self._failed = ""
        self._budget_s = 0.0
        self._progress: Callable[[], object] = lambda: None
        self._main = threading.main_thread().ident

    def start(self, give_up: Callable[[StrategyError], None], sign: Callable[[], None]) -> None:
        """Begin to watch; before this, and for a debugger, a hook may take all the time it wants.

        Parameters
        ----------
        give_up : callable
            Called with the error, from the watching thread, when a hook is over its budget.
        sign : callable
            Called about once a second, from the watching thread, while all is well.
        """
        self._give_up, self._sign = give_up, sign
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    @property
    def at(self) -> str:
        """The hook that was the last to fail."""
        return self._failed

    @contextmanager
    def hook(
        self, name: str, budget_s: float, progress: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """Watch what is done inside; whenever `progress` returns another value the budget starts anew."""
        before = self._hook, self._budget_s, self._progress
        self._hook, self._budget_s, self._progress = name, budget_s, progress
        try:
            yield
        except BaseException:
            self._failed = name
            raise
        finally:
            self._hook, self._budget_s, self._progress = before

    @contextmanager
    def off(self) -> Iterator[None]:
        """Do not watch what is done inside: it is ours, and may wait for others."""
        with self.hook("", 0.0):
            yield

    def _watch(self) -> None:
        key: object = None
        cpu = wall = signed = 0.0
        while True:
            time.sleep(LOOK_S)
            now, used = time.monotonic(), time.process_time()
            if now - signed >= SIGN_OF_LIFE_S:
                signed = now
                self._sign()
            hook, present = self._hook, (self._hook, self._progress())
            if not hook or present != key:
                key, cpu, wall = present, used, now
            elif used - cpu > self._budget_s:
                self._end(hook, f"used more than {self._budget_s:g} s")
            elif now - wall > self._limits.wall_s:
                self._end(hook, f"did not return within {self._limits.wall_s:g} s")

    def _end(self, hook: str, what: str) -> None:
        """Give up on the strategy, with the line that it is at."""
        frame = sys._current_frames().get(self._main or 0)  # noqa: SLF001  (the documented way to see a thread)
        stack = traceback.StackSummary.extract(traceback.walk_stack(frame), lookup_lines=False)
        for place in stack:
            if place.filename in self.sources and place.lineno:
                line = self.sources[place.filename].splitlines()[place.lineno - 1].strip()
                where = f"{place.filename}, line {place.lineno}"
                self._give_up(
                    StrategyError(
                        f"{hook} {what} ({where}: {line})",
                        file=place.filename,
                        line=place.lineno,
                        source=line,
                        frames=f"{where}, in {place.name}\n    {line}\n{hook} {what}",
                    )
                )
        self._give_up(StrategyError(f"{hook} {what}"))


def _ignore(*_: object) -> None:
    """Do nothing."""
