"""What a dashboard needs of whatever it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from algosim.config import Config
    from algosim.runs.figures import RunMetrics
    from algosim.runs.recording import Recording

__all__ = ["Source"]


class Source(Protocol):
    """What a dashboard shows: a Simulation, or a recorded run that plays."""

    run_id: str
    folder: Path | None

    @property
    def metrics(self) -> RunMetrics:
        """Figures of the whole run."""

    @property
    def recording(self) -> Recording:
        """Everything recorded so far."""

    @property
    def config(self) -> Config:
        """The settings as they are now."""

    @property
    def status(self) -> dict[str, Any]:
        """How it does."""
