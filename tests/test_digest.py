"""The digest is SHA-256 over what happened, written down once more here, byte by byte."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.digest import Digest
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
    Version,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(0, 2**62)
words = st.text(st.characters(codec="utf-8"), max_size=5)
sides = st.sampled_from(["BUY", "SELL"])
orders = st.builds(
    Order, seq=whole, id=words, number=whole, side=sides, qty=finite, due=whole, tag=words, origin=words
)
fills = st.builds(
    Fill, seq=whole, id=words, number=whole, side=sides, qty=finite, ts_sim=whole, at=whole, price=finite,
    slippage_bps=finite, commission=finite, realized=finite, position=finite, cash=finite, tag=words,
)  # fmt: skip


def integers(*values):
    return b"".join(struct.pack("<q", value) for value in values)


def floats(*values):
    return b"".join(struct.pack("<d", 0.0 if value == 0.0 else value) for value in values)


def texts(*values):
    return b"".join(integers(len(value.encode())) + value.encode() for value in values)


def whole_digest(**parts):
    names = ("ticks", "controls", "members", "orders", "fills", "end")
    data = b"".join(texts(name) + hashlib.sha256(parts.get(name, b"")).digest() for name in names)
    return hashlib.sha256(data).hexdigest()


def digest_of(events):
    digest = Digest()
    for event in events:
        digest.event(event)
    return digest.hexdigest()


@given(st.lists(orders, max_size=3), st.lists(fills, max_size=3))
def test_orders_and_fills_byte_by_byte(placed, filled):
    written = b"".join(
        integers(order.seq, order.number, order.due)
        + floats(order.qty)
        + texts(order.id, order.side, order.tag, order.origin)
        for order in placed
    )
    booked = b"".join(
        integers(fill.seq, fill.number, fill.ts_sim, fill.at)
        + floats(fill.qty, fill.price, fill.commission, fill.position, fill.cash)
        + texts(fill.id, fill.side)
        for fill in filled
    )
    expected = whole_digest(orders=written, fills=booked)
    assert digest_of([*placed, *filled]) == expected
    assert digest_of([*filled, *placed]) == expected  # one does not wait for the other


def test_members_commands_and_the_end_byte_by_byte():
    members = (
        b"a" + integers(1) + texts("a") + integers(1) + texts("code", '{"p":1,"q":[2.5]}')
        + b"v" + integers(5) + texts("a") + integers(2) + texts("next", "{}") + b"\1"
        + b"d" + integers(8) + texts("a") + integers(7, 2)
        + b"r" + integers(9) + texts("a")
    )  # fmt: skip
    controls = integers(3) + texts("set", "model.sigma", "0.5")
    events = [
        Attach(seq=1, id="a", version=1, code="code", name="A", params={"q": [2.5], "p": 1}),
        Control(seq=3, action="set", key="model.sigma", value=0.5),
        Version(seq=5, id="a", version=2, code="next", keep_state=True),
        Detach(seq=8, id="a", last_ack=7, version=2, reason="error", error="why"),
        Remove(seq=9, id="a"),
        End(seq=11, ts_sim=12, unfilled=3),
    ]
    assert digest_of(events) == whole_digest(members=members, controls=controls, end=integers(12, 3))


def test_what_has_no_part_in_it():
    books = {"position": 1.0, "cash": 0.0, "price": 1.0, "realized": 0.0, "unrealized": 0.0, "equity": 0.0}
    pacing = [Control(seq=2, action=action) for action in ("pause", "resume", "step", "speed")]
    others = [
        Plot(seq=1, id="a", values={"x": 1.0}),
        Log(seq=1, id="a", text="hello"),
        Snapshot(seq=1, id="a", ts_sim=0, **books),
    ]
    assert digest_of([*pacing, *others]) == Digest().hexdigest() == whole_digest()


@given(st.lists(st.tuples(whole, finite), max_size=20), st.lists(st.integers(0, 20), max_size=5))
def test_ticks_byte_by_byte_however_they_are_cut(rows, cuts):
    time = np.array([row[0] for row in rows], dtype=np.int64)
    price = np.array([row[1] for row in rows], dtype=np.float64)
    digest = Digest()
    for part in zip(np.split(time, sorted(cuts)), np.split(price, sorted(cuts)), strict=True):
        digest.ticks(*part)
    written = b"".join(integers(t) + floats(p) for t, p in rows)
    assert digest.hexdigest() == whole_digest(ticks=written)
