"""What a dashboard shows at one look: a few times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.board.totals import Total, total

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from algosim.board.pump import Phase
    from algosim.config import Config
    from algosim.core.metrics import Metrics
    from algosim.runs.accounts import Accounts
    from algosim.runs.recording import Recording

__all__ = ["Look"]


class Look(NamedTuple):
    """A source at one moment.

    Attributes
    ----------
    run_id : str
    folder : Path or None
    recording : Recording
    status : mapping
    config : Config
    read_at : float
        When that was asked for (monotonic s).
    phase : {"live", "over"}
    drawdown : float
        How far equity is below its peak now, as a fraction at most 0.
    accounts : Accounts
        Brought up to date by the recording.
    metrics : mapping
        The newest that were computed, by account; empty before the first.
    """

    run_id: str
    folder: Path | None
    recording: Recording
    status: Mapping[str, Any]
    config: Config
    read_at: float
    phase: Phase
    drawdown: float
    accounts: Accounts
    metrics: Mapping[str, Metrics]

    @property
    def pending(self) -> list[float]:
        """Signed quantities on their way, by account; nothing is once the run is over."""
        healths = (*self.status.get("strategies", {}).values(), *self.status.get("accounts", {}).values())
        return [] if self.phase == "over" else [health.get("pending", 0.0) for health in healths]

    @property
    def total(self) -> Total:
        """All accounts together."""
        return total(self.accounts, self.recording.last_price)
