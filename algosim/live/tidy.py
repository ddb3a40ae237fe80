"""Clears away what a run needed only while it went on."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from algosim.live.connection import remove_connection

__all__ = ["LOG", "tidy"]

LOG = "engine.log"
"""In the run's folder: what its processes wrote to standard error."""


def tidy(run_id: str, folder: Path, scratch: str) -> None:
    """Remove a run's connection file, its scratch folder, and its log if nothing is in it."""
    remove_connection(run_id)
    shutil.rmtree(scratch, ignore_errors=True)
    with contextlib.suppress(OSError):
        if (folder / LOG).stat().st_size == 0:
            (folder / LOG).unlink()
