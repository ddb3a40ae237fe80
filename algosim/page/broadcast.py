"""Carries what the pump reads to the browsers: everything is computed once, however many there are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from algosim.charts.point_messages import BEAT, ENDED, PointMessages
from algosim.page.frames import packed, text
from algosim.page.pictures import Pictures
from algosim.page.pieces import Pieces
from algosim.page.seat import Points

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.board.pump import Frame
    from algosim.charts.feed import Feed
    from algosim.page.audience import Audience, Wanted
    from algosim.page.session import Session

__all__ = ["Broadcast"]

BEAT_S = 0.8
"""A browser that hears nothing for 3 s takes the page for stopped."""


class Broadcast:
    """Draws the pump's frames for an audience; `refresh` belongs to the pump's thread.

    Parameters
    ----------
    session : Session
    audience : Audience
    post : callable
        Calls something on the event loop.
    """

    def __init__(
        self, session: Session, audience: Audience, post: Callable[[Callable[[], None]], None]
    ) -> None:
        self._audience, self._post = audience, post
        self._feed: Feed | None = None
        self._messages: dict[int, PointMessages] = {}
        self._pieces = Pieces(session)
        self._pictures = Pictures()
        self._said_at: dict[int, float] = {}
        self._idle, self._over = True, False

    def refresh(self, frame: Frame) -> None:
        """Send what a frame shows, if anybody looks."""
        wanted = self._audience.wanted
        if frame.phase == "stopped":
            self._stop(frame)
            return
        if not wanted.windows and not wanted.plain:
            self._messages.clear()
            self._idle = True
            return
        if frame.feed is not self._feed:
            self._feed = frame.feed
            self._messages.clear()
        over = frame.phase == "over"
        now = time.monotonic()
        points = {window: self._points(window, wanted, now, over=over) for window in wanted.windows}
        self._post(lambda: self._audience.tell(points))
        self._over = over
        if self._idle or wanted.whole:
            self._pieces.wake()
        self._idle = False
        self._look(frame, wanted)

    def _points(self, window: int, wanted: Wanted, now: float, *, over: bool) -> Points:
        """Return what is new since the frame before; what has ended, or stands still, says so."""
        assert self._feed is not None
        messages = self._messages.setdefault(window, PointMessages(self._feed, window))
        news = [message] if (message := messages.append()) is not None else []
        # Another object's, so that this one goes on from where it is.
        whole = [PointMessages(self._feed, window).snapshot()] if window in wanted.whole else []
        if over:
            whole += [ENDED] if whole else []
            news += [ENDED] if news or not self._over else []
        elif not news and now - self._said_at.get(window, 0.0) >= BEAT_S:
            news = [BEAT]
        if news:
            self._said_at[window] = now
        return Points([packed(message) for message in news], [packed(message) for message in whole])

    def _look(self, frame: Frame, wanted: Wanted) -> None:
        """Send pieces and pictures that have changed, now and then."""
        seen = self._pieces.follow(frame)
        if seen is not None:
            self._post(lambda: self._audience.pieces(*seen))
        for slot, figure in self._pictures.follow(frame.feed, wanted.plain).items():
            self._put(slot, figure)

    def _put(self, slot: str, frame: str) -> None:
        self._post(lambda: self._audience.put(slot, frame))

    def _stop(self, frame: Frame) -> None:
        """Say that no frame will come any more, and why."""
        self._put("stopped", text("stopped", why=frame.error))
        self._post(self._audience.halt)

    def close(self) -> None:
        """End what works beside the pump."""
        self._pieces.close()
