"""Values that every process, file and pipe of a run can carry: JSON values with numbers of 64 bits."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

__all__ = ["plain"]


def _builtin(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    msg = f"{type(value).__name__} is not a number, text, list or dict"
    raise TypeError(msg)


_json = msgspec.json.Encoder(enc_hook=_builtin)


def plain(value: object) -> Any:  # noqa: ANN401  (a learner's own value)
    """Return the value in built-in types, as a JSON round trip leaves it.

    Raises
    ------
    ValueError
        If it cannot be carried; the message says what it may be.
    """
    try:
        copy = msgspec.json.decode(_json.encode(value))
        msgspec.msgpack.encode(copy)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        msg = f"numbers of up to 64 bits, text, lists and dicts, not {type(value).__name__}"
        raise ValueError(msg) from error
    return copy
