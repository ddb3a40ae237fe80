"""What it takes to make a run again: versions, platform, commit."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import algosim

__all__ = ["provenance"]


def provenance(run_id: str, seed: int) -> dict[str, Any]:
    """Return the content of a run folder's ``provenance.json``."""
    return {
        "run_id": run_id,
        "seed": seed,
        "algosim": algosim.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": {name: metadata.version(name) for name in ("numpy", "msgspec", "pyzmq")},
        "git_commit": _git_commit(),
    }


def _git_commit() -> str | None:
    """Return the commit of the working folder's repository, or None outside of one."""
    if not any((folder / ".git").exists() for folder in (Path.cwd(), *Path.cwd().parents)):
        return None
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
