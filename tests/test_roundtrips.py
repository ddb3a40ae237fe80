from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.metrics import RoundTrip, round_trips
from algosim.core.portfolio import Portfolio
from algosim.events import Fill
from tests.exact_books import CASH, make_fills, sessions

SECOND = 1_000_000_000


def trade(*rows):
    """Rows of (second, signed quantity, price, commission)."""
    return make_fills([(s, s, s * SECOND, qty, price, fee) for s, qty, price, fee in rows])


def test_long_from_flat_to_flat():
    fills = trade((1, 2, 100, 1), (4, -2, 103, 2))
    assert round_trips(fills) == [
        RoundTrip("a", 1, "LONG", 2.0, SECOND, 4 * SECOND, 100.0, 103.0, 3.0, 3.0, 3.0)
    ]


def test_scaling_in_and_out_of_a_short():
    # sold 1 at 100 and 3 at 104, bought 2 at 101, sold 2 at 98, bought 4 at 99
    fills = trade((1, -1, 100, 0), (2, -3, 104, 0), (3, 2, 101, 0), (5, -2, 98, 0), (9, 4, 99, 1))
    (trip,) = round_trips(fills)
    assert (trip.side, trip.qty, trip.hold_s) == ("SHORT", 4.0, 8.0)
    assert trip.entry_price == pytest.approx((100 + 3 * 104 + 2 * 98) / 6)
    assert trip.exit_price == pytest.approx((2 * 101 + 4 * 99) / 6)
    assert trip.pnl == pytest.approx(100 + 3 * 104 + 2 * 98 - 2 * 101 - 4 * 99 - 1)


def test_flip_closes_one_trip_and_opens_the_next():
    # of the flip's commission of 4, one quarter closes the long 1 and three quarters open the short 3
    fills = trade((1, 1, 100, 2), (3, -4, 110, 4), (8, 3, 120, 5))
    assert round_trips(fills) == [
        RoundTrip("a", 1, "LONG", 1.0, SECOND, 3 * SECOND, 100.0, 110.0, 7.0, 3.0, 2.0),
        RoundTrip("a", 2, "SHORT", 3.0, 3 * SECOND, 8 * SECOND, 110.0, 120.0, -38.0, 8.0, 5.0),
    ]


def test_open_trip_is_not_returned():
    assert round_trips(trade((1, 1, 100, 0), (2, 1, 101, 0), (3, -1, 102, 0))) == []
    assert len(round_trips(trade((1, 1, 100, 0), (2, -2, 101, 0)))) == 1
    assert round_trips([]) == []


def test_equal_prices_average_to_that_price():
    (trip,) = round_trips(
        trade((1, 3, Fraction(100.1), 0), (2, 4, Fraction(100.1), 0), (3, -7, Fraction(7.7), 0))
    )
    assert (trip.entry_price, trip.exit_price) == (100.1, 7.7)


def by_cash_flow(fills):
    """Exact (entry, exit, side, largest, cash, commission) of closed trips; the open one's cash and cost."""
    trips, entry = [], 0
    held = flow = fee = largest = average = Fraction(0)
    for fill in fills:
        left = Fraction(fill.qty if fill.side == "BUY" else -fill.qty)
        price, each = Fraction(fill.price), Fraction(fill.commission) / abs(left)
        if held * left < 0:
            part = left if abs(left) < abs(held) else -held
            side = "LONG" if held > 0 else "SHORT"
            held, left = held + part, left - part
            flow, fee = flow - part * price - each * abs(part), fee + each * abs(part)
            if held == 0:
                trips.append((entry, fill.ts_sim, side, largest, flow, fee))
                flow = Fraction(0)
        if left:
            if held == 0:
                entry, largest, flow, fee = fill.ts_sim, Fraction(0), Fraction(0), Fraction(0)
            average = (held * average + left * price) / (held + left)
            held += left
            flow, fee = flow - left * price - each * abs(left), fee + each * abs(left)
        largest = max(largest, abs(held))
    return trips, flow, held * average


@given(sessions())
def test_trips_equal_an_exact_cash_flow_account(session):
    found = round_trips(session.fills)
    expected, _, _ = by_cash_flow(session.fills)
    assert [(t.entry_ns, t.exit_ns, t.side, t.qty) for t in found] == [
        (entry, left, side, float(largest)) for entry, left, side, largest, _, _ in expected
    ]
    assert [t.pnl for t in found] == pytest.approx([float(row[4]) for row in expected], abs=1e-9)
    assert [t.commission for t in found] == pytest.approx([float(row[5]) for row in expected], abs=1e-9)
    assert [t.number for t in found] == list(range(1, len(expected) + 1))


@given(sessions())
def test_closed_trips_and_the_open_one_make_up_cash_and_realized(session):
    closed = sum(trip.pnl for trip in round_trips(session.fills))
    _, flow, cost = by_cash_flow(session.fills)
    cash = session.fills[-1].cash if session.fills else CASH
    assert closed + float(flow) == pytest.approx(cash - CASH, abs=1e-9)
    realized = sum(fill.realized for fill in session.fills)
    assert closed + float(flow + cost) == pytest.approx(realized, abs=1e-9)


@given(
    st.lists(st.tuples(st.sampled_from([-0.3, -0.2, -0.1, 0.1, 0.2, 0.7]), st.integers(50, 150)), max_size=40)
)
def test_rounding_in_the_position_does_not_keep_a_trip_open(orders):
    books, fills = Portfolio(1000.0), []
    for number, (change, price) in enumerate(orders, 1):
        realized = books.apply(change, float(price), 0.25)
        side = "BUY" if change > 0 else "SELL"
        fills.append(
            Fill(
                seq=number,
                id="a",
                number=number,
                side=side,
                qty=abs(change),
                ts_sim=number,
                at=number,
                price=float(price),
                slippage_bps=0.0,
                commission=0.25,
                realized=realized,
                position=books.position,
                cash=books.cash,
            )
        )
    tenths = np.cumsum([round(10 * change) for change, _ in orders])
    sides = np.sign(np.concatenate(([0], tenths)))
    trips = round_trips(fills)
    assert len(trips) == np.count_nonzero((sides[:-1] != 0) & (sides[1:] != sides[:-1]))
    if tenths.size and tenths[-1] == 0:
        assert sum(trip.pnl for trip in trips) == pytest.approx(books.realized, abs=1e-9)
        assert sum(trip.pnl for trip in trips) == pytest.approx(books.cash - 1000.0, abs=1e-9)
