"""The streaming panel as a widget: it is sent new points only, and draws them with uPlot."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from anywidget import AnyWidget
from traitlets import Enum

from algosim.charts.fast_view import bundle
from algosim.charts.point_messages import BEAT, ENDED, Message, PointMessages

if TYPE_CHECKING:
    from algosim.charts.feed import Feed
    from algosim.charts.palette import Theme

__all__ = ["FastView"]

BEAT_S = 0.8
"""A message comes at least this often while the view is drawn; the page calls it stopped after 3 s."""

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 5.0
"""How soon a snapshot is repeated as long as no page has said that it is there."""


class FastView(AnyWidget):
    """Price with lines, trades and interventions, and equity with its drawdown, streaming.

    A page that shows the view says hello once it listens, and is answered with a snapshot at once. A hello
    cannot be read while a cell runs, so until the first one a snapshot is repeated, ever less often. A page
    that missed ticks says hello again.

    Parameters
    ----------
    window : int, optional
        Ticks that are shown; may be set at any time.
    theme : "light" or "dark", optional
        Whatever the page's is.
    """

    theme: Theme | None = Enum(["light", "dark"], None, allow_none=True).tag(sync=True)  # type: ignore[assignment]
    late = False
    """A page is never too busy for what is new."""

    def __init__(self, window: int = 2_000, *, theme: Theme | None = None) -> None:
        self.window = window
        self._lock = threading.Lock()  # drawing has a thread of its own, and hellos come in the kernel's
        self._messages: PointMessages | None = None
        self._ended = False
        self._greeted = False
        self._sent_at = 0.0
        self._retry_at, self._retry_s = 0.0, FIRST_RETRY_S
        self._esm = bundle()
        super().__init__(theme=theme)
        self.on_msg(self._answer)

    def draw(self, feed: Feed) -> bool:
        """Send what is new of a feed, or a sign of life; return whether anything was sent."""
        with self._lock:
            now = time.monotonic()
            message = self._next(feed, now)
            if message is None and now - self._sent_at >= BEAT_S:
                message = BEAT
            if message is not None:
                self._say(message, now)
            return message is not None

    @property
    def answered(self) -> bool:
        """Whether a page has ever said that it shows this."""
        return self._greeted

    def close(self) -> None:
        """Take the view away, wherever it is shown."""
        self.end()
        super().close()

    def end(self) -> None:
        """Say that nothing more will come: the picture stays, marked as stopped, until `draw` is called."""
        with self._lock:
            if not self._ended:
                self._ended = True
                self._say(ENDED, time.monotonic())

    def _next(self, feed: Feed, now: float) -> Message | None:
        """Return a snapshot where one is due, else what is new."""
        before = self._messages
        another = before is None or before.feed is not feed or before.window != self.window or self._ended
        if another:
            self._messages, self._ended = PointMessages(feed, self.window), False
        assert self._messages is not None
        if another or (not self._greeted and now >= self._retry_at):
            self._retry_at = now + self._retry_s
            self._retry_s = min(2.0 * self._retry_s, LAST_RETRY_S)
            return self._messages.snapshot()
        return self._messages.append()

    def _answer(self, _widget: object, content: dict[str, Any], _buffers: list[memoryview]) -> None:
        """Give a page that has just come, or has missed something, all there is."""
        if content.get("kind") != "hello":
            return
        with self._lock:
            self._greeted = True
            if self._messages is not None:
                self._say(self._messages.snapshot(), time.monotonic())
            if self._ended:
                self._say(ENDED, time.monotonic())

    def _say(self, message: Message, now: float) -> None:
        self._sent_at = now
        self.send(message.header, [message.numbers])

    def __repr__(self) -> str:
        """Say what it is; always the same, as notebooks are compared with their saved output."""
        return "FastView()"
