"""Looks after the processes of a run: who has died, who is silent, what takes too long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algosim.live.barrier import Barrier
    from algosim.live.family import Process
    from algosim.live.run import Run

__all__ = ["Lookout"]

ENGINE = ("simulator", "broker", "recorder")

REMEDY = "reload the strategy to go on with it"

WORDS_S = 0.1
"""How long what a dead process has said may still be on its way."""

SILENCE_S = 5.0
"""A host that says nothing for longer, while its strategy trades, is taken for dead."""

ENGINE_SILENCE_S = 30.0
"""The same for the other processes; one that writes to a slow disk is silent for a while."""

ASK_S = 1.0
STALL_S = 0.5
"""When the supervisor itself was stopped for longer, nobody is blamed for what it did not hear."""

HURRY_S, LEAVE_S = 1.3, 2.0
"""What strategies have for their last ticks, and by the end of ``on_stop``; stopping takes 3 s at most.

A longer ``limits.on_stop_s`` than that makes it longer.
"""

ORPHAN_HURRY_S, ORPHAN_LEAVE_S, ORPHAN_GIVE_UP_S = 0.5, 1.0, 1.5
"""The same, and `GIVE_UP_S`, where the process that started the run is gone and all must end soon."""

CLOSE_S = 1.0
"""What the recorder has to sum up a run that crashed."""

REOPEN_S = 4.0
"""The same for one that has just started, and first reads what is there."""

GIVE_UP_S = 8.0
"""A run that is to stop and shows no progress for longer crashes."""


class Lookout:
    """Acts on what processes do not say.

    Parameters
    ----------
    run : Run
    barrier : Barrier
    """

    def __init__(self, run: Run, barrier: Barrier) -> None:
        self._run = run
        self._barrier = barrier
        self._looked_at = self._asked_at = self._moved_at = time.monotonic()
        self._done = 0
        self._hurried = False
        self.orphaned = False

    def look(self, now: float) -> None:
        """Look at everybody once."""
        run = self._run
        self._forgive(now)
        for process in tuple(run.family.members.values()):
            if process.gone:
                process.gone_at = process.gone_at or now
                if now - process.gone_at > WORDS_S:
                    self._died(process)
        if run.closing_at is not None:
            patience = REOPEN_S if run.recorder_restarts else CLOSE_S
            run.over = run.over or now - run.closing_at > patience
            return
        self._ask(now)
        self._listen(now)
        self._end(now)

    def _forgive(self, now: float) -> None:
        """Start the clocks anew after a time in which we could not hear."""
        stalled = now - self._looked_at > STALL_S
        self._looked_at = now
        if stalled:
            for process in self._run.family.members.values():
                process.heard_at = now

    # Who has died

    def _died(self, process: Process) -> None:
        run = self._run
        how = run.family.how_it_ended(process)
        run.kill(process.name)
        if process.role == "host":
            self._lose(process.name, "host", f"{how}; {REMEDY}")
        elif process.role == "recorder" and not process.gave_up and run.recorder_restarts < 2:
            run.recorder_restarts += 1
            run.start_recorder(resume=True)
            if run.closing_at is not None:
                run.tell("recorder", "close")
            elif run.recorder_restarts == 2:
                run.crash(how)  # the third one closes the books, and no more
        else:
            run.crash(how)

    def _lose(self, name: str, reason: str, message: str) -> None:
        run = self._run
        error = {"message": message}
        run.lose(name, reason, error)
        self._barrier.lost(name, error)

    # Who is silent

    def _ask(self, now: float) -> None:
        """Make the engine's processes say something; hosts do so by themselves."""
        if now - self._asked_at > ASK_S:
            self._asked_at = now
            for name in ENGINE:
                self._run.tell(name, "report")

    def _listen(self, now: float) -> None:
        run = self._run
        for process in tuple(run.family.members.values()):
            silent = now - process.heard_at
            if process.role != "host":
                if silent > ENGINE_SILENCE_S:
                    run.crash(f"the {process.role} process does not answer, for {ENGINE_SILENCE_S:g} s")
            elif not run.strategies[process.name].owes or (run.paused and not run.waits):
                process.heard_at = now  # nobody waits for it
            elif silent > SILENCE_S:
                run.kill(process.name)
                self._lose(
                    process.name, "silence", f"its host process said nothing for {SILENCE_S:g} s; {REMEDY}"
                )

    # The end

    def _end(self, now: float) -> None:
        """See to it that a run which is to stop does so."""
        run = self._run
        if run.done != self._done or run.stopped_at is None:
            self._done, self._moved_at = run.done, now
        if run.stopped_at is None:
            return
        stopping = now - run.stopped_at
        if not self._hurried and stopping > (ORPHAN_HURRY_S if self.orphaned else HURRY_S):
            self._hurried = True
            run.ask("broker", "late", lambda answer: self._hurry(answer["late"]))
        if stopping > self._patience():
            self._hurry([name for name, strategy in run.strategies.items() if strategy.owes])
        orphan_late = self.orphaned and stopping > ORPHAN_GIVE_UP_S
        if orphan_late or now - self._moved_at > GIVE_UP_S:
            run.crash("it did not come to its end; " + self._whose_fault(now))

    def _patience(self) -> float:
        if self.orphaned:
            return ORPHAN_LEAVE_S
        return max(LEAVE_S, self._run.config.limits.on_stop_s)

    def _hurry(self, names: list[str]) -> None:
        """Detach strategies that keep the run from ending."""
        run = self._run
        for name in names:
            if name in run.family.members:
                run.kill(name)
                run.lose(name, "stop", {"message": "it did not come to an end within the stop deadline"})

    def _whose_fault(self, now: float) -> str:
        members = self._run.family.members.values()
        silent = max(members, key=lambda process: now - process.heard_at, default=None)
        if silent is None:
            return "no process is left"
        return f"the {silent.role} process said nothing for {now - silent.heard_at:.1f} s"
