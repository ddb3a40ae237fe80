"""How a run does: collected from its processes, told to whoever asks."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from algosim.sandbox.standing import summary

if TYPE_CHECKING:
    from algosim.live.barrier import Barrier
    from algosim.live.run import Run
    from algosim.live.waits import Asker

    Document = dict[str, Any]

__all__ = ["Report"]

SOURCES = ("simulator", "broker")
PATIENCE_S = 0.5
"""A process that does not answer for longer is stopped or gone; the status is told without it."""

RATE_S = 3.0


class Report:
    """Asks the simulator and the broker how they do and answers those who want to know.

    Parameters
    ----------
    run : Run
    barrier : Barrier
    """

    def __init__(self, run: Run, barrier: Barrier) -> None:
        self._run = run
        self._barrier = barrier
        self._askers: list[Asker] = []
        self._asked_at = 0.0
        self._number = 0
        self._awaited: set[str] = set()
        self._reports: dict[str, Document] = {
            "simulator": {"tick": 0, "ts_sim": 0, "open": 0, "foreign": {}},
            "broker": {"accounts": {}, "unconfirmed": 0, "waiting_for": [], "foreign": {}, "rejected": 0},
        }
        self._sandbox = summary(run.config.limits.sandbox)
        self._rates: deque[tuple[float, int]] = deque(maxlen=200)

    def progressed(self, done: int) -> None:
        """Take note of how far the run is done."""
        self._rates.append((time.monotonic(), done))

    def ask(self, asker: Asker) -> None:
        """Answer as soon as the processes have said how they do."""
        self._askers.append(asker)
        self._asked_at = time.monotonic()
        self._number += 1
        self._awaited = set(SOURCES)
        for name in SOURCES:
            self._run.tell(name, "report", rid=self._number)

    def take(self, name: str, report: Document) -> None:
        """Take one process's part; one that was asked for before says how it was then."""
        self._reports[name] = report
        if report["rid"] == self._number:
            self._awaited.discard(name)
        if not self._awaited:
            self._answer()

    def look(self, now: float) -> None:
        """Do without those who do not answer."""
        if self._askers and now - self._asked_at > PATIENCE_S:
            self._answer()

    def _answer(self) -> None:
        askers, self._askers = self._askers, []
        for asker in askers:
            self._run.board.answer(asker, status=self._status())

    def _status(self) -> Document:
        run, simulator, broker = self._run, self._reports["simulator"], self._reports["broker"]
        accounts = broker["accounts"]
        strategies = {
            name: {**strategy.status(), **accounts.get(name, {}), "version": strategy.version}
            for name, strategy in run.strategies.items()
        }
        foreign = {"control": run.board.strangers, **simulator["foreign"], **broker["foreign"]}
        return {
            "state": run.state,
            "reason": run.reason,
            "note": run.note_on_ports(),
            "tick": simulator["tick"],
            "done": run.done,
            "ts_sim": simulator["ts_sim"],
            "ticks_per_s": self._rate(),
            "speed": run.config.schedule.speed,
            "waiting_for": self._waiting_for(broker),
            "queues": {"not done": simulator["open"], "not written": broker["unconfirmed"]},
            "gaps": 0,
            "foreign": sum(foreign.values()),
            "foreign_at": foreign,
            "rejected": broker["rejected"],
            "recorder_restarts": run.recorder_restarts,
            "sandbox": self._sandbox,
            "strategies": strategies,
            "accounts": {name: books for name, books in accounts.items() if name not in run.strategies},
            "processes": {name: process.popen.pid for name, process in run.family.members.items()},
            "endpoints": {name: at for name, at in run.endpoints.items() if name != "blocks"},
            "hwm": msgspec.to_builtins(run.config.transport.hwm),
        }

    def last(self) -> Document:
        """Return how the run ended, as far as its parts have said."""
        self._awaited = set()
        return self._status()

    def _waiting_for(self, broker: Document) -> list[str]:
        silent = [f"{name} (no answer)" for name in sorted(self._awaited)]
        return silent + (broker["waiting_for"] if self._run.started else self._barrier.missing())

    def _rate(self) -> float:
        """Return ticks per second of wall time over the last seconds."""
        now = time.monotonic()
        recent = [(at, done) for at, done in self._rates if now - at < RATE_S]
        if len(recent) < 2 or recent[-1][0] == recent[0][0]:
            return 0.0
        return (recent[-1][1] - recent[0][1]) / (recent[-1][0] - recent[0][0])
