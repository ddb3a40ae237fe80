"""Follows a run, frame by frame, for whatever shows it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from algosim.board.log_lines import LogLines
from algosim.board.look import Look
from algosim.board.measuring import Measuring
from algosim.board.pieces import pieces
from algosim.board.tables import MOST_TRADES
from algosim.runs.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.board.pump import Frame
    from algosim.board.source import Source
    from algosim.core.metrics import Metrics
    from algosim.runs.recording import Recording

__all__ = ["Board"]

LOOK_S = 0.4
"""It looks so often; only charts move with every frame."""


class Board:
    """What there is to show of a source besides its charts.

    Parameters
    ----------
    source : Source
    go, go_on : str, optional
        What the buttons are called that start it and let it go on.
    trades : int, optional
        Rows of their table.

    Attributes
    ----------
    log : LogLines
    """

    def __init__(
        self, source: Source, go: str = "Start", go_on: str = "Resume", *, trades: int = MOST_TRADES
    ) -> None:
        self.log = LogLines()
        self._source = source
        self._words, self._trades = (go, go_on), trades
        self._run_id: str | None = None
        self._accounts: tuple[Recording | None, Accounts] = (None, Accounts(0.0))
        self._metrics: tuple[str, Mapping[str, Metrics]] = ("", {})
        self._seen: tuple[object, str] = (None, "")
        self._looked_at = -math.inf
        self._measuring = Measuring(source, self._take, self.log.failed)

    def close(self) -> None:
        """End; metrics are computed on a thread."""
        self._measuring.close()

    def wake(self) -> None:
        """Look at the next frame, however soon it comes: something was asked of the source."""
        self._looked_at = -math.inf

    def look(self, frame: Frame) -> Look | None:
        """Return what a pump's frame shows, or None if the last look was just now; for the pump's thread."""
        now, seen = time.monotonic(), (frame.feed, frame.phase)
        if seen == self._seen and now - self._looked_at < LOOK_S:
            return None
        self._looked_at, self._seen = now, seen
        source = self._source
        run_id, recording, config = source.run_id, source.recording, source.config
        if run_id != self._run_id:
            self._run_id = run_id
            self.log.begin(run_id)
        if recording is not self._accounts[0]:  # another run, or a playback that has gone back
            self._accounts = recording, Accounts(config.portfolio.initial_cash)
        accounts = self._accounts[1]
        accounts.update(recording)
        self.log.follow(recording, frame.status)
        self._measuring.want(run_id, len(recording), over=frame.phase == "over")
        below = frame.feed.series(window=1).drawdown
        of, metrics = self._metrics
        return Look(
            run_id,
            source.folder,
            recording,
            frame.status,
            config,
            now,
            frame.phase,
            float(below[-1]) if len(below) else 0.0,
            accounts,
            metrics if of == run_id else {},
        )

    def pieces(self, look: Look) -> dict[str, str]:
        """Return a look as HTML: `algosim.board.pieces.pieces` and the ``log``."""
        return {**pieces(look, *self._words, self._trades), "log": self.log.html}

    def _take(self, metrics: Mapping[str, Metrics], run_id: str) -> None:
        self._metrics = run_id, metrics
