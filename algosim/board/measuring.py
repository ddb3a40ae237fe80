"""The metrics of a run that goes on, on a thread of their own: they cost more the longer it is."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from algosim.board.source import Source
    from algosim.core.metrics import Metrics

__all__ = ["Measuring"]

PERIOD_S = 1.0
SHARE = 0.1
"""Part of the time that may go into metrics."""


class Measuring:
    """Computes the metrics again whenever there is something new, but seldom enough.

    Parameters
    ----------
    source : Source
    take : callable
        Takes the metrics of the whole run and the run id that they belong to; called from this thread.
    failed : callable
        Takes the exception that ended this.
    """

    def __init__(
        self,
        source: Source,
        take: Callable[[Mapping[str, Metrics], str], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._source = source
        self._take = take
        self._failed = failed
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._seen: tuple[str, int, bool] | None = None
        self._thread = threading.Thread(target=self._work, name="algosim metrics", daemon=True)
        self._thread.start()

    def want(self, run_id: str, ticks: int, *, over: bool) -> None:
        """Say how far the run is; a different answer than before makes the metrics stale."""
        if ticks and (run_id, ticks, over) != self._seen:
            self._seen = (run_id, ticks, over)
            self._wanted.set()

    def close(self, within_s: float = 1.0) -> None:
        """End."""
        self._closed.set()
        self._wanted.set()
        if self._thread is not threading.current_thread():
            self._thread.join(within_s)

    def _work(self) -> None:
        try:
            while self._wanted.wait() and not self._closed.is_set():
                self._wanted.clear()
                begin, run_id = time.monotonic(), self._source.run_id
                metrics = self._source.metrics
                if self._source.run_id == run_id:
                    self._take(metrics, run_id)
                cost = time.monotonic() - begin
                self._closed.wait(max(PERIOD_S, cost / SHARE))
        except Exception as error:  # noqa: BLE001  (whatever it is, it must be seen where people look)
            self._failed(error)
