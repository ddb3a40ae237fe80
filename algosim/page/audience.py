"""The browsers that look at the page, each at its own pace; all of it on the server's event loop.

A browser says ``{"kind": "hello", "window": 2000, "fast": true}`` once it listens, again when it has missed
something or wants another window, and is answered with all there is. It says ``{"kind": "drawn", "n": 17}``
when it has drawn 17 frames since it came, of whatever kind. One that is `seat.AHEAD` frames behind is sent
nothing until it has caught up, and then what is newest: what waits for a browser is bounded.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from algosim.page.frames import text
from algosim.page.seat import Seat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.page.seat import Points

__all__ = ["WINDOWS", "Audience", "Wanted", "plain"]

WINDOWS = (100, 300, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
"""So many ticks a browser may look at; one that asks for another number has the next.

Each is computed once for all, and a visitor cannot make the server compute more than these.
"""

PIECES, PLAIN = "pieces", "figure.price"


class Wanted(NamedTuple):
    """Windows that browsers look through: with the fast view, of whose whole one waits, without it."""

    windows: frozenset[int] = frozenset()
    whole: frozenset[int] = frozenset()
    plain: frozenset[int] = frozenset()


class Audience:
    """All browsers. `wanted` may be asked from any thread; the rest belongs to the event loop."""

    def __init__(self) -> None:
        self._seats: set[Seat] = set()
        self._lock = threading.Lock()
        self._wanted = Wanted()
        self._slots: dict[str, str] = {}
        self._html: dict[str, str] = {}
        self._now: dict[str, Any] = {}
        self._joined: dict[frozenset[str], str] = {}
        self._halted = False

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def wanted(self) -> Wanted:
        """What browsers need to be sent."""
        with self._lock:
            return self._wanted

    def _count(self) -> None:
        seats = [seat for seat in self._seats if seat.window]
        windows = frozenset(seat.window for seat in seats if seat.fast)
        whole = frozenset(seat.window for seat in seats if seat.fast and seat.waits)
        plain = frozenset(seat.window for seat in seats if not seat.fast)
        with self._lock:
            self._wanted = Wanted(windows, whole, plain)

    def enter(self) -> Seat:
        """Take in a browser."""
        seat = Seat()
        self._seats.add(seat)
        return seat

    def leave(self, seat: Seat) -> None:
        """Forget a browser."""
        self._seats.discard(seat)
        self._count()

    def hear(self, seat: Seat, said: str) -> bool:
        """Take what a browser says; return whether it waits for an answer. What is not known is ignored."""
        try:
            word = msgspec.json.decode(said, type=_Word)
        except (msgspec.MsgspecError, RecursionError):
            return False
        if word.kind == "hello":
            self._greet(seat, word)
        elif word.kind == "drawn":
            seat.drew(word.n)
        self._flush(seat)
        self._count()
        return word.kind == "hello" or seat.waits

    def _greet(self, seat: Seat, word: _Word) -> None:
        seat.window = next((each for each in WINDOWS if each >= word.window), WINDOWS[-1])
        seat.fast = seat.behind = word.fast
        seat.stale = {*self._slots, *(f"{PIECES}.{name}" for name in self._html)}

    def tell(self, points: Mapping[int, Points]) -> None:
        """Send points to those who look through each window."""
        for seat in self._seats:
            if seat.fast and seat.window in points:
                seat.give(points[seat.window])
                self._flush(seat)
        self._count()

    def put(self, slot: str, frame: str) -> None:
        """Send a text frame that takes the place of the one before in its slot."""
        self._slots[slot] = frame
        self._mark({slot})

    def pieces(self, changed: Mapping[str, str], now: Mapping[str, Any]) -> None:
        """Send pieces of HTML that have changed, and the numbers that go with them."""
        self._html.update(changed)
        self._now = dict(now)
        self._joined.clear()
        self._mark({PIECES, *(f"{PIECES}.{name}" for name in changed)})

    def halt(self) -> None:
        """Wait for no more points: none will come."""
        self._halted = True
        for seat in self._seats:
            self._flush(seat)

    def _mark(self, slots: set[str]) -> None:
        for seat in self._seats:
            if seat.window:
                seat.stale |= slots
                self._flush(seat)

    def _flush(self, seat: Seat) -> None:
        """Send the newest of all that a browser lacks, as far as there is room; points go first."""
        if seat.behind and not self._halted:
            return
        names = frozenset(slot for slot in seat.stale if slot.partition(".")[0] == PIECES)
        if names and seat.has_room:
            seat.stale -= names
            seat.put(self._together(names))
        for slot in sorted(seat.stale - names):
            if not seat.has_room:
                return
            seat.stale.discard(slot)
            mine = not seat.fast and slot == plain(seat.window)
            if mine or not slot.startswith(PLAIN):
                seat.put(self._slots[slot])

    def _together(self, names: frozenset[str]) -> str:
        """Return a frame with some pieces, made once for all who lack just these."""
        if names not in self._joined:
            html = {name: self._html[name] for name in self._html if f"{PIECES}.{name}" in names}
            self._joined[names] = text(PIECES, html=html, now=self._now)
        return self._joined[names]


def plain(window: int) -> str:
    """Return the slot of the price that plotly draws, for a window."""
    return f"{PLAIN}.{window}"


class _Word(msgspec.Struct):
    """What a browser may say."""

    kind: str
    window: int = 2_000
    fast: bool = True
    n: int = 0
