"""What a fast view is sent of a feed: once everything in the window, then only what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from algosim.charts.families import families
from algosim.charts.palette import DARK, FONT, LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from algosim.charts.feed import Feed, Place, Series
    from algosim.charts.palette import Palette

    Floats = NDArray[np.float64]

__all__ = ["BEAT", "ENDED", "Message", "PointMessages", "is_beside", "peak"]


class Message(NamedTuple):
    """A header that JSON can carry, and the numbers it describes as little-endian doubles.

    The numbers of a snapshot or append are rows of `count` each: time [s], price, equity, the equity's peak
    so far, and one row for each of the header's `lines` (label, number of its colour, which the lines of one
    indicator share, whether it has a scale of its own). `trades` are (tick, time, price, is a buy, text),
    `marks` are (tick, kind, text).
    """

    header: dict[str, Any]
    numbers: bytes = b""


BEAT = Message({"kind": "beat"})
"""Nothing is new, and the sender is alive."""

ENDED = Message({"kind": "ended"})
"""Nothing more will come."""


class PointMessages:
    """What was sent of a feed, so that the next message has what is new since.

    Parameters
    ----------
    feed : Feed
    window : int
        Ticks that are shown.
    """

    def __init__(self, feed: Feed, window: int) -> None:
        self.feed = feed
        self.window = window
        self._sent: Place | None = None
        self._basis = feed.basis()
        self._beside: dict[str, bool] = {}

    def snapshot(self) -> Message:
        """Return the newest `window` ticks, and how to draw them."""
        until = self.feed.place()
        after = self.feed.place_at(max(0, until.ticks - self.window))
        self._sent, self._basis = until, self.feed.basis()
        self._beside.clear()
        header: dict[str, Any] = {"kind": "snapshot", "window": self.window, "look": _LOOK}
        return self._message(header, self.feed.between(after, until))

    def append(self) -> Message | None:
        """Return what is new since the last message, None if nothing is; the first message is a snapshot."""
        before, now = self._sent, self.feed.place()
        if before is None or now.ticks - before.ticks > self.window or self.feed.basis() != self._basis:
            return self.snapshot()
        if now == before:
            return None
        self._sent = now
        return self._message({"kind": "append"}, self.feed.between(before, now))

    def _message(self, header: dict[str, Any], series: Series) -> Message:
        order = families(self.feed.labels())
        for label in series.lines.keys() - self._beside.keys():
            self._beside[label] = is_beside(series.lines[label], self.feed.series(window=self.window).price)
        rows = [series.time, series.price, series.equity, peak(series), *series.lines.values()]
        header |= {
            "first": series.first,
            "count": len(series.time),
            "lines": [[label, order[label], self._beside[label]] for label in series.lines],
            "trades": _trades(series),
            "marks": [[mark.tick, mark.kind, mark.text] for mark in series.marks],
        }
        return Message(header, np.concatenate(rows).astype("<f8").tobytes())


def is_beside(line: Floats, price: Floats) -> bool:
    """Say whether a line would be lost, or lose the price, on the price's scale: most of it is far outside.

    An average of prices is always inside; a score or a change in percent is not.
    """
    drawn = line[~np.isnan(line)]
    low, high = float(price.min()), float(price.max())
    room = max(0.5 * (high - low), 0.1 * abs(high))
    outside = (drawn < low - room) | (drawn > high + room)
    small = np.abs(drawn) < 0.5 * low  # a score about 0, beside a price that varies as much as it is high
    return bool(np.mean(outside | small) > 0.5)


def peak(series: Series) -> Floats:
    """Return the equity's peak so far, also above an equity below zero; the equity itself at just zero."""
    known = series.drawdown != -1.0
    return np.where(known, series.equity / np.where(known, 1.0 + series.drawdown, 1.0), series.equity)


def _trades(series: Series) -> list[tuple[int, float, float, bool, str]]:
    rows = [
        (int(tick), float(time), float(price), buy, text)
        for buy, side in ((True, series.buys), (False, series.sells))
        for time, price, text, tick in zip(*side, strict=True)
    ]
    return sorted(rows)


def _look(colours: Palette) -> Mapping[str, Any]:
    return {**colours._asdict(), "font": FONT}


_LOOK = {"light": _look(LIGHT), "dark": _look(DARK)}
