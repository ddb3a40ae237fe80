"""The order of a run's lines, against a sort of all of them by the protocol's words."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.blocks import close, in_blocks
from algosim.core.lines import Lines
from algosim.core.market import Ticks
from algosim.events import (
    Attach,
    Control,
    Detach,
    End,
    Fill,
    Log,
    Order,
    Plot,
    Remove,
    Snapshot,
    Tick,
    Version,
    encode_line,
)
from algosim.runs.event_text import event_text

BOOKS = {"position": 0.0, "cash": 0.0, "price": 1.0, "realized": 0.0, "unrealized": 0.0, "equity": 0.0}
FILL = {
    "side": "BUY",
    "qty": 1.0,
    "at": 1,
    "price": 1.0,
    "slippage_bps": 0.0,
    "commission": 0.0,
    "realized": 0.0,
}

ids = st.sampled_from(["a", "b", "c"])
few = st.integers(1, 3)


def order(seq, id, number, origin):
    return Order(seq=seq, id=id, number=number, side="BUY", qty=1.0, due=0, origin=origin)


def fill(seq, id, number, due):
    return Fill(seq=seq, id=id, number=number, ts_sim=due, position=0.0, cash=0.0, **FILL)


def events_of(seq):
    """Return what may happen in block `seq`."""
    at = st.just(seq)
    return st.lists(
        st.one_of(
            st.builds(Detach, seq=at, id=ids, last_ack=few),
            st.builds(Control, seq=at, action=st.sampled_from(["set", "pause"])),
            st.builds(Attach, seq=at, id=ids, version=few, code=st.just("")),
            st.builds(Remove, seq=at, id=ids),
            st.builds(order, at, ids, few, st.sampled_from(["strategy", "manual", "wire"])),
            st.builds(fill, at, ids, few, few),
            st.builds(lambda seq, id: Snapshot(seq=seq, id=id, ts_sim=0, **BOOKS), at, ids),
            st.builds(Version, seq=at, id=ids, version=few, code=st.just("")),
            st.builds(Plot, seq=at, id=ids, values=st.just({"x": 1.0})),
            st.builds(Log, seq=at, id=ids, text=st.sampled_from("xyz")),
        ),
        max_size=3,
    )


@st.composite
def spans(draw):
    """Return consecutive ticks and events of their blocks, ordered by tick."""
    first, count = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    numbers = range(first, first + count)
    x = np.array([draw(st.sampled_from([0.0, 0.25, -1e-9])) for _ in numbers])
    ticks = Ticks(first, 10 * np.arange(1, count + 1), np.linspace(1.0, 2.0, count), x)
    return ticks, [event for seq in numbers for event in draw(events_of(seq))]


@st.composite
def shown(draw, ticks):
    """Return what indicators of some accounts of their own showed at some or all of these ticks."""
    numbers = np.arange(ticks.first, ticks.first + len(ticks.time))
    parts = []
    for id in draw(st.lists(st.sampled_from(["0", 'A"', "Zü"]), unique=True)):
        names = tuple(draw(st.lists(st.sampled_from(["SMA(20)", 'x"', "7"]), min_size=1, unique=True)))
        at = numbers[[draw(st.booleans()) or draw(st.booleans()) for _ in numbers]]
        values = [[draw(st.sampled_from([0.0, 1e300, math.nan])) for _ in names] for _ in at]
        parts.append(Lines(id, names, at, np.array(values).reshape(len(at), len(names))))
    return parts


def rank(event):
    """Return the place of a line within its block, as the protocol lists them."""
    if isinstance(event, Order):
        return {"wire": 1, "manual": 2, "strategy": 6}[event.origin]
    kinds = [
        (Detach,),
        (),
        (Control, Attach, Remove),
        (Tick,),
        (Fill,),
        (Snapshot,),
        (Version, Plot, Log),
        (End,),
    ]
    return next(place for place, kind in enumerate(kinds) if isinstance(event, kind))


def detail(event):
    """Return what orders lines of the same rank."""
    if isinstance(event, Fill):
        return (event.ts_sim, event.id, event.number)
    if isinstance(event, Snapshot):
        return (event.id,)
    if rank(event) == 6:
        return (event.id, [Version, Order, Plot, Log].index(type(event)))
    return ()


def naive(ticks, events):
    """Sort everything, then mark the last line of each block."""
    lines = [
        Tick(seq=ticks.first + i, ts_sim=int(ticks.time[i]), price=float(ticks.price[i]), x=float(ticks.x[i]))
        for i in range(len(ticks.time))
    ]
    lines = sorted([*lines, *events], key=lambda event: (event.seq, rank(event), detail(event)))
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        line.end = following is None or following.seq != line.seq
    return lines


def points(lines):
    """Return what indicators showed as events."""
    return [
        Plot(
            seq=int(seq),
            id=part.id,
            values={name: None if math.isnan(v) else v for name, v in zip(part.names, row, strict=True)},
        )
        for part in lines
        for seq, row in zip(part.seq, part.values.tolist(), strict=True)
    ]


@given(spans().flatmap(lambda span: st.tuples(st.just(span), shown(span[0]))))
def test_lines_are_in_the_order_of_the_protocol(drawn):
    (ticks, events), lines = drawn
    text = event_text(ticks, copy.deepcopy(events), lines)
    assert text.splitlines() == [encode_line(event) for event in naive(ticks, events + points(lines))]


@given(spans())
def test_blocks_are_cut_where_the_tick_changes(span):
    _, events = span
    blocks = list(in_blocks(events))
    assert [event for block in blocks for event in block] == events
    assert [block[0].seq for block in blocks] == sorted({event.seq for event in events})
    assert all(len({event.seq for event in block}) == 1 for block in blocks)


def test_the_end_comes_last():
    last = close([End(seq=4, ts_sim=9), fill(4, "a", 1, 8), Snapshot(seq=4, id="a", ts_sim=9, **BOOKS)])
    assert [type(event) for event in last] == [Fill, Snapshot, End]
    assert [event.end for event in last] == [False, False, True]


def test_an_event_of_another_span_is_refused():
    ticks = Ticks(5, np.array([1]), np.array([1.0]), np.array([0.0]))
    with pytest.raises(IndexError):
        event_text(ticks, [fill(6, "a", 1, 1)], [])
