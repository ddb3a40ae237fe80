"""Clears away what a run needed only while it went on."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from algosim.live.connection import remove_connection
from algosim.runs.launch import LOG

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["tidy"]


def tidy(run_id: str, folder: Path, scratch: str) -> None:
    """Remove a run's connection file, its scratch folder, and its log if nothing is in it."""
    remove_connection(run_id)
    shutil.rmtree(scratch, ignore_errors=True)
    with contextlib.suppress(OSError):
        if (folder / LOG).stat().st_size == 0:
            (folder / LOG).unlink()
