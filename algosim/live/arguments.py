"""What a person gives to a handle and gets from it: points of a run, counts, ids, errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from algosim import settings as configuration
from algosim.config import Id
from algosim.errors import AlgosimError, ConfigError, EngineError, StrategyError
from algosim.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

__all__ = ["account_id", "any_case", "count", "given_parameters", "parameters", "raised", "target"]

_PARAMETER = re.compile(r"strategies\.([\w-]+)\.params\.([^.]+)")


def count(value: object, name: str) -> int:
    """Return a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        msg = f"{name} must be a whole number of at least 1, got {value!r}"
        raise ConfigError(msg)
    return value


def any_case(side: object) -> object:
    """Return the side of an order as it is to be written, if only its case is another."""
    upper = side.strip().upper() if isinstance(side, str) else ""
    return upper if upper in ("BUY", "SELL") else side


def given_parameters(id: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a strategy's parameters as a configuration would have them."""
    checked = configuration.coerce(f"strategies.{id}.params", {} if params is None else params)
    assert isinstance(checked, dict)
    return checked


def parameters(changes: Mapping[str, object]) -> tuple[dict[str, dict[str, object]], dict[str, object]]:
    """Split changes by full key into parameters of strategies, by id and name, and all others."""
    params: dict[str, dict[str, object]] = {}
    settings: dict[str, object] = {}
    for key, value in changes.items():
        match = _PARAMETER.fullmatch(key)
        if match is None:
            settings[key] = value
        else:
            id, name = match.groups()
            params.setdefault(id, {})[name] = value
    return params, settings


def target(ticks: int | None, time: str | float | timedelta | None) -> dict[str, int]:
    """Return the one point of a run that was given: a tick, or a simulated time [ns]."""
    if ticks is not None and time is None:
        return {"ticks": count(ticks, "ticks")}
    if time is None or ticks is not None:
        msg = 'give one point: ticks=1000, or time="60s"'
        raise ConfigError(msg)
    point = parse_time(time)
    if point == 0:
        msg = "time must be above 0"
        raise ConfigError(msg)
    return {"time": point}


def account_id(text: str) -> str:
    """Return the id of an account, if it can be one."""
    try:
        return msgspec.convert(text, Id)
    except msgspec.ValidationError:
        msg = f"{text!r} cannot be an id: letters, digits, '_' and '-', at most 64"
        raise ConfigError(msg) from None


def raised(error: dict[str, Any]) -> AlgosimError:
    """Return an error of the engine as an exception."""
    message = str(error.get("message", "the command failed"))
    if error.get("kind") != "strategy" and not {"strategy", "frames", "file"} & set(error):
        return EngineError(message)
    name = error.get("strategy")
    return StrategyError(
        f"{name}: {message}" if name else message,
        file=error.get("file"),
        line=error.get("line"),
        source=error.get("source"),
        frames=error.get("frames") or "",
    )
