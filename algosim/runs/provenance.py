"""Where a run comes from: when it started, with which versions, on which platform, from which commit."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import algosim
from algosim.sandbox.standing import standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.sandbox.terms import Mode

__all__ = ["differences", "provenance"]

_PACKAGES = ("numpy", "msgspec", "pyzmq")


def provenance(run_id: str, seed: int, sandbox: Mode) -> dict[str, Any]:
    """Return the content of a run folder's ``provenance.json``."""
    return {
        "run_id": run_id,
        "seed": seed,
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        **_machine(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "git_commit": _git_commit(),
        "sandbox": {"mode": sandbox, **_held_by(sandbox)},
    }


def differences(recorded: Mapping[str, Any]) -> list[str]:
    """Return what a replay could feel of a change since a run was recorded, most telling first.

    Parameters
    ----------
    recorded : mapping
        The content of its ``provenance.json``.
    """
    packages = recorded.get("packages")
    then = {**recorded, **(packages if isinstance(packages, dict) else {})}
    now = {"numpy": metadata.version("numpy"), **_machine()}
    names = ("algosim", "python", "numpy", "machine", "platform")
    changed = [name for name in names if name in then and then[name] != now[name]]
    return [f"{name} {then[name]} then, {now[name]} now" for name in changed]


def _held_by(sandbox: Mode) -> dict[str, str]:
    return {row.limit: row.by or f"not enforced: {row.missing}" for row in standing(sandbox)}


def _machine() -> dict[str, str]:
    return {
        "algosim": algosim.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
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
