"""Sessions with exact books: an oracle in rational arithmetic, and the fills that go with it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from algosim.events import Fill

CASH = 1000.0


class Books:
    """Average cost in fractions; a fill with a quantity of both sides of zero is two."""

    def __init__(self):
        self.position = self.average = self.realized = Fraction(0)
        self.cash = Fraction(CASH)

    def apply(self, change, price, commission):
        held = self.position
        opens = change
        if held * change < 0:
            closes = -held if abs(change) > abs(held) else change
            self.realized -= closes * (price - self.average)
            opens = change - closes
            held += closes
        if held + opens:
            self.average = (held * self.average + opens * price) / (held + opens)
        self.position = held + opens
        self.cash -= change * price + commission
        self.realized -= commission


class Session(NamedTuple):
    time_ns: np.ndarray
    price: np.ndarray
    fills: list[Fill]
    end_ns: int

    @property
    def market(self):
        return {"time_ns": self.time_ns, "price": self.price, "end_ns": self.end_ns}


def make_fills(rows, account="a"):
    """Rows of (block, at, ts_sim, signed quantity, price, commission) as fills."""
    books, fills = Books(), []
    for number, (block, at, ts_sim, change, price, commission) in enumerate(rows, 1):
        before = books.realized
        books.apply(Fraction(change), Fraction(price), Fraction(commission))
        fills.append(
            Fill(
                seq=block,
                id=account,
                number=number,
                side="BUY" if change > 0 else "SELL",
                qty=float(abs(change)),
                ts_sim=ts_sim,
                at=at,
                price=float(price),
                slippage_bps=0.0,
                commission=float(commission),
                realized=float(books.realized - before),
                position=float(books.position),
                cash=float(books.cash),
            )
        )
    return fills


def lists_of(element, longest):
    """Lists of every length alike; by itself, hypothesis makes mostly short ones."""
    return st.integers(0, longest).flatmap(lambda n: st.lists(element, min_size=n, max_size=n))


@st.composite
def fills_on(draw, times, prices, end_ns, account="a"):
    """Orders that fill on a market, some in the end block, with slippage towards the worse side."""
    ends = [0, *times, end_ns]
    blocks = sorted(draw(lists_of(st.integers(2, len(ends) - 1), 25))) if times else []
    rows, latest = [], 0
    for block in blocks:
        latest = draw(st.integers(max(latest, ends[block - 1]), ends[block]))
        at = block if block <= len(times) and latest == ends[block] else block - 1
        change = Fraction(draw(st.integers(-4, 4).filter(bool)), 2)
        slip = Fraction(draw(st.integers(0, 3)), 8)
        price = Fraction(prices[at - 1]) + (slip if change > 0 else -slip)
        rows.append((block, at, latest, change, price, Fraction(draw(st.integers(0, 4)), 8)))
    return make_fills(rows, account)


@st.composite
def markets(draw):
    """Ticks a fraction of a second to some seconds apart, and an end that may be later."""
    gaps = draw(lists_of(st.integers(1, 40), 30))
    times = np.cumsum(np.array(gaps, np.int64)) * 125_000_000
    prices = draw(st.lists(st.integers(4, 400), min_size=len(gaps), max_size=len(gaps)))
    return times, np.array(prices) / 4, int(times[-1] if gaps else 0) + draw(st.integers(0, 3_000_000_000))


@st.composite
def sessions(draw):
    times, prices, end_ns = draw(markets())
    return Session(times, prices, draw(fills_on(times.tolist(), prices.tolist(), end_ns)), end_ns)


def curve_by_hand(session, last_seq=None):
    """Position and exact equity at each tick and at the end, by asking for each one what came before."""
    n = len(session.price)
    last = n if last_seq is None else last_seq
    values = []
    for block in range(1, n + 2):
        done = [fill for fill in session.fills if fill.seq <= block]
        mark = session.price[max(min(block, last), 1) - 1] if n else 0.0
        position, cash = (done[-1].position, done[-1].cash) if done else (0.0, CASH)
        values.append((position, Fraction(cash) + Fraction(position) * Fraction(mark)))
    return values


def held_by_hand(fills, start_ns, end_ns):
    """Intervals with a position, clipped."""
    ends = [*(fill.ts_sim for fill in fills[1:]), end_ns][: len(fills)]
    spans = ((fill.ts_sim, end) for fill, end in zip(fills, ends, strict=True) if fill.position)
    return [(max(a, start_ns), min(b, end_ns)) for a, b in spans if min(b, end_ns) > max(a, start_ns)]


def covered(intervals):
    """Length of a union of intervals, cell by cell between all their edges."""
    edges = sorted({edge for interval in intervals for edge in interval})
    return sum(b - a for a, b in pairwise(edges) if any(lo <= a and b <= hi for lo, hi in intervals))
