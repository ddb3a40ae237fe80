"""How often a page is sent a picture: as often as it says that it has drawn the last, with time to spare."""

from __future__ import annotations

import threading
from collections import deque
from statistics import median_low

__all__ = ["BLIND_S", "BUSY", "PATIENCE_S", "Pace"]

BUSY = 0.5
"""The share of the browser's main thread that pictures may take."""

PATIENCE_S = 1.0
"""How long a picture waits for its acknowledgement before another is sent all the same.

None comes while nobody looks, and none while a cell runs, as the kernel reads them between cells.
"""

BLIND_S = 0.5
"""The same once it is known what a picture costs."""

_SAMPLES = 5


class Pace:
    """Decides when the next picture may go out. Times are seconds on a monotonic clock.

    Parameters
    ----------
    fps : float
        Pictures per second, at most.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._lock = threading.Lock()  # pictures are sent from one thread and acknowledged on another
        self._sent: dict[int, float] = {}
        self._last: tuple[int, float] = (0, float("-inf"))
        self._waiting = False
        self._costs: deque[float] = deque(maxlen=_SAMPLES)

    @property
    def cost(self) -> float | None:
        """What a picture of late has cost the browser [s]; None if it has not said yet."""
        return median_low(self._costs) if self._costs else None

    def ready(self, now: float) -> bool:
        """Whether another picture may be sent."""
        with self._lock:
            cost = self.cost
            since = now - self._last[1]
            if not self._waiting:
                return since >= max(1.0 / self.fps, (cost or 0.0) / BUSY)
            return since >= (PATIENCE_S if cost is None else max(BLIND_S, 2.0 * cost / BUSY))

    def sent(self, number: int, now: float) -> None:
        """Note that a picture goes out; later ones have larger numbers."""
        with self._lock:
            self._sent = {n: at for n, at in self._sent.items() if n > number - _SAMPLES}
            self._sent[number] = now
            self._last = number, now
            self._waiting = True

    def acknowledged(self, number: int, now: float, cost: float | None = None) -> None:
        """Note that a view has drawn a picture.

        Parameters
        ----------
        number : int
        now : float
        cost : float, optional
            How long the browser was busy with it [s]; without it, all the time since it was sent.
        """
        with self._lock:
            if number not in self._sent:
                return
            if cost is None:  # much longer: it was sent before there was a view, or while a cell ran
                cost = min(now - self._sent[number], PATIENCE_S)
            self._costs.append(cost)
            if number == self._last[0]:
                self._waiting = False
