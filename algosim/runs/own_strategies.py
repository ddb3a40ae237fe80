"""Strategies that a person writes: what they may be called, where they are kept, how they are saved."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from algosim.errors import ConfigError
from algosim.runs.source import ENTRY
from algosim.runs.workspace import shipped_folder, workspace

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_shipped", "own_path", "save"]

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.IGNORECASE)
_WINDOWS = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)  # names of devices there


def own_path(name: str) -> Path:
    """Return the entry file that a strategy of this name has in the workspace, there or not.

    Raises
    ------
    ConfigError
        If no strategy can have the name, with one that it can have.
    """
    if not _NAME.fullmatch(name) or _WINDOWS.fullmatch(name):
        better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:64]
        if not better or _WINDOWS.fullmatch(better):
            better = f"my_{better}".rstrip("_") if better else "my_strategy"
        msg = (
            f"{name!r} cannot be a strategy's name: a letter, then letters, digits, '_' and '-'; try {better}"
        )
        raise ConfigError(msg)
    return workspace() / "strategies" / name / ENTRY


def is_shipped(name: str) -> bool:
    """Whether a strategy of this name comes with algosim."""
    return (shipped_folder() / name / ENTRY).exists()


def save(path: Path, text: str) -> None:
    """Write a strategy's entry file, whole or not at all; one that says the same stays as it is.

    Raises
    ------
    ConfigError
        If it cannot be written.
    """
    data = text.encode("utf-8", "surrogatepass")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.is_file() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        msg = f"cannot write {path}: {error.strerror}"
        raise ConfigError(msg) from error
