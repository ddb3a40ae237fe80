"""What can be said to a live market, and what can be read from it, by whoever holds a line to it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Self

import msgspec

from algosim import settings as configuration
from algosim.config import Config
from algosim.errors import AlgosimError, ConfigError, EngineError
from algosim.live.arguments import account_id, count, raised, target
from algosim.live.client import EngineGone
from algosim.live.engines import FoundEngine, Outcome, OwnEngine
from algosim.runs import folder as run_folder
from algosim.runs.reader import Tail
from algosim.runs.recording import Recording
from algosim.runs.result import RunData
from algosim.runs.workspace import EVENTS, find_strategy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Handle"]

RELOAD_S = 30.0

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
    """A line to one live market at a time.

    Commands return once they are stamped: they act before the next tick. On a market that has not started,
    has ended or crashed they raise `EngineError`, which says what to do.

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
        super().__init__(self._follow, config, "", None)

    def _hold(self, engine: OwnEngine | FoundEngine, run_id: str, folder: Path) -> None:
        """Be the handle of this run from now on."""
        self._engine, self._outcome = engine, None
        self._noted = {}
        self.run_id, self.folder = run_id, folder
        self._tail = Tail(folder / EVENTS)

    # Commands

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

    def pause(self) -> Self:
        """Pause after the last tick released; returns once all of it is done."""
        self._command("pause", None)
        return self

    def resume(self) -> Self:
        """Go on after a pause."""
        self._command("resume")
        return self

    def step(self, n: int = 1) -> Self:
        """Release `n` ticks of a paused market; returns once they are done."""
        self._journey("step", {"n": count(n, "n")})
        return self

    def _journey(self, op: str, goal: dict[str, int]) -> None:
        """Let the market run to a point and pause there; it pauses too if we are interrupted."""
        try:
            self._travel(op, goal)
        except KeyboardInterrupt:
            with contextlib.suppress(AlgosimError):
                self.pause()
            raise

    def wait(self, *, ticks: int | None = None, time: str | float | None = None) -> Self:
        """Wait until the market, which goes on, has come to a tick or time; without one, to its end.

        Raises
        ------
        EngineError
            If the market stands still before that point, or ends before it.
        """
        goal = {} if ticks is None and time is None else target(ticks, time)
        state = self.state
        if state in ("finished", "crashed"):
            self._check_arrival(goal)
            return self
        recording = self.recording
        far = goal.get("ticks", 0) > len(recording) or goal.get("time", 0) > recording.last_time
        if state == "paused" and (far or not goal):
            msg = f"the market is paused at tick {len(recording)}; resume() it first, or use run_until(...)"
            raise EngineError(msg)
        self._travel("wait", goal)
        return self

    def set(
        self, settings: Mapping[str, object] | None = None, *, id: str | None = None, **values: object
    ) -> Self:
        """Change market, schedule or execution settings, or a strategy's parameters, while it runs.

        Parameters
        ----------
        settings : mapping, optional
            By dotted key.
        id : str, optional
            A strategy; the values are then its parameters, and it reloads with them.
        **values
            By the last part of the key, where that is unambiguous.

        Raises
        ------
        ConfigError
            If there is no such setting, the value cannot be used, or it only makes sense at a reset: it is
            then kept for `reset`, and nothing is changed now.
        StrategyError
            If the strategy has no such parameter, or does not load.
        """
        wanted = {**(settings or {}), **values}
        if id is not None:
            self._command("reload", RELOAD_S, id=id, params=wanted)
            return self
        changes: dict[str, object] = {}
        for name, value in wanted.items():
            key = configuration.resolve(name)
            changes[key] = configuration.coerce(key, value)
        changed = configuration.with_settings(self.config, changes)
        if self._engine is None or self._outcome is not None:
            self._config = changed
            return self
        fixed = {key: value for key, value in changes.items() if configuration.applies(key) != "now"}
        if fixed:
            self._noted |= fixed
            what = ", ".join(fixed)
            msg = f"{what} can only change at a reset: kept for it, call reset(); nothing is changed now"
            raise ConfigError(msg)
        for key, value in changes.items():
            self._command("set", key=key, value=value)
        return self

    def add(
        self,
        strategy: str | os.PathLike[str],
        *,
        id: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Self:
        """Add a strategy to the market; it trades from the next tick on.

        Parameters
        ----------
        strategy : name or path
        id : str, optional
            Its account; without one, the strategy's own name.
        params : mapping, optional
        """
        source = find_strategy(strategy)
        name = account_id(source.id if id is None else id)
        self._command("add", RELOAD_S, id=name, path=str(source.path), params=dict(params or {}))
        return self

    def remove(self, id: str) -> Self:
        """Take a strategy out of the market; its account keeps its position."""
        self._command("remove", id=id)
        return self

    def reload(self, id: str | None = None, *, keep_state: bool = False) -> Self:
        """Load a strategy's files again; the new version takes over at the next tick.

        Parameters
        ----------
        id : str, optional
            Not needed where there is one strategy only.
        keep_state : bool
            Offer the new version what the old one has kept with ``ctx.set_state``.
        """
        if id is None:
            names = list(self.status["strategies"])
            if len(names) != 1:
                msg = f"say which strategy to reload; there are: {', '.join(names) or 'none'}"
                raise ConfigError(msg)
            id = names[0]
        self._command("reload", RELOAD_S, id=id, keep_state=keep_state)
        return self

    def order(self, side: str, qty: float, *, id: str = "manual", tag: str = "") -> Self:
        """Place a market order by hand, on an account of its own."""
        self._command("order", side=side, qty=qty, id=account_id(id), tag=tag)
        return self

    # Reading

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
