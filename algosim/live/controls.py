"""What can be said to a live market: go, stop, change, trade."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Self

from algosim import settings as configuration
from algosim.core.orders import clean_quantity, clean_side, clean_tag
from algosim.errors import AlgosimError, ConfigError, EngineError, did_you_mean
from algosim.live.arguments import account_id, any_case, count, given_parameters, parameters, target
from algosim.live.handle import Handle
from algosim.runs.parameters import check_parameters
from algosim.runs.workspace import find_strategy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from algosim.config import Config
    from algosim.runs.setup import Setup

__all__ = ["Controls"]

RELOAD_S = 60.0
"""A version may have to wait for a slow tick, and an import and an ``init`` have ten seconds each."""


class Controls(Handle):
    """A handle that commands; `_setup` is what its run has started from, or is to.

    Commands return once they are stamped: they act before the next tick. On a market that has not started,
    has ended or crashed they raise `EngineError`, which says what to do; settings can be changed at any time.
    """

    _setup: Setup

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

    def wait(self, *, ticks: int | None = None, time: str | float | timedelta | None = None) -> Self:
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
        """Change market, schedule or execution settings, or a strategy's parameters, at any time.

        In a running market they act before the next tick. Before the start they are what it starts with, and
        after the end, where `config` stays that of the run, what `reset` starts with.

        With other parameters a strategy reloads: this returns once the new version's ``init`` has returned.
        It trades from the next tick on, also if the market is paused until then. If it fails, the version
        before trades on.

        Parameters
        ----------
        settings : mapping, optional
            By dotted key.
        id : str, optional
            A strategy; the values are then its parameters, and it reloads with them.
        **values
            By the last part of the key, where that is unambiguous. A strategy's parameter also has a key,
            ``"strategies.sma.params.fast"``, with which it can be changed together with settings.

        Raises
        ------
        ConfigError
            If there is no such setting, the value cannot be used, or it only makes sense at a reset: it is
            then kept for `reset`, and nothing is changed now.
        StrategyError
            If the strategy has no such parameter, does not load, or its ``init`` fails; with the line. No
            setting is changed then.
        """
        wanted = configuration.named(settings, "settings") | values
        self._settle()
        runs = self._engine is not None and self._outcome is None
        if id is not None and runs:
            return self.reload(id, params=wanted)
        if id is not None:
            id = account_id(id)
            known = self._noted.over(self.config).strategies
            if id not in known:
                there = ", ".join(known) or "none"
                msg = f"no strategy {id!r} is in the market{did_you_mean(id, known)}; there are: {there}"
                raise ConfigError(msg)
            wanted = {f"strategies.{id}.params.{name}": value for name, value in wanted.items()}
        changes: dict[str, object] = {}
        for name, value in wanted.items():
            key = configuration.resolve(name)
            changes[key] = configuration.coerce(key, value)
        if runs:
            self._change(changes)
        elif self._engine is None:
            self._config = self._changed(self._config, changes)
        else:
            self._note(changes)
        return self

    def _change(self, changes: dict[str, object]) -> None:
        """Change parameters of strategies and, if those can be used, settings of a running market."""
        params, settings = parameters(changes)
        fixed = {key: value for key, value in settings.items() if configuration.applies(key) != "now"}
        if fixed:
            self._note(fixed)
            what = ", ".join(fixed)
            msg = f"{what} can only change at a reset: kept for it, call reset(); nothing is changed now"
            raise ConfigError(msg)
        configuration.with_settings(self.config, settings)
        for id, wanted in params.items():
            self.reload(id, params=wanted)
        for key, value in settings.items():
            self._command("set", key=key, value=value)

    def _note(self, changes: dict[str, object]) -> None:
        """Keep changes for the next run."""
        self._changed(self._noted.over(self.config), changes)
        self._noted.keep(changes)

    def _changed(self, config: Config, changes: dict[str, object]) -> Config:
        """Return the configuration of a run that is to come with changes, if it can start with them."""
        fresh = configuration.with_settings(config, changes)
        check_parameters(self._setup, config, fresh)
        return fresh

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

        Raises
        ------
        StrategyError
            If it does not load or its ``init`` fails. It is not in the market then, and its id is free.
        """
        source = find_strategy(strategy)
        name = account_id(source.id if id is None else id)
        given = given_parameters(name, params)
        spec = {f"strategies.{name}.path": str(source.path), f"strategies.{name}.params": given}
        configuration.with_settings(self.config, spec)
        self._command("add", RELOAD_S, id=name, path=str(source.path), params=given)
        self._noted.added(name, os.fspath(strategy), given)
        return self

    def remove(self, id: str) -> Self:
        """Take a strategy out of the market; its account keeps its position.

        Returns once it is out: its last orders are placed, its ``on_stop`` has returned.
        """
        self._command("remove", RELOAD_S, id=account_id(id))
        self._noted.removed(id)
        return self

    def reload(
        self, id: str | None = None, *, keep_state: bool = False, params: Mapping[str, Any] | None = None
    ) -> Self:
        """Load a strategy's files again; once its ``init`` has returned it trades from the next tick on.

        Parameters
        ----------
        id : str, optional
            Not needed where there is one strategy only.
        keep_state : bool
            Offer the new version what the old one has kept with ``ctx.set_state``.
        params : mapping, optional
            Over the parameters that it has.
        """
        if id is None:
            names = list(self._command("config")["config"]["strategies"])
            if len(names) != 1:
                msg = f"say which strategy to reload; there are: {', '.join(names) or 'none'}"
                raise ConfigError(msg)
            id = names[0]
        given = given_parameters(account_id(id), params)
        known = self.config.strategies.get(id)
        if known is not None and given:
            whole = {f"strategies.{id}.params": {**known.params, **given}}
            configuration.with_settings(self.config, whole)
        self._command("reload", RELOAD_S, id=id, keep_state=keep_state, params=given)
        self._noted.parameters(id, given)
        return self

    def order(self, side: str, qty: float, *, id: str = "manual", tag: str = "") -> Self:
        """Place a market order by hand, on an account of its own.

        Before the first tick there is no price yet: the order is then placed right after it.

        Parameters
        ----------
        side : str
            ``"BUY"`` or ``"SELL"``, in any case.
        qty : float
            Position and orders in flight together may come to ``portfolio.max_position``.
        id : str, optional
            The account.
        tag : str, optional

        Raises
        ------
        ConfigError
            If side, quantity or tag cannot be used.
        EngineError
            If the order would go beyond ``portfolio.max_position``, or the account is a strategy's.
        """
        try:
            clean = clean_side(any_case(side)), clean_quantity(qty), clean_tag(tag)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self._command("order", side=clean[0], qty=clean[1], tag=clean[2], id=account_id(id))
        return self
