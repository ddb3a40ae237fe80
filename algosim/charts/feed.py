"""The series behind every chart, extended with what a run has recorded since the last look."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from algosim.charts.running_equity import RunningEquity
from algosim.runs.interventions import member_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from algosim.events import Control, Fill, Member, Plot
    from algosim.runs.recording import Recording

    Floats = NDArray[np.float64]

__all__ = ["Feed", "Mark", "Place", "Series", "Trades"]

E = TypeVar("E")
NAN = float("nan")


class Trades(NamedTuple):
    """Fills of one side as points: simulated time [s], price, what to say of each, and tick; shape (k,)."""

    time: Floats
    price: Floats
    text: list[str]
    tick: NDArray[np.int64]


class Mark(NamedTuple):
    """An intervention with a word for it, before a tick and at its simulated time [s].

    One before a tick that is still to come stands at the newest tick until then.
    """

    time: float
    kind: str
    text: str
    tick: int


class Place(NamedTuple):
    """How much of a feed somebody has taken: ticks, fills and marks."""

    ticks: int
    fills: int
    marks: int


class Series(NamedTuple):
    """What a chart draws: arrays of shape (n,) over consecutive ticks, from number `first` on.

    `time` is simulated seconds; `drawdown` is the fraction below the peak of the equity so far, at most 0;
    `lines` has what strategies drew, by label, NaN where they drew nothing.
    """

    first: int
    time: Floats
    price: Floats
    equity: Floats
    drawdown: Floats
    lines: dict[str, Floats]
    buys: Trades
    sells: Trades
    marks: list[Mark]


class Feed:
    """Follows a recording; every call of `update` takes only what is new.

    Parameters
    ----------
    initial_cash : float
        Of each account.
    """

    def __init__(self, initial_cash: float) -> None:
        self.initial_cash = initial_cash
        self.ticks = 0
        self._time = array("d")
        self._price = array("d")
        self._equity = RunningEquity(initial_cash)
        self._lines: dict[tuple[str, str], array[float]] = {}
        self._fills: list[Fill] = []
        self._marks: list[tuple[int, str, str]] = []
        self._seen = {"fills": 0, "plots": 0, "members": 0, "controls": 0}

    def update(self, recording: Recording) -> int:
        """Take what was recorded since the last call; return the number of new ticks."""
        with recording.lock:
            return self._update(recording)

    def _update(self, recording: Recording) -> int:
        total = len(recording)
        fresh = total - self.ticks
        self._fills += self._news("fills", recording.fills)
        if fresh:
            ticks = recording.ticks_between(self.ticks + 1, total)
            self._time.frombytes((ticks.time * 1e-9).tobytes())
            self._price.frombytes(ticks.price.tobytes())
            self._equity.follow(recording.accounts(), self._price, self._fills)
        self._draw(self._news("plots", recording.plots), total)
        self._note(self._news("members", recording.members), self._news("controls", recording.controls))
        self.ticks = total  # last of all: who reads from another thread finds everything up to it
        return fresh

    def _news(self, kind: str, events: Sequence[E]) -> Sequence[E]:
        news = events[self._seen[kind] :]
        self._seen[kind] += len(news)
        return news

    def series(self, last: int | None = None, *, window: int | None = None) -> Series:
        """Return the ticks up to `last` (the newest without it), at most `window` of them."""
        stop = self.ticks if last is None else min(last, self.ticks)
        start = 0 if window is None else max(0, stop - window)
        after, until = self.place_at(start), self.place_at(stop)
        coming = bisect_right(self._marks, stop + 1, key=itemgetter(0))  # stands at the last tick
        return self.between(after, until._replace(marks=coming))

    def place(self) -> Place:
        """Return where the feed is now."""
        return Place(self.ticks, len(self._fills), len(self._marks))

    def place_at(self, tick: int) -> Place:
        """Return where the feed was after a tick."""
        fills = bisect_right(self._fills, tick, key=attrgetter("seq"))
        return Place(tick, fills, bisect_right(self._marks, tick, key=itemgetter(0)))

    def basis(self) -> tuple[int, bool]:
        """Return what older points rest on: accounts, and whether lines are called by their strategy's name.

        Where it has changed, equity and labels are others from the first tick on.
        """
        return self._equity.accounts, self._several()

    def labels(self) -> list[str]:
        """Return the labels of all lines drawn so far, in the order in which they appeared."""
        return [self._label(*line) for line in list(self._lines)]

    def _label(self, id: str, name: str) -> str:
        return f"{id}: {name}" if self._several() else name

    def _several(self) -> bool:
        return len({id for id, _ in list(self._lines)}) > 1

    def between(self, after: Place, until: Place) -> Series:
        """Return the ticks, fills and marks that came after one place and until another."""
        return self._series(
            slice(after.ticks, until.ticks),
            self._fills[after.fills : until.fills],
            self._marks[after.marks : until.marks],
        )

    def _series(self, cut: slice, fills: list[Fill], marks: list[tuple[int, str, str]]) -> Series:
        lines = {self._label(*line): _floats(values[cut]) for line, values in list(self._lines.items())}
        return Series(
            cut.start + 1,
            _floats(self._time[cut]),
            _floats(self._price[cut]),
            _floats(self._equity.equity[cut]),
            _floats(self._equity.drawdown[cut]),
            {label: values for label, values in lines.items() if not np.isnan(values).all()},
            _trades(fill for fill in fills if fill.side == "BUY"),
            _trades(fill for fill in fills if fill.side == "SELL"),
            [self._mark(*mark, stop=cut.stop) for mark in marks],
        )

    def _mark(self, tick: int, kind: str, text: str, *, stop: int) -> Mark:
        index = min(tick, stop) - 1
        return Mark(self._time[index] if index >= 0 else 0.0, kind, text, tick)

    def _draw(self, plots: Iterable[Plot], total: int) -> None:
        """Extend the lines that strategies draw; a tick without a point is a gap."""
        for plot in plots:
            for name, value in plot.values.items():
                line = self._lines.setdefault((plot.id, name), array("d"))
                line.extend([NAN] * (plot.seq - 1 - len(line)))
                line.append(NAN if value is None else value)
        for line in self._lines.values():
            line.extend([NAN] * (total - len(line)))

    def _note(self, members: Iterable[Member], controls: Iterable[Control]) -> None:
        """Keep what people did and what became of strategies."""
        notes: list[tuple[int, str, str]] = []
        for member in members:
            if words := member_words(member):
                notes.append((member.seq, *words))
        for control in controls:
            if control.action in ("set", "speed"):
                notes.append((control.seq, "set", f"{control.key} = {control.value}"))
        self._marks += sorted(notes)


def _floats(values: array[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _trades(fills: Iterable[Fill]) -> Trades:
    fills = list(fills)
    return Trades(
        np.array([fill.ts_sim * 1e-9 for fill in fills]),
        np.array([fill.price for fill in fills]),
        [f"{fill.side} {fill.qty:g} at {fill.price:,.4f} {fill.tag}".strip() for fill in fills],
        np.array([fill.seq for fill in fills], dtype=np.int64),
    )
