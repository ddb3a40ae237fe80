"""The tables of a run folder say what Python's csv module and pandas read out of them."""

from __future__ import annotations

import csv
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.market import Ticks
from algosim.core.metrics import round_trips
from algosim.events import Fill
from algosim.runs.tables import (
    TICKS_HEADER,
    TRADES_HEADER,
    roundtrips_table,
    seconds,
    tick_rows,
    trade_rows,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(0, 2**62)
words = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ['"', ",", "a\nb", "],[", "\r", " x "]
)


def read(table):
    """Return the header and the rows of a table."""
    header, *rows = csv.reader(io.StringIO(table.decode(), newline=""))
    return header, rows


@given(st.lists(st.tuples(whole, finite), min_size=1, max_size=8), st.integers(1, 10**9))
def test_ticks(rows, first):
    time = np.array([row[0] for row in rows], dtype=np.int64)
    price = np.array([row[1] for row in rows], dtype=np.float64)
    header, found = read(TICKS_HEADER + tick_rows(Ticks(first, time, price, price)))
    assert header == ["seq", "ts_sim", "price"]
    assert [(int(n), int(t), float(p)) for n, t, p in found] == [
        (first + i, t, p) for i, (t, p) in enumerate(rows)
    ]


fills = st.builds(
    Fill, seq=whole, id=words, number=whole, side=st.sampled_from(["BUY", "SELL"]), qty=finite, ts_sim=whole,
    at=whole, price=finite, slippage_bps=finite, commission=finite, realized=finite, position=finite,
    cash=finite, tag=words,
)  # fmt: skip


@given(st.lists(fills, max_size=4))
def test_trades(filled):
    header, found = read(TRADES_HEADER + trade_rows(filled))
    assert len(found) == len(filled)
    for row, fill in zip(found, filled, strict=True):
        named = dict(zip(header, row, strict=True))
        assert named.pop("time_s") == seconds(fill.ts_sim)
        for name, text in named.items():
            value = getattr(fill, name)
            assert type(value)(text) == value


def test_round_trips():
    moves = [("BUY", 2.0, 2.0), ("SELL", 3.0, -1.0), ("BUY", 1.0, 0.0), ("BUY", 1.0, 1.0)]
    filled = [
        Fill(
            seq=n, id="a,b", number=n, side=side, qty=qty, ts_sim=1_500_000_000 * n, at=n, price=100.0 + n,
            slippage_bps=1.0, commission=0.25, realized=0.1 * n, position=position, cash=0.0,
        )
        for n, (side, qty, position) in enumerate(moves, 1)
    ]  # fmt: skip
    header, found = read(roundtrips_table([filled, []]))
    trips = round_trips(filled)
    assert [row[:3] for row in found] == [["a,b", "1", "LONG"], ["a,b", "2", "SHORT"]]
    assert [row[4:6] for row in found] == [["1.500000000", "3.000000000"], ["3.000000000", "4.500000000"]]
    for name in ("qty", "entry_price", "exit_price", "pnl", "commission", "hold_s"):
        assert [float(row[header.index(name)]) for row in found] == [getattr(trip, name) for trip in trips]


@given(whole)
def test_seconds_are_exact(ns):
    left, right = seconds(ns).split(".")
    assert len(right) == 9
    assert int(left) * 10**9 + int(right) == ns
