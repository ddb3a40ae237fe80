"""One account at the broker: lines 7 to 12 of the protocol, against a scan over all ticks and orders."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algosim.config import Execution
from algosim.core.broker import Account, AccountState, Conditions, Quote
from algosim.events import Order

CASH = 10_000.0
FREE = Conditions(0, 0.0, 0.0, 0.0)
NEVER = 2**63 - 1


def order(number, due, signed, seq=1, tag=""):
    side = "BUY" if signed > 0 else "SELL"
    return Order(seq=seq, id="a", number=number, side=side, qty=abs(signed), due=due, tag=tag)


def account(*orders):
    made = Account("a", CASH)
    for each in orders:
        made.place(each)
    return made


def quote(seq, time, price=100.0, conditions=FREE):
    return Quote(seq, time, price, conditions)


def facts(fills):
    return [(fill.number, fill.ts_sim, fill.at, fill.price) for fill in fills]


# By hand: when, and at which tick's price and costs


def test_an_order_due_between_two_ticks_fills_at_the_one_before():
    made = account(order(1, due=150, signed=1.0))
    assert made.clear(quote(1, 100, 10.0), quote(2, 149, 20.0), 2) == []
    assert facts(made.clear(quote(2, 149, 20.0), quote(3, 200, 30.0), 3)) == [(1, 150, 2, 20.0)]


def test_an_order_due_at_a_tick_fills_at_that_tick():
    made = account(order(1, due=200, signed=1.0))
    assert facts(made.clear(quote(1, 100, 10.0), quote(2, 200, 20.0), 2)) == [(1, 200, 2, 20.0)]


def test_without_latency_it_fills_at_its_own_tick_and_is_seen_at_the_next():
    made = account(order(1, due=100, signed=1.0, seq=1))
    (fill,) = made.clear(quote(1, 100, 10.0), quote(2, 200, 20.0), 2)
    assert (fill.at, fill.price, fill.ts_sim, fill.seq) == (1, 10.0, 100, 2)


def test_an_order_that_outwaits_many_ticks():
    made = account(order(1, due=1000, signed=1.0))
    for n in range(2, 10):
        assert made.clear(quote(n - 1, 100 * n - 100), quote(n, 100 * n), n) == []
    assert facts(made.clear(quote(9, 900, 9.0), quote(10, 1001, 10.0), 10)) == [(1, 1000, 9, 9.0)]


def test_costs_are_those_of_the_tick_whose_price_applies():
    dear = Conditions(0, 100.0, 200.0, 3.0)
    made = account(order(1, due=150, signed=1.0), order(2, due=200, signed=1.0))
    first, second = made.clear(quote(1, 100, 10.0), quote(2, 200, 10.0, dear), 2)
    assert (first.slippage_bps, first.price, first.commission) == (0.0, 10.0, 0.0)
    assert (second.slippage_bps, second.price) == (100.0, pytest.approx(10.1, rel=1e-15))
    assert second.commission == pytest.approx(3.0 + 0.02 * 10.1, rel=1e-15)


def test_fills_come_by_due_time_then_number():
    made = account(
        order(1, due=170, signed=1.0),
        order(2, due=150, signed=1.0),
        order(3, due=200, signed=1.0),
        order(4, due=150, signed=1.0),
        order(5, due=201, signed=1.0),
    )
    assert [each.number for each in made.open_orders] == [2, 4, 1, 3, 5]
    fills = made.clear(quote(1, 100), quote(2, 200), 2)
    assert [fill.number for fill in fills] == [2, 4, 1, 3]
    assert [fill.position for fill in fills] == [1.0, 2.0, 3.0, 4.0]
    assert [each.number for each in made.open_orders] == [5]


@pytest.mark.parametrize(
    ("signed", "price", "commission"),
    [(3.0, 100.25, 1.0 + 0.0005 * 300.75), (-3.0, 99.75, 1.0 + 0.0005 * 299.25)],
)
def test_slippage_is_to_the_worse_side_and_commission_on_the_traded_value(signed, price, commission):
    terms = Conditions(0, slippage_bps=25.0, commission_bps=5.0, commission_fixed=1.0)
    (fill,) = account(order(1, due=100, signed=signed)).clear(quote(1, 50), quote(2, 100, 100.0, terms), 2)
    assert fill.price == pytest.approx(price, rel=1e-15)
    assert fill.commission == pytest.approx(commission, rel=1e-15)
    assert fill.realized == -fill.commission
    assert fill.cash == pytest.approx(CASH - signed * price - commission, rel=1e-15)
    assert fill.position == signed


def test_a_sale_at_the_largest_slippage_is_for_nothing():
    terms = Conditions(0, 10_000.0, 5.0, 0.0)
    (fill,) = account(order(1, due=100, signed=-3.0)).clear(quote(1, 50), quote(2, 100, 100.0, terms), 2)
    assert (fill.price, fill.commission, fill.cash) == (0.0, 0.0, CASH)


def test_a_fill_tells_of_its_order():
    placed = Order(seq=7, id="a", number=3, side="SELL", qty=2.5, due=100, tag="exit", origin="manual")
    (fill,) = account(placed).clear(quote(8, 50), quote(9, 100), 9)
    assert (fill.seq, fill.id, fill.number, fill.side, fill.qty) == (9, "a", 3, "SELL", 2.5)
    assert (fill.ts_sim, fill.tag) == (100, "exit")


def test_conditions_of_a_configuration():
    execution = Execution(latency_ms=12.3456789, slippage_bps=2.0, commission_bps=3.0, commission_fixed=4.0)
    assert Conditions.of(execution) == (12_345_679, 2.0, 3.0, 4.0)
    assert type(Conditions.of(execution).latency_ns) is int


def test_what_an_account_says_of_itself():
    made = account(order(1, 150, 2.0), order(2, 120, -0.5))
    assert (made.pending, made.committed, made.placed, made.next_due) == (1.5, 1.5, 2, 120)
    assert made.books == (0.0, CASH, 1.5, 2, 1.5)
    made.clear(quote(1, 100, 10.0), quote(2, 130, 20.0), 2)
    assert (made.pending, made.committed, made.placed, made.next_due) == (2.0, 1.5, 2, 150)
    assert made.books == (-0.5, CASH + 5.0, 2.0, 1, 1.5)
    made.clear(quote(2, 130, 20.0), quote(3, 150, 30.0), 3)
    assert (made.pending, made.committed, made.next_due) == (0.0, 1.5, NEVER)
    snapshot = made.snapshot(3, 150, 30.0)
    assert (snapshot.seq, snapshot.id, snapshot.ts_sim, snapshot.price) == (3, "a", 150, 30.0)
    assert (snapshot.position, snapshot.cash, snapshot.equity) == (1.5, CASH - 55.0, CASH - 10.0)
    assert (snapshot.realized, snapshot.unrealized) == (-10.0, 0.0)


# Any schedule, against a scan


class Step(NamedTuple):
    """A tick, the conditions in force from it on, and what is ordered before and at it."""

    gap: int
    price: float
    conditions: Conditions
    outside: list[float]
    inside: list[float]
    handed_over: bool


class Placed(NamedTuple):
    number: int
    before: int  # the first tick whose clearing knows it
    due: int
    signed: float


signed_quantities = st.integers(-20, 20).filter(bool).map(lambda tenths: tenths / 10)
few = st.one_of(st.just([]), st.lists(signed_quantities, max_size=3))
conditions = st.builds(
    Conditions,
    latency_ns=st.integers(0, 12),
    slippage_bps=st.sampled_from([0.0, 1.0, 250.0]),
    commission_bps=st.sampled_from([0.0, 0.5, 100.0]),
    commission_fixed=st.sampled_from([0.0, 0.25]),
)


@st.composite
def schedules(draw):
    kinds = draw(st.lists(conditions, min_size=1, max_size=4))
    step = st.builds(
        Step,
        gap=st.integers(1, 5),
        price=st.integers(1, 2000).map(lambda cents: cents / 100),
        conditions=st.sampled_from(kinds),
        outside=few,
        inside=few,
        handed_over=st.booleans(),
    )
    n = draw(st.integers(2, 25))
    return draw(st.lists(step, min_size=n, max_size=n))


def carried_out(steps):
    """Run an account through a schedule; return its fills, its orders, and how it stood at each tick."""
    made, last = Account("a", CASH), Quote(0, 0, 1.0, steps[0].conditions)
    fills, placed, stood = [], [], []
    for n, step in enumerate(steps, 1):
        if n > 1:  # before the first tick there is no price to fill at
            due = last.time + step.conditions.latency_ns
            placed += [Placed(len(placed) + i, n, due, qty) for i, qty in enumerate(step.outside, 1)]
            place(made, placed)
        now = Quote(n, last.time + step.gap, step.price, step.conditions)
        fills += made.clear(last, now, n)
        stood.append((made.portfolio.position, made.portfolio.cash, made.pending, made.committed))
        due = now.time + step.conditions.latency_ns
        placed += [Placed(len(placed) + i, n + 1, due, qty) for i, qty in enumerate(step.inside, 1)]
        place(made, placed)
        if step.handed_over:
            state = msgspec.json.decode(msgspec.json.encode(made.state), type=AccountState)
            made = Account.resume("a", state)
        last = now
    return fills, placed, stood


def place(made, placed):
    for each in placed[made.placed :]:
        made.place(order(each.number, each.due, each.signed))


def scan(steps, placed):
    """Fill by asking, at every tick, of every order whether it fills, and at which of all ticks.

    Returns rows of (block, number, due, tick, price, commission, position, cash) and the sum in flight.
    """
    times = [sum(step.gap for step in steps[:n]) for n in range(1, len(steps) + 1)]
    filled, rows, in_flight = set(), [], []
    position, cash = Fraction(0), Fraction(CASH)
    for m, now in enumerate(times, 1):
        due = [each for each in placed if each.before <= m and each.due <= now and each.number not in filled]
        for each in sorted(due, key=lambda each: (each.due, each.number)):
            j = max(n for n, time in enumerate(times, 1) if time <= each.due)
            _, slippage, bps, fixed = map(Fraction, steps[j - 1].conditions)
            signed = Fraction(each.signed)
            worse = slippage / 10_000 * (1 if signed > 0 else -1)
            price = Fraction(steps[j - 1].price) * (1 + worse)
            commission = fixed + bps / 10_000 * abs(signed) * price
            position += signed
            cash -= signed * price + commission
            filled.add(each.number)
            rows.append((m, each.number, each.due, j, price, commission, position, cash))
        flying = [each.signed for each in placed if each.before <= m and each.number not in filled]
        in_flight.append(sum(flying))
    return rows, in_flight


@settings(max_examples=300)
@given(schedules())
def test_any_schedule_fills_as_a_scan_over_everything_says(steps):
    """Latency and costs change while orders are open, several orders come at once, accounts change hands."""
    fills, placed, stood = carried_out(steps)
    rows, in_flight = scan(steps, placed)
    assert [(f.seq, f.number, f.ts_sim, f.at) for f in fills] == [row[:4] for row in rows]
    for fill, (*_, price, commission, position, cash) in zip(fills, rows, strict=True):
        assert fill.price == pytest.approx(float(price), rel=1e-14)
        assert fill.commission == pytest.approx(float(commission), rel=1e-14)
        assert fill.position == pytest.approx(float(position), rel=1e-12, abs=1e-12)
        assert fill.cash == pytest.approx(float(cash), rel=1e-12)
    for n, (position, cash, pending, committed) in enumerate(stood, 1):
        last = next((fill for fill in reversed(fills) if fill.seq <= n), None)
        assert (position, cash) == ((last.position, last.cash) if last else (0.0, CASH))
        assert pending == pytest.approx(in_flight[n - 1], abs=1e-12)
        assert committed == pytest.approx(position + pending, abs=1e-12)


@settings(max_examples=100)
@given(schedules())
def test_no_order_fills_before_it_is_due_or_in_the_block_that_placed_it(steps):
    fills, placed, _ = carried_out(steps)
    times = [sum(step.gap for step in steps[:n]) for n in range(1, len(steps) + 1)]
    by_number = {each.number: each for each in placed}
    assert len({fill.number for fill in fills}) == len(fills)
    for fill in fills:
        assert fill.ts_sim == by_number[fill.number].due
        assert fill.seq >= by_number[fill.number].before
        assert times[fill.at - 1] <= fill.ts_sim <= times[fill.seq - 1]
    unfilled = set(by_number) - {fill.number for fill in fills}
    assert all(by_number[n].due > times[-1] or by_number[n].before > len(steps) for n in unfilled)
