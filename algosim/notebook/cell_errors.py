"""A strategy's error in the words of the cell that it was written in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from algosim.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Fault", "fault_of", "in_cell"]


class Fault(NamedTuple):
    """What went wrong, in the cell's line `line` (0 where that is not known), with that line's text.

    `frames` is how the code came there, where it came through several of the cell's lines.
    """

    what: str
    line: int
    source: str
    frames: str

    def __str__(self) -> str:
        if not self.line:
            return self.what
        return f"line {self.line}: {self.what}\n    {self.source}"


def fault_of(error: Mapping[str, object], path: Path) -> Fault:
    """Return an error of the status, or of a record, as the cell's author reads it.

    Parameters
    ----------
    error : mapping
        With ``message`` and ``frames``, as `Simulation.status` has it.
    path : Path
        The file that the cell wrote.
    """
    message, frames = str(error.get("message", "")), str(error.get("frames", "") or "")
    name = re.escape(f"{path.parent.name}/{path.name}")
    at = re.compile(rf"\S*{name}, line (\d+)(, in \S+)?")
    found = list(at.finditer(frames))
    if not found:
        return _interrupted(message, path)
    lines = frames.splitlines()
    after = frames[found[-1].end() :].splitlines()
    source = after[1].strip() if len(after) > 1 else ""
    shown = at.sub(r"line \1\2", "\n".join(lines[:-1])) if len(found) > 1 else ""
    return Fault(lines[-1], int(found[-1][1]), source, shown)


def _interrupted(message: str, path: Path) -> Fault:
    """Return the fault of code that was ended from outside: where it was stands behind what is told of it."""
    place = re.search(rf" \(\S*{re.escape(f'{path.parent.name}/{path.name}')}, line (\d+)\)$", message)
    if place is None:
        return Fault(message, 0, "", "")
    line = int(place[1])
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    return Fault(message[: place.start()], line, lines[line - 1].strip() if line <= len(lines) else "", "")


def in_cell(error: StrategyError, path: Path, who: str) -> StrategyError:
    """Return an error that names the cell's line, and says who trades on."""
    fault = fault_of({"message": str(error), "frames": error.frames}, path)
    if not fault.line and error.line:
        fault = Fault(fault.what, error.line, error.source or "", "")
    message = "\n".join(part for part in (str(fault), who) if part)
    return StrategyError(
        message, file=error.file, line=fault.line or None, source=fault.source, frames=error.frames
    )
