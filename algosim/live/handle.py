"""A line to one live market: requests and answers, how it does, and what it has recorded."""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any

import msgspec

from algosim.config import Config
from algosim.errors import EngineError
from algosim.live.arguments import raised
from algosim.live.at_rest import ended_status, new_status
from algosim.live.client import EngineGone
from algosim.live.noted import Noted
from algosim.live.own_engine import Outcome, OwnEngine
from algosim.runs import folder as run_folder
from algosim.runs.reader import Tail
from algosim.runs.recording import Recording
from algosim.runs.result import RunData
from algosim.runs.workspace import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

    from algosim.live.found_engine import FoundEngine

__all__ = ["Handle"]

_log = logging.getLogger("algosim")


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
        self._noted = Noted()
        self._pid = os.getpid()
        self._config = config
        super().__init__(self._follow, config, "", None)

    def _hold(self, engine: OwnEngine | FoundEngine, run_id: str, folder: Path) -> None:
        """Be the handle of this run from now on."""
        self._engine, self._outcome = engine, None
        self._noted = Noted()
        self.run_id, self.folder = run_id, folder
        self._tail = Tail(folder / EVENTS)

    def _command(self, op: str, timeout_s: float | None = 10.0, **fields: object) -> dict[str, Any]:
        """Send a command and return its answer; raise what it could not do."""
        self._settle()
        engine = self._engine  # another thread may reset
        if engine is None:
            raise EngineError(self._why_not())
        if self._outcome is not None:
            raise EngineGone(self._why_not())
        try:
            answer = engine.client.ask(op, timeout_s, **fields)
        except EngineGone:
            self._settle()
            raise EngineGone(self._why_not()) from None
        if answer.get("ended"):
            engine.end()
            self._settle()
        if answer.get("error") is not None:
            raise raised(answer["error"])
        return answer

    def _settle(self) -> None:
        """Take note of how the run ended, once the supervisor is gone."""
        engine = self._engine
        if engine is None or self._outcome is not None or not engine.gone():
            return
        engine.client.close()
        whole = self.recording.end is not None
        recorded = Outcome("finished", "") if whole else Outcome("crashed", "its supervisor is gone")
        outcome = engine.outcome() or recorded
        if self._engine is engine:  # another thread may have reset
            self._outcome = outcome
            self._config = outcome.config or self._config

    def _why_not(self) -> str:
        outcome = self._outcome
        if outcome is None:
            return "the market has not started; call start()"
        if outcome.state == "crashed":
            return (
                f"the run crashed: {outcome.reason}. What was recorded until then is in {self.folder}; "
                "reset() begins a fresh run"
            )
        return "the run has ended; reset() begins a fresh one"

    def _travel(self, op: str, goal: dict[str, int]) -> None:
        """Send a command that is answered at a later point of the run, or at its end."""
        self._settle()
        if self._outcome is not None and op != "wait":
            raise EngineGone(self._why_not())
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
                self._hear_config(10.0)
        return self._config

    @config.setter
    def config(self, config: Config) -> None:
        self._config = config

    def _hear_config(self, within_s: float) -> None:
        """Ask the supervisor for the settings as they are now."""
        self._config = msgspec.convert(self._command("config", within_s)["config"], Config)

    @property
    def noted(self) -> dict[str, object]:
        """Settings that wait for a reset, by dotted key."""
        return self._noted.changes

    @property
    def digest(self) -> str | None:
        """The digest of what is done so far; None before the start."""
        return None if self._engine is None else self.recording.digest

    @property
    def state(self) -> str:
        """One word: new, starting, waiting, running, paused, ending, finished or crashed."""
        return str(self.status["state"])

    @property
    def status(self) -> dict[str, Any]:
        """How the market does: state, ticks, queues, waits, gaps, foreign messages, strategies.

        It has the same keys before, during and after a run. ``rejected`` counts the orders of strategies and
        of raw clients that were refused (one by hand is an error at once); ``note`` says which ports are
        others than those asked for.
        """
        self._settle()
        if self._engine is not None and self._outcome is None:
            with contextlib.suppress(EngineGone):
                answer = self._command("status")
                if "status" in answer:
                    return dict(answer["status"])
        outcome = self._outcome
        if outcome is None:
            return new_status(self._config)
        return ended_status(self._config, outcome, self.recording)

    def _tell_ports(self) -> None:
        """Warn of ports that are others than those asked for."""
        note = self.status["note"]
        if note:
            _log.warning(note)

    def _discard_if_empty(self) -> None:
        """Remove the folder of an ended run that has no tick, if it was us who named it."""
        folder, outcome = self.folder, self._outcome
        ours = isinstance(self._engine, OwnEngine) and folder is not None and folder.name == self.run_id
        if ours and outcome is not None and outcome.state == "finished" and not len(self.recording):
            assert folder is not None
            run_folder.discard(folder)
            self.folder = None

    def export(self, folder: str | os.PathLike[str]) -> Path:
        """Copy the run folder as it is now and return where the copy is.

        Raises
        ------
        RunError
            If nothing has run yet, or `folder` holds other things.
        """
        return run_folder.export(self.folder, folder)
