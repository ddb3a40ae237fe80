"""One browser: what waits to be sent to it, and how far it is behind."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AHEAD", "AHEAD_PLAIN", "Points", "Seat"]

AHEAD, AHEAD_PLAIN = 24, 4
"""Frames that may be on their way to a browser: about a second's; fewer where plotly draws the price."""


class Points(NamedTuple):
    """Frames with what is new for browsers with one window, and with all of it for those that begin anew."""

    news: Sequence[bytes] = ()
    whole: Sequence[bytes] = ()


class Seat:
    """A browser; belongs to the event loop.

    Attributes
    ----------
    window : int
        Ticks that it shows; 0 before it has said hello.
    fast : bool
        Whether it has the fast view, and takes points.
    behind : bool
        Whether it needs all points again.
    stale : set of str
        Slots whose newest content it has not been sent.
    """

    def __init__(self) -> None:
        self.window = 0
        self.fast = True
        self.behind = True
        self.stale: set[str] = set()
        self._sent = self._taken = self._drawn = 0
        self._waiting: deque[bytes | str] = deque()
        self._more = asyncio.Event()

    @property
    def on_its_way(self) -> int:
        """Frames that it has not drawn yet."""
        return self._sent - self._drawn

    @property
    def has_room(self) -> bool:
        """Whether another frame may be sent."""
        return self.on_its_way < (AHEAD if self.fast else AHEAD_PLAIN)

    @property
    def waits(self) -> bool:
        """Whether it is ready for all points."""
        return self.behind and self.on_its_way == 0

    def put(self, frame: bytes | str) -> None:
        """Send a frame, as soon as the connection takes it."""
        self._sent += 1
        self._waiting.append(frame)
        self._more.set()

    async def next(self) -> bytes | str:
        """Return what is to be sent next, once there is something."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        self._taken += 1
        return self._waiting.popleft()

    def drew(self, count: int) -> None:
        """Take note of how many frames it says it has drawn since it came, of those that left for it."""
        self._drawn = max(self._drawn, min(count, self._taken))

    def give(self, points: Points) -> None:
        """Send what is new; one that cannot keep up gets the whole when it has caught up."""
        frames = points.news
        if self.behind:
            if not self.waits or not points.whole:
                return
            frames, self.behind = points.whole, False
        elif frames and not self.has_room:
            frames, self.behind = (), True
        for frame in frames:
            self.put(frame)
