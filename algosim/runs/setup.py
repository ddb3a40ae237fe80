"""From the arguments a person gives to what a run starts from: configuration, seed, strategies."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from algosim import settings as configuration
from algosim.config import RESERVED_IDS, Config, Id, StrategySpec
from algosim.errors import ConfigError
from algosim.runs.workspace import find_strategy
from algosim.sandbox.standing import check

if TYPE_CHECKING:
    from datetime import timedelta

    from algosim.runs.source import Source

__all__ = ["Chosen", "Setup", "StrategyArgument", "located", "prepare", "renew"]

PathLike = str | os.PathLike[str]
StrategyArgument = PathLike | Sequence[Any] | Mapping[str, Any] | None


class Chosen(NamedTuple):
    """A strategy of a run: its source and the parameters that the run gives it."""

    source: Source
    params: dict[str, Any]


class Setup(NamedTuple):
    """What a run starts from. `config` is complete: it has the seed and the strategies' paths."""

    config: Config
    seed: int
    strategies: dict[str, Chosen]


def prepare(
    strategy: StrategyArgument = None,
    *,
    seed: int | None = None,
    duration: str | float | timedelta | None = None,
    ticks: int | None = None,
    config: Config | Mapping[str, object] | PathLike | None = None,
    settings: Mapping[str, object] | None = None,
) -> Setup:
    """Check the arguments of a run and complete its configuration.

    Parameters
    ----------
    strategy : name, path, sequence or mapping, optional
        A shipped name, a file, a folder or ``{"path": ..., "params": {...}}``; several of them; or ids
        mapped to any of these. Without it the configuration's strategies run.
    seed : int, optional
        Without one here or in the configuration, a fresh 128-bit one.
    duration : str or float or timedelta, optional
        Simulated time, ``"60s"``, ``"5m"`` or seconds.
    ticks : int, optional
        Number of ticks.
    config : Config, mapping, path or preset name, optional
    settings : mapping, optional
        Dotted keys or their unambiguous last parts, over the configuration.

    Raises
    ------
    ConfigError
        With the remedy.
    """
    complete = configuration.load(os.fspath(config) if isinstance(config, os.PathLike) else config)
    base = Path(config).resolve().parent if isinstance(config, str | os.PathLike) else None
    over = configuration.named(settings, "settings")
    if seed is not None:
        over["run.seed"] = seed
    if ticks is not None:
        over["run.ticks"] = ticks
    if duration is not None:
        over["run.duration_s"] = configuration.parse_time(duration) * 1e-9
    if strategy is not None:
        complete = msgspec.structs.replace(complete, strategies=_specs(strategy))
    complete = configuration.with_settings(complete, over)
    check(complete.limits.sandbox)
    for name in RESERVED_IDS.keys() & set(complete.strategies):
        msg = f"the id {name!r} is {RESERVED_IDS[name]}; give the strategy another"
        raise ConfigError(msg)
    if complete.run.seed is None:
        run = msgspec.structs.replace(complete.run, seed=secrets.randbits(128))
        complete = msgspec.structs.replace(complete, run=run)
    assert complete.run.seed is not None
    chosen = {
        name: Chosen(find_strategy(spec.path, base), dict(spec.params))
        for name, spec in complete.strategies.items()
    }
    return Setup(complete, complete.run.seed, chosen)


def renew(setup: Setup, config: Config) -> Setup:
    """Return what the next run starts from: these settings, and the strategies' files as they are now.

    Parameters
    ----------
    setup : Setup
        Of the run before, or as it was prepared.
    config : Config
        With other settings or strategies; a seed is drawn if it has none.
    """
    specs = {
        name: msgspec.structs.replace(spec, path=located(setup, name, spec.path))
        for name, spec in config.strategies.items()
    }
    fresh = prepare(config=msgspec.structs.replace(config, strategies=specs))
    return fresh._replace(config=msgspec.structs.replace(fresh.config, strategies=config.strategies))


def located(setup: Setup, name: str, path: str) -> str:
    """Return where a strategy was found when the run was prepared, if it is still the same."""
    known = setup.config.strategies.get(name)
    if name in setup.strategies and known is not None and known.path == path:
        return str(setup.strategies[name].source.path)
    return path


def _specs(strategy: StrategyArgument) -> dict[str, StrategySpec]:
    if isinstance(strategy, Mapping):
        if "path" in strategy and set(strategy) <= {"path", "params"}:  # one strategy, as a config has it
            return _specs([strategy])
        return {name: _spec(name, entry) for name, entry in strategy.items()}
    entries: Iterable[Any] = () if strategy is None else [strategy]
    if isinstance(strategy, Iterable) and not isinstance(strategy, str | os.PathLike):
        entries = strategy
    specs: dict[str, StrategySpec] = {}
    for entry in entries:
        spec = _spec("strategy", entry)
        name = _id_of(spec.path)
        if name in specs:
            msg = f"strategy {name!r} is given twice; name each: {{'a': {spec.path!r}, 'b': {spec.path!r}}}"
            raise ConfigError(msg)
        specs[name] = spec
    return specs


def _id_of(path: str) -> str:
    """Return the id of a strategy that was given without one."""
    name = configuration.strategy_id(path)
    if name in ("", "..", "~"):
        name = Path(path).expanduser().resolve().name
    try:
        msgspec.convert(name, Id)
    except msgspec.ValidationError:
        find_strategy(path)  # what is wrong with the path itself comes first
        msg = f"{name!r} cannot be an id (letters, digits, '_' and '-'); name it: {{'my_id': {path!r}}}"
        raise ConfigError(msg) from None
    return name


def _spec(name: str, entry: object) -> StrategySpec:
    if isinstance(entry, str | os.PathLike) and os.fspath(entry):
        return StrategySpec(path=str(os.fspath(entry)))
    if isinstance(entry, StrategySpec):
        return entry
    if isinstance(entry, Mapping) and isinstance(entry.get("path"), str | os.PathLike):
        params = entry.get("params") or {}
        if set(entry) <= {"path", "params"} and isinstance(params, Mapping):
            return StrategySpec(path=str(os.fspath(entry["path"])), params=dict(params))
    got = repr(entry)[:100]
    msg = f"strategy {name!r} must be a name, a path or {{'path': ..., 'params': {{...}}}}, got {got}"
    raise ConfigError(msg)
