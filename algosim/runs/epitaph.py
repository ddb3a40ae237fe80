"""What a strategy's process that died has left of an explanation, in one line."""

from __future__ import annotations

import re

__all__ = ["last_words", "place"]

_PLACE = re.compile(r'File "([^"]+)", line (\d+)')


def place(said: str, label: str) -> str:
    """Return the strategy's innermost line in a traceback of a dying process, ``""`` if it has none.

    Parameters
    ----------
    said : str
        What the process wrote to standard error.
    label : str
        What the author calls the strategy's entry file.
    """
    folder = label.removesuffix("strategy.py") if label.endswith("/strategy.py") else label
    for file, line in _PLACE.findall(said):
        if file == label or (folder.endswith("/") and file.startswith(folder)):
            return f"{file}, line {line}"
    return ""


def last_words(said: str, label: str) -> str:
    """Return where a process was when it crashed, or the last that it said, ``""`` for nothing."""
    lines = said.strip().splitlines()
    if "Fatal Python error" in said:
        where = place(said[said.rindex("Fatal Python error") :], label)
        if where:
            return f"at {where}"
    return lines[-1] if lines else ""
