"""The dotted names of all settings, how short a name may be, and when a change takes effect."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from algosim.config import Config, PathText, Section
from algosim.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["applies", "keys", "kind_of", "resolve", "unknown_setting"]

# Settings of one strategy; whether the strategy exists is known only with a Config at hand.
_STRATEGY = re.compile(r"strategies\.\w[\w-]*\.(path|params(?:\.[^.]+)?)")
_NOW_SECTIONS = ("schedule", "execution", "ui")
_NOW = frozenset(
    ("model.kappa", "model.theta", "model.sigma", "model.mu", "model.P0", "model.floor", "metrics.window_s")
)


@cache
def keys() -> dict[str, object]:
    """Return every dotted key with its annotated type, in the order of `Config`."""
    return dict(_leaves(Config, ""))


def kind_of(key: str) -> object:
    """Return the annotated type of a resolved key, those inside of ``strategies`` included."""
    if key in keys():
        return keys()[key]
    part = key.split(".")[2:]
    return PathText if part == ["path"] else dict[str, Any] if part == ["params"] else Any


def resolve(key: str) -> str:
    """Return the full dotted name of a setting.

    Parameters
    ----------
    key : str
        The dotted key, or as much of its end as is unambiguous: ``sigma``, ``hwm.ticks_pub``.

    Raises
    ------
    ConfigError
        If there is no such setting, or several; the message names them or the nearest one.
    """
    if key in keys() or _STRATEGY.fullmatch(key):
        return key
    found = [full for full in keys() if full.endswith(f".{key}")]
    if not found:
        raise unknown_setting(key)
    if len(found) > 1:
        raise ConfigError(f"{key} is ambiguous: write {' or '.join(found)}")
    return found[0]


def applies(key: str) -> Literal["now", "reset"]:
    """Say when a change takes effect: at the next tick of a running market, or at the next reset."""
    full = resolve(key)
    return "now" if full in _NOW or full.split(".")[0] in _NOW_SECTIONS else "reset"


def unknown_setting(key: str, siblings: tuple[str, ...] = ()) -> ConfigError:
    """Return the error for a `key` that does not exist, with the nearest that does.

    `siblings` are the names that its section has, where the caller knows them.
    """
    section, _, last = key.rpartition(".")
    inside = tuple(full.removeprefix(f"{key}.") for full in keys() if full.startswith(f"{key}."))
    if inside:
        return ConfigError(f"{key} is a section, not a setting; it has {', '.join(inside)}")
    siblings = siblings or _members(section)
    return ConfigError(f"{key} is not a setting{did_you_mean(last, siblings) or _elsewhere(key, last)}")


def _leaves(section: type[Section], prefix: str) -> Iterator[tuple[str, object]]:
    for field in msgspec.structs.fields(section):
        if isinstance(field.type, type) and issubclass(field.type, Section):
            yield from _leaves(field.type, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, field.type


def _members(section: str) -> tuple[str, ...]:
    """Return the names directly in `section`, or none if there is no such section."""
    prefix = f"{section}." if section else ""
    return tuple(dict.fromkeys(k[len(prefix) :].split(".")[0] for k in keys() if k.startswith(prefix)))


def _elsewhere(key: str, last: str) -> str:
    same = [full for full in keys() if full.rpartition(".")[2].lower() == last.lower()]
    if same:
        return f" (did you mean {' or '.join(map(repr, same))}?)"
    lasts = dict.fromkeys(full.rpartition(".")[2] for full in keys())
    return did_you_mean(key, keys()) or did_you_mean(last, lasts)
