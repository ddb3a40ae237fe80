"""The start barrier: tick 1 waits until everybody hears everything and every strategy is ready."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from algosim.live.run import outcome

if TYPE_CHECKING:
    from algosim.live.run import Run
    from algosim.live.strategies import Strategy
    from algosim.live.waits import Asker

    Document = dict[str, Any]

__all__ = ["Barrier"]

LINE = (("broker", "ticks"), ("recorder", "hello"))
"""Signs that what the simulator publishes will be recorded."""


class Barrier:
    """Holds a run back until nothing is missing, and attaches strategies that come later.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ready: set[tuple[str, str]] = set()
        self._starters: list[Asker] = []
        self._preparers: list[Asker] = []
        self._ending = False

    def seen(self, name: str, sign: str) -> None:
        """Take note of a sign of life: ``"hello"``, or a socket on which a party has subscribed."""
        self._ready.add((name, sign))
        strategy = self._run.strategies.get(name)
        if strategy is not None:
            strategy.ready.add(sign)
        self.consider()

    def missing(self) -> list[str]:
        """Return what the start waits for, in words."""
        lacks = [role for role, sign in LINE if (role, sign) not in self._ready]
        for name, strategy in self._run.strategies.items():
            if not strategy.may_attach(running=False) and not strategy.leaves:
                lacks.append(f"{name} ({strategy.stage()})")
        return lacks

    def consider(self) -> None:
        """Attach what is ready; open the barrier once nothing is missing."""
        run = self._run
        if run.stopped_at is not None:
            self._end()
        elif run.started or not self.missing():
            for name, strategy in run.strategies.items():
                if strategy.may_attach(running=True):
                    self._attach(name, strategy)
            if not run.started:
                self._open()

    def _open(self) -> None:
        run = self._run
        run.started, run.state = True, "paused"
        for asker in self._preparers:
            run.board.answer(asker)
        self._preparers.clear()
        if self._starters:
            self._go()

    def _attach(self, name: str, strategy: Strategy) -> None:
        strategy.attached, strategy.state = True, "trading"
        event = {"id": name, **(strategy.imported or {})}
        strategy.joined = int(event["version"])

        def stamped(document: Document) -> None:
            if "error" in document:
                self._run.refuse(name, outcome(document)["error"])
            elif strategy.began:  # in a running market its ``init`` comes next, and then the answer
                self._run.welcome(name)

        self._run.ask("simulator", "attach", stamped, event=event)

    def start(self, asker: Asker) -> None:
        """Let the run go as soon as it can; strategies that have failed try again."""
        self._retry()
        self._starters.append(asker)
        if self._run.started:
            self._go()

    def prepare(self, asker: Asker) -> None:
        """Answer once the run stands before its first tick, ready to go."""
        if self._run.started:
            self._run.board.answer(asker)
        else:
            self._retry()
            self._preparers.append(asker)

    def _retry(self) -> None:
        """Before the start, let what has failed try again with its files as they are now."""
        run = self._run
        for name, strategy in run.strategies.items():
            if run.started or strategy.error is None or strategy.leaves:
                continue
            strategy.error = None
            if name in run.family.members:
                run.tell(name, "reload")
            else:
                run.start_host(name)

    def lost(self, name: str, error: Document) -> None:
        """Before the start, tell those who want it that a strategy keeps it from them, if it still does."""
        strategy = self._run.strategies.get(name)
        if self._run.started:
            return
        if strategy is None or strategy.leaves:  # it was being added, and nothing of it stays
            self.consider()
            return
        for asker in self.everybody():
            self._run.board.answer(asker, error={"strategy": name, **error})

    def everybody(self) -> list[Asker]:
        """Return, and forget, all who wait for the start."""
        askers = self._starters + self._preparers
        self._starters, self._preparers = [], []
        return askers

    def stop(self) -> None:
        """Let the run come to its end, now; before its start, as soon as that can be recorded."""
        if self._run.stopped_at is None:
            self._run.stopped_at = time.monotonic()
            self.consider()

    def _end(self) -> None:
        if not self._ending and self._ready.issuperset(LINE):
            self._ending = True
            self._run.ask("simulator", "end", lambda _: None)

    def _go(self) -> None:
        run = self._run
        askers, self._starters = self._starters, []
        run.paused, run.state = False, "running"

        def resumed(document: Document) -> None:
            for asker in askers:
                run.board.answer(asker, **outcome(document))

        run.ask("simulator", "resume", resumed, first=True)
