"""The doctor, for a file on disk."""

from __future__ import annotations

import os
from pathlib import Path

from algosim.core.doctor import MAX_BYTES, Finding, check
from algosim.errors import ConfigError
from algosim.runs.workspace import strategy_names

__all__ = ["doctor"]


def doctor(file: str | os.PathLike[str]) -> list[Finding]:
    """Check a strategy without running it.

    Parameters
    ----------
    file : path or name
        A strategy's file, its folder, or the name of a shipped strategy or one of the workspace.

    Returns
    -------
    list of Finding
        Each with line, level, rule and message; empty if there is nothing to say.

    Raises
    ------
    ConfigError
        If there is no such file.
    """
    text = os.fspath(file)
    path = Path(text).expanduser()
    if path.is_dir():
        path /= "strategy.py"
    if not path.is_file():
        path = strategy_names().get(text, path)
    try:
        with path.open("rb") as stream:
            return check(stream.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}; give a strategy's file, folder or name"
        raise ConfigError(msg) from error
