"""The newest tick as its publisher sends it: a screen's own subscriber, which never holds anybody up."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from algosim.errors import EngineError
from algosim.live.observer import Observer
from algosim.page.frames import text
from algosim.page.session import ENDED
from algosim.runs.player import Player

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.page.session import Session

__all__ = ["LatestTick"]

PERIOD_S = 0.1
"""A readout that changes more often cannot be read."""

RETRY_S = 0.5


class LatestTick:
    """Reads the tick stream with the key that may only watch, from a thread of its own.

    ``transport.conflate.ui_ticks_sub`` says how: with it the socket keeps only the newest tick (``CONFLATE``)
    and nobody can say what was missed; without it every tick is taken and gaps are counted.

    Parameters
    ----------
    session : Session
    tell : callable
        Takes a text frame: ``tick`` with ``seq``, ``time`` [s], ``price``, ``newest`` and ``gaps``.
    """

    def __init__(self, session: Session, tell: Callable[[str], None]) -> None:
        self._session, self._tell = session, tell
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="algosim latest tick", daemon=True)
        if not session.played:
            self._thread.start()

    def close(self, within_s: float = 2.0) -> None:
        """End."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def _work(self) -> None:
        while not self._closed.wait(RETRY_S):
            source = self._session.source
            assert not isinstance(source, Player)
            with contextlib.suppress(EngineError):  # none runs: later, perhaps
                if source.run_id and source.state not in ENDED:
                    self._watch(source.run_id, newest=source.config.transport.conflate.ui_ticks_sub)

    def _watch(self, run_id: str, *, newest: bool) -> None:
        """Tell of one run's ticks, as long as it is the one that is shown."""
        with Observer(run_id, latest=newest) as observer:
            seq = 0
            while self._session.source.run_id == run_id and not self._closed.wait(PERIOD_S):
                observer.read()
                tick = observer.tick
                if tick is not None and tick.seq != seq:
                    seq = tick.seq
                    gaps = None if newest else observer.gaps.get(observer.connection.asset_id, 0)
                    self._tell(
                        text(
                            "tick",
                            seq=seq,
                            time=tick.ts_sim * 1e-9,
                            price=tick.price,
                            newest=newest,
                            gaps=gaps,
                        )
                    )
