"""What the slower parts of a dashboard are shown at one look: a few times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from algosim.config import Config
    from algosim.runs.recording import Recording

__all__ = ["Look"]


class Look(NamedTuple):
    """A source at one moment; `config` was asked for at `read_at` (monotonic s)."""

    run_id: str
    folder: Path | None
    recording: Recording
    status: Mapping[str, Any]
    config: Config
    read_at: float
