"""A line to one live market: requests and answers, how it does, and what it has recorded."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import msgspec

from algosim.config import Config
from algosim.errors import EngineError
from algosim.live.arguments import raised
from algosim.live.client import EngineGone
from algosim.live.engines import FoundEngine, Outcome, OwnEngine
from algosim.runs import folder as run_folder
from algosim.runs.reader import Tail
from algosim.runs.recording import Recording
from algosim.runs.result import RunData
from algosim.runs.workspace import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Handle"]

_NO_STATUS: dict[str, Any] = {
    "reason": "",
    "tick": 0,
    "done": 0,
    "ts_sim": 0,
    "ticks_per_s": 0.0,
    "waiting_for": [],
    "queues": {},
    "gaps": 0,
    "foreign": 0,
    "rejected": 0,
    "strategies": {},
    "accounts": {},
    "processes": {},
    "endpoints": {},
}


class Handle(RunData):
    """Holds a line to one live market at a time, and reads what it records.

    Parameters
    ----------
    config : Config
        Of the run that is to come.
    """

    def __init__(self, config: Config) -> None:
        self._engine: OwnEngine | FoundEngine | None = None
        self._tail: Tail | None = None
        self._outcome: Outcome | None = None
        self._noted: dict[str, object] = {}
        self._pid = os.getpid()
        self._config = config
        super().__init__(self._follow, config, "", None)

    def _hold(self, engine: OwnEngine | FoundEngine, run_id: str, folder: Path) -> None:
        """Be the handle of this run from now on."""
        self._engine, self._outcome = engine, None
        self._noted = {}
        self.run_id, self.folder = run_id, folder
        self._tail = Tail(folder / EVENTS)

    def _command(self, op: str, timeout_s: float | None = 10.0, **fields: object) -> dict[str, Any]:
        """Send a command and return its answer; raise what it could not do."""
        self._settle()
        if self._engine is None or self._outcome is not None:
            raise EngineError(self._why_not())
        try:
            answer = self._engine.client.ask(op, timeout_s, **fields)
        except EngineGone:
            self._settle()
            raise EngineGone(self._why_not()) from None
        if answer.get("ended"):
            self._engine.end()
            self._settle()
        if answer.get("error") is not None:
            raise raised(answer["error"])
        return answer

    def _settle(self) -> None:
        """Take note of how the run ended, once the supervisor is gone."""
        if self._engine is None or self._outcome is not None or not self._engine.gone():
            return
        self._engine.client.close()
        recorded = Outcome("finished" if self.recording.end is not None else "crashed", "")
        self._outcome = self._engine.outcome() or recorded
        self._config = self._outcome.config or self._config

    def _why_not(self) -> str:
        if self._outcome is None:
            return "the market has not started; call start()"
        if self._outcome.state == "crashed":
            reason = self._outcome.reason or "its supervisor is gone"
            return (
                f"the run crashed: {reason}. What was recorded until then is in {self.folder}; "
                "reset() begins a fresh run"
            )
        return "the run has ended; reset() begins a fresh one"

    def _travel(self, op: str, goal: dict[str, int]) -> None:
        """Send a command that is answered at a later point of the run, or at its end."""
        with contextlib.suppress(EngineGone):
            if not self._command(op, None, **goal).get("ended"):
                return
        self._check_arrival(goal)

    def _check_arrival(self, goal: dict[str, int]) -> None:
        """Raise if the run, which has ended, did not come to a point."""
        if self._outcome is None or self._outcome.state == "crashed":
            raise EngineError(self._why_not())
        last, t_end = len(self.recording), self.recording.t_end
        if goal.get("ticks", 0) > last or goal.get("time", 0) > t_end:
            msg = f"the run ended at tick {last}, {t_end * 1e-9:.3f} s, before that point"
            raise EngineError(msg)

    def _follow(self) -> Recording:
        """Return everything recorded so far, without gaps."""
        return Recording() if self._tail is None else self._tail.update()

    @property
    def config(self) -> Config:
        """The settings as they are now."""
        self._settle()
        if self._engine is not None and self._outcome is None:
            with contextlib.suppress(EngineError):
                self._config = msgspec.convert(self._command("config")["config"], Config)
        return self._config

    @config.setter
    def config(self, config: Config) -> None:
        self._config = config

    @property
    def digest(self) -> str:
        """The digest of what is done so far."""
        return self.recording.digest

    @property
    def state(self) -> str:
        """One word: new, starting, waiting, running, paused, ending, finished or crashed."""
        return str(self.status["state"])

    @property
    def status(self) -> dict[str, Any]:
        """How the market does: state, ticks, queues, waits, gaps, foreign messages, strategies."""
        self._settle()
        if self._engine is not None and self._outcome is None:
            with contextlib.suppress(EngineGone):
                answer = self._command("status")
                if "status" in answer:
                    return dict(answer["status"])
        status = {**_NO_STATUS, "state": "new", "speed": self._config.schedule.speed}
        if self._outcome is not None:
            done, t_end = len(self.recording), self.recording.t_end
            state, reason, _ = self._outcome
            status.update(state=state, reason=reason, tick=done, done=done, ts_sim=t_end)
        return status

    def export(self, folder: str | os.PathLike[str]) -> Path:
        """Copy the run folder as it is now and return where the copy is.

        Raises
        ------
        RunError
            If nothing has run yet, or `folder` holds other things.
        """
        return run_folder.export(self.folder, folder)
