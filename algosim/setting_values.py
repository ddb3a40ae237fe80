"""Which values a setting takes, and the one sentence that says why another value cannot be used."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

import msgspec

from algosim.errors import ConfigError

__all__ = ["convert", "named", "plain", "show"]

MAX_DEPTH = 20

_NAMES: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    NoneType: "null",
    tuple: "a list",
    dict: "a map",
}
_BOUND = re.compile(r"` (>=|>|<=|<) (\S+)$")
_BOUND_WORDS = {">=": "at least", ">": "above", "<=": "at most", "<": "below"}


def convert(kind: object, value: object, key: str) -> object:
    """Check one value against the type of its setting.

    Parameters
    ----------
    kind : type
        The setting's annotated type, as `msgspec` understands it.
    value : object
        The value. Integers become floats where the setting is a float; numpy scalars count as numbers.
    key : str
        The setting's dotted key, for the message.

    Raises
    ------
    ConfigError
        If the type is wrong or the value is out of range, not finite or not plain data.
    """
    value = plain(value, key)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(convert(get_args(kind)[0], item, f"{key}[{i}]") for i, item in enumerate(value))
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{key} must be {_demand(kind, str(error))}, got {show(value)}") from None


def named(values: object, what: str) -> dict[str, object]:
    """Return what was given by name, settings or parameters, as a dict; None is an empty one.

    Raises
    ------
    ConfigError
        If it is no mapping, or a name is no text.
    """
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ConfigError(f"{what} must be a dict of names and values, got {show(values)}")
    return {_text(name, what): value for name, value in values.items()}


def plain(value: object, key: str, depth: int = 0) -> object:
    """Return `value` as built-in scalars, lists and dicts with text keys; `ConfigError` if it is not data."""
    if depth > MAX_DEPTH:
        raise ConfigError(f"{key} is nested deeper than {MAX_DEPTH} levels")
    value = _unwrapped(value)
    if isinstance(value, Mapping):
        return {_text(name, key): plain(item, f"{key}.{name}", depth + 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{key}[{i}]", depth + 1) for i, item in enumerate(value)]
    if isinstance(value, str):
        return _text(value, key)
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{key} must be finite, got {show(value)}")
    if value is None or isinstance(value, (bool, int, float)):
        return value
    raise ConfigError(
        f"{key} cannot be a {type(value).__name__}; use numbers, text, true, false, lists or maps"
    )


def show(value: object) -> str:
    """Return `value` as a message shows it: short, and in the words of YAML."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, int) and value.bit_length() > 256:
        return "a whole number of more than 77 digits"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _unwrapped(value: object) -> object:
    """Take a scalar out of numpy's wrapping and the text out of a path; leave everything else."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, msgspec.Struct):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        return item()
    return value


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{key}: names must be text, got {show(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"{key} has a character that is no text in UTF-8 (half of a surrogate pair)"
        ) from error
    return str(value)


def _demand(kind: object, message: str) -> str:
    """Return what msgspec's `message` asked for: the bound that was broken, or else the type."""
    bound = _BOUND.search(message)
    if bound is None:
        return _describe(kind)
    return f"{_BOUND_WORDS[bound[1]]} {bound[2].removesuffix('.0')}"


def _describe(kind: object) -> str:
    if get_origin(kind) is Annotated:
        base, *notes = get_args(kind)
        described = [note.description for note in notes if note.description]
        return described[0] if described else _describe(base)
    if get_origin(kind) is Literal:
        choices = [repr(choice) for choice in get_args(kind)]
        return " or ".join(choices) if len(choices) < 3 else f"one of {', '.join(choices)}"
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_describe(part) for part in get_args(kind))
    return _NAMES[get_origin(kind) or kind]
