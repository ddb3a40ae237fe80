"""How far a run has come, when its next tick is due, and where it pauses or ends; no socket, no clock."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from algosim.core.market import Market
from algosim.live.pacing import Pacer

if TYPE_CHECKING:
    from algosim.config import Config

__all__ = ["Course"]

LATE_S = 0.2
"""No tick is released while one is not done for longer: a slow strategy is not buried under a backlog."""

NO_LIMIT = 2**62


class Course:
    """The market of a run and what its release depends on: pace, credit, and the points to stop at.

    Times `now` are seconds of a monotonic clock.

    Parameters
    ----------
    config : Config
        As it is at the start; says where the run ends.
    seed : int
    now : float

    Attributes
    ----------
    market : Market
    pacer : Pacer
    ended : bool
        Whether no further tick is to be released.
    """

    def __init__(self, config: Config, seed: int, now: float) -> None:
        self.market = Market(config.model, config.schedule, seed)
        self.pacer = Pacer(config.schedule.speed, now)
        self.ended = False
        self._window = config.transport.window
        self._last_tick = config.run.ticks or NO_LIMIT
        self._last_time = round(config.run.duration_s * 1e9) or NO_LIMIT
        self._until = self._until_time = NO_LIMIT
        self._done = 0
        self._open: deque[tuple[int, float]] = deque()

    @property
    def open(self) -> int:
        """The number of ticks that are released and not done."""
        return len(self._open)

    def wait(self, now: float) -> float | None:
        """Return the seconds until something is due: a tick, a pause, the end.

        0 is at once; None if only a message can bring it about.
        """
        if self.pacer.paused or self.ended:
            return None
        next_time = self.market.peek_time()
        if self._is_over(next_time) or self._is_there(next_time):
            return 0.0
        if self._open and (self.market.seq - self._done >= self._window or now - self._open[0][1] > LATE_S):
            return None
        return self.pacer.wait(next_time, now)

    @property
    def end(self) -> int | None:
        """The end of simulated time [ns] if there is no tick left before it, else None."""
        if not self._is_over(self.market.peek_time()):
            return None
        return self.market.time if self.market.seq >= self._last_tick else self._last_time

    @property
    def arrived(self) -> bool:
        """Whether the run stands where it is to pause."""
        return self._is_there(self.market.peek_time())

    def _is_over(self, next_time: int) -> bool:
        return self.market.seq >= self._last_tick or next_time > self._last_time

    def _is_there(self, next_time: int) -> bool:
        return self.market.seq >= self._until or next_time > self._until_time

    def advance(self, now: float) -> None:
        """Go on to the next tick; it is released now."""
        self.market.take(1)
        self.pacer.released(self.market.time, now)
        self._open.append((self.market.seq, now))

    def done(self, seq: int) -> None:
        """Take credit: all ticks up to `seq` are done."""
        if self._done < seq <= self.market.seq:
            self._done = seq
            while self._open and self._open[0][0] <= seq:
                self._open.popleft()

    def aim(self, ticks: int | None, time: int | None) -> str:
        """Choose the tick or simulated time [ns] to pause at; return why that is impossible, or ``""``."""
        market = self.market
        if (ticks is not None and market.seq > ticks) or (time is not None and market.time > time):
            at = f"tick {market.seq}, {market.time * 1e-9:.3f} s"
            return f"the run is already at {at}; name a later point"
        self._until = self._until if ticks is None else ticks
        self._until_time = self._until_time if time is None else time
        return ""

    def pause(self, now: float) -> None:
        """Stand still, and forget where to."""
        self.pacer.pause(now)
        self._until = self._until_time = NO_LIMIT
