"""The supervisor process: starts, watches and stops the others, and answers those who hold the run's keys."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec

from algosim.live.barrier import Barrier
from algosim.live.commands import Commands
from algosim.live.family import CRASHED, Family
from algosim.live.lookout import Lookout
from algosim.live.news import News
from algosim.live.report import Report
from algosim.live.run import Run
from algosim.live.switchboard import Switchboard

if TYPE_CHECKING:
    import threading

    from algosim.live.child import Birth

__all__ = ["main"]

LOOK_MS = 50
"""How often the processes are looked after."""


def main(birth: Birth, orphaned: threading.Event) -> None:
    """Run one market from start to end."""
    signal.signal(signal.SIGTERM, lambda *_: orphaned.set())
    supervisor = _Supervisor(birth, orphaned)
    try:
        supervisor.run_it()
    finally:
        supervisor.end()


class _Supervisor:
    def __init__(self, birth: Birth, orphaned: threading.Event) -> None:
        self.board = Switchboard(birth)
        _say({"control": self.board.endpoint})
        self.family = Family(birth, self.board.endpoint)
        self.run = Run(birth, self.board, self.family)
        self.barrier = Barrier(self.run)
        self.report = Report(self.run, self.barrier)
        self.news = News(self.run, self.barrier, self.report)
        self.commands = Commands(self.run, self.barrier, self.report)
        self.lookout = Lookout(self.run, self.barrier)
        self.orphaned = orphaned

    def run_it(self) -> None:
        """Listen and look after the processes until the run is over."""
        self.run.start()
        while not self.run.over:
            for said in self.board.receive(LOOK_MS):
                (self.commands if said.guest else self.news).take(said)
            if self.orphaned.is_set():
                self.lookout.orphaned = True
                self.barrier.stop()
            now = time.monotonic()
            self.lookout.look(now)
            self.report.look(now)

    def end(self) -> None:
        """End every process, give the last answers, and say how the run ended."""
        run, status = self.run, self.report.last()
        if run.state == "crashed":
            self.family.note(f"{CRASHED}{run.reason}")
        for name in self.family.members:
            run.tell(name, "stop")
        self.family.end()
        final = {"state": run.state, "reason": run.reason}
        for asker in run.waits.everybody():
            self.board.answer(asker, ended=True, done=run.done, **final)
        for asker in self.barrier.everybody():
            self.board.answer(asker, error={"message": run.reason or "the run has ended"})
        _say({**final, "config": run.config, "status": status})
        self.board.close()


def _say(document: dict[str, Any]) -> None:
    """Write a line to whoever launched us, if it is there."""
    try:
        sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
        sys.stdout.buffer.flush()
    except OSError:
        return  # it is gone; the guard ends us
