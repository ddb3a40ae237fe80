"""What a run leaves: its data, its metrics, its digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import algosim
from algosim.events import Detach
from algosim.runs import views
from algosim.runs.figures import RunMetrics, run_metrics
from algosim.runs.folder import export

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    import plotly.graph_objects as go

    from algosim.config import Config
    from algosim.runs.recording import Recording

__all__ = ["Result", "RunData"]


class RunData:
    """The data that a running simulation and a finished result both show.

    DataFrames have the index ``time``, a Timedelta on the simulated clock.

    Parameters
    ----------
    read : callable
        Returns the recording as it is now.
    config : Config
        Complete: with the seed.
    run_id : str
    folder : Path or None
        Its run folder.
    """

    def __init__(
        self, read: Callable[[], Recording], config: Config, run_id: str, folder: Path | None
    ) -> None:
        self._read = read
        self.config = config
        self.run_id = run_id
        self.folder = folder

    @property
    def recording(self) -> Recording:
        """Everything recorded so far."""
        return self._read()

    def _still(self) -> Recording:
        """Return everything recorded so far as it is now; another thread may read on."""
        return self.recording.still()

    @property
    def ticks(self) -> pd.DataFrame:
        """A row per tick: ``seq``, ``price``, ``x``."""
        return views.ticks_frame(self._still())

    @property
    def trades(self) -> pd.DataFrame:
        """A row per fill."""
        return views.trades_frame(self._still())

    @property
    def roundtrips(self) -> pd.DataFrame:
        """A row per closed round trip."""
        return views.roundtrips_frame(self._still())

    @property
    def logs(self) -> pd.DataFrame:
        """A row per line that strategies printed or logged, per rejected order, per error."""
        return views.logs_frame(self._still())

    @property
    def positions(self) -> pd.DataFrame:
        """The signed quantity held, a column per account."""
        return views.positions_frame(self._still())

    @property
    def equity(self) -> pd.DataFrame:
        """Equity at every tick, a column per account and ``total``."""
        return views.equity_frame(self._still(), self.config.portfolio.initial_cash)

    @property
    def metrics(self) -> RunMetrics:
        """Metrics of the whole run, by account id and ``"total"``."""
        return run_metrics(self._still(), self.config)

    @property
    def rolling_metrics(self) -> RunMetrics:
        """Metrics of the last ``metrics.window_s`` simulated seconds, by account id and ``"total"``."""
        return run_metrics(self._still(), self.config, window_s=self.config.metrics.window_s)

    def figure(self) -> go.Figure:
        """Return the figure of the run as it is now: `algosim.figure`."""
        return algosim.figure(self)


class Result(RunData):
    """A finished run.

    Attributes
    ----------
    digest : str
        64 hexadecimal digits; equal for equal runs.
    comparable : bool
        False where strategies ran in this process (``isolate=False``), whose state they may share.
    note : str
        What a reader of the folder dropped because a crash had left it unfinished; else empty.
    """

    def __init__(
        self,
        recording: Recording,
        config: Config,
        run_id: str,
        folder: Path | None,
        *,
        digest: str,
        comparable: bool = True,
        note: str = "",
    ) -> None:
        super().__init__(lambda: recording, config, run_id, folder)
        self.digest = digest
        self.comparable = comparable
        self.note = note

    @property
    def errors(self) -> list[str]:
        """What stopped strategies, and what went wrong in their ``on_stop``, one text each."""
        end = self.recording.end
        lost = [event for event in self.recording.members if isinstance(event, Detach)]
        last = [log for log in self.recording.logs if end and log.seq == end.seq and log.level == "error"]
        return [
            *(f"{event.id}: {event.error or event.reason}" for event in lost),
            *(f"{log.id}: {log.text}" for log in last),
        ]

    def export(self, folder: str | os.PathLike[str]) -> Path:
        """Copy the run folder to `folder` and return its path.

        Raises
        ------
        RunError
            If the run has no folder, or `folder` exists and is not a run.
        """
        return export(self.folder, folder)

    def plot(self) -> go.Figure:
        """Return the figure of the run."""
        return self.figure()

    def __repr__(self) -> str:
        """Return one line that is the same for every run of the same kind."""
        return f"<Result {len(self.recording):,} ticks, {len(self.recording.fills):,} trades>"
