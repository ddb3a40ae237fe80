"""A strategy as the core runs it: its hooks, its parameters, its context, and its errors in its own words."""

from __future__ import annotations

import random
import traceback
from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from algosim.core.context import Context
from algosim.core.desk import clean_text
from algosim.core.indicators import Bands, Bollinger
from algosim.core.plain import plain
from algosim.core.randomness import derive, stream
from algosim.errors import StrategyError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from algosim.core.desk import Desk
    from algosim.core.indicator import Indicator

__all__ = [
    "Hooks",
    "Runner",
    "check_ran",
    "explain",
    "hooks_of",
    "merge_parameters",
    "seed_globals",
    "strategy_seed",
]


MAX_NAME = 100
"""Longest name of a strategy, in characters; the rest is cut off."""


class Hooks(NamedTuple):
    """What a strategy's module defines."""

    name: str
    params: dict[str, Any]
    on_tick: Callable[[Context, dict[str, Any]], object]
    init: Callable[[Context], object] | None
    on_stop: Callable[[Context], object] | None


def hooks_of(namespace: Mapping[str, Any], fallback_name: str) -> Hooks:
    """Read the hooks of a strategy's module.

    Raises
    ------
    StrategyError
        If ``on_tick`` is missing, a hook is not a function, or ``PARAMS`` is not a dict of JSON values.
    """
    hooks = {}
    for hook in ("on_tick", "init", "on_stop"):
        hooks[hook] = namespace.get(hook)
        if hooks[hook] is not None and not callable(hooks[hook]):
            msg = f"{hook} must be a function"
            raise StrategyError(msg)
    if hooks["on_tick"] is None:
        msg = f"no function on_tick(ctx, tick){did_you_mean('on_tick', namespace)}"
        raise StrategyError(msg)
    params = namespace.get("PARAMS", {})
    if not isinstance(params, dict) or not all(isinstance(key, str) for key in params):
        msg = 'PARAMS must be a dict of names and values, for example PARAMS = {"window": 20}'
        raise StrategyError(msg)
    return Hooks(
        clean_text(str(namespace.get("NAME", fallback_name)))[:MAX_NAME],
        _json_values(params),
        hooks["on_tick"],
        hooks["init"],
        hooks["on_stop"],
    )


def _json_values(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as built-in types, the same whether they came from code, YAML or a pipe."""
    values: dict[str, Any] = {}
    for name, value in params.items():
        try:
            values[name] = plain(value)
        except ValueError as error:
            msg = f"parameter {name!r}: parameters are {error}"
            raise StrategyError(msg) from error
    return values


def merge_parameters(hooks: Hooks, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``PARAMS`` with the given values over them.

    Raises
    ------
    StrategyError
        If a given name is not in ``PARAMS``.
    """
    for name in given:
        if name not in hooks.params:
            known = ", ".join(hooks.params) or "none"
            msg = f"{hooks.name} has no parameter {name!r}{did_you_mean(name, hooks.params)}; it has: {known}"
            raise StrategyError(msg)
    return {**hooks.params, **_json_values(given)}


def strategy_seed(seed: int, strategy_id: str, version: int) -> int:
    """Return the seed of one version of a strategy; the run's seed cannot be found from it."""
    return derive(seed, "strategy", strategy_id, version)


def seed_globals(rng_seed: int) -> None:
    """Seed ``random`` and numpy's global state from the strategy's own seed."""
    random.seed(derive(rng_seed, "random"))
    np.random.seed(derive(rng_seed, "numpy") % 2**32)  # noqa: NPY002  (the learner may use it)


class Runner:
    """One version of a strategy at work.

    Parameters
    ----------
    hooks : Hooks
    desk : Desk
        The account as it stands.
    params : Mapping
        Parameters that the run gives, over ``PARAMS``.
    rng_seed : int
        From `strategy_seed`.
    kept : Mapping
        State that the version before left.
    """

    def __init__(
        self,
        hooks: Hooks,
        desk: Desk,
        *,
        params: Mapping[str, Any],
        rng_seed: int,
        kept: Mapping[str, Any],
    ) -> None:
        self.hooks = hooks
        self.desk = desk
        self.params = merge_parameters(hooks, params)
        self.ctx = Context(desk, self.params, stream(rng_seed, "rng"), kept)
        self._made = self.ctx.indicator.made
        self._known = 0
        self._drawn: dict[str, Indicator[float] | Indicator[Bands]] = {}
        self._several = False

    def start(self, now: int) -> None:
        """Call ``init`` at simulated time `now` [ns]; from then on orders may be placed."""
        self.desk.now = now
        if self.hooks.init is not None:
            check_ran(self.hooks.init(self.ctx), "init")
        self.desk.trading = True

    def stop(self, now: int) -> None:
        """Call ``on_stop`` at simulated time `now` [ns]."""
        self.desk.now = now
        self.desk.trading = False
        if self.hooks.on_stop is not None:
            check_ran(self.hooks.on_stop(self.ctx), "on_stop")

    def warmup(self) -> str:
        """Return the state of the indicator that is furthest from ready, as ``"12/50"``, or ``""``."""
        waiting = [made for made in self.ctx.indicator.made if not made.ready]
        return max(waiting, key=lambda made: made.window).warmup if waiting else ""

    def lines(self) -> dict[str, float | None]:
        """Return the present value of every indicator that draws, by label."""
        row = self.row()
        return dict(zip(self.names(), row, strict=True))

    def names(self) -> tuple[str, ...]:
        """Return the names of `row`'s values: an indicator's label, and a word where it has several."""
        names: list[str] = []
        for label, indicator in self._drawn.items():
            if isinstance(indicator, Bollinger):
                names += [f"{label} {part}" for part in Bands._fields]
            else:
                names.append(label)
        return tuple(names)

    def row(self) -> list[float | None]:
        """Return the present value of every indicator that draws; None while it warms up."""
        if self._known < len(self._made):
            self._drawn |= {indicator.label: indicator for indicator in self._made[self._known :]}
            self._known = len(self._made)
            self._several = any(isinstance(indicator, Bollinger) for indicator in self._made)
        values: list[Any] = [indicator.value for indicator in self._drawn.values()]
        return self._spread(values) if self._several else values

    def _spread(self, values: list[float | Bands | None]) -> list[float | None]:
        """Return values with those of an indicator that has several one by one."""
        row: list[float | None] = []
        for indicator, value in zip(self._drawn.values(), values, strict=True):
            if isinstance(indicator, Bollinger):
                row += value if isinstance(value, Bands) else (None,) * len(Bands._fields)
            else:
                row.append(cast("float | None", value))
        return row


def check_ran(result: object, hook: str) -> None:
    """Raise if what a hook returned shows that its code has not run: a generator, or a coroutine.

    It is raised inside of that code, so that the learner is shown where it begins.

    Raises
    ------
    TypeError
        With the remedy.
    """
    if result is None or not isinstance(result, Generator | Coroutine | AsyncGenerator):
        return
    if isinstance(result, Generator):
        error = TypeError(f"{hook} returned a generator, whose code never runs; write it without yield")
    else:
        error = TypeError(f"{hook} returned a coroutine, which nobody awaits; write def without async")
    if not isinstance(result, AsyncGenerator):
        result.throw(error)
    raise error


def _what(error: BaseException) -> str:
    name = type(error).__name__
    try:
        said = str(error)
    except Exception:  # noqa: BLE001  (the learner's own __str__)
        said = "(its __str__ raises)"
    if isinstance(error, MemoryError):
        said = f"{said or 'no more memory'} (limits.memory_mb)"
    return clean_text(f"{name}: {said}" if said else name)


def explain(error: BaseException, sources: Mapping[str, str], hook: str) -> StrategyError:
    """Turn what a learner's code raised into an error that shows the learner's own line.

    Parameters
    ----------
    error : BaseException
    sources : Mapping of str to str
        Text of the strategy's files by the name they were compiled under.
    hook : str
        Where it happened: ``"init"``, ``"on_tick"``, ``"on_stop"`` or ``"import"``.
    """
    what = _what(error)
    if isinstance(error, SyntaxError) and error.filename in sources:
        source = (error.text or "").strip()
        where = f"{error.filename}, line {error.lineno}"
        return StrategyError(
            f"{where}: {error.msg}", file=error.filename, line=error.lineno, source=source, frames=source
        )
    walked = traceback.walk_tb(error.__traceback__)
    stack = traceback.StackSummary.extract(walked, limit=500, lookup_lines=False)
    frames = [frame for frame in stack if frame.filename in sources]
    if not frames:
        return StrategyError(f"{hook}: {what}")
    text = []
    for frame in frames[:3] + frames[3:][-5:]:
        text += [f"{frame.filename}, line {frame.lineno}, in {frame.name}", f"    {_line(sources, frame)}"]
    last = frames[-1]
    return StrategyError(
        f"{hook}: {what} ({last.filename}, line {last.lineno}: {_line(sources, last)})",
        file=last.filename,
        line=last.lineno,
        source=_line(sources, last),
        frames="\n".join([*text, what]),
    )


def _line(sources: Mapping[str, str], frame: traceback.FrameSummary) -> str:
    lines = sources[frame.filename].splitlines()
    number = frame.lineno or 0
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""
