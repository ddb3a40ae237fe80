"""The loop against lines 7 to 12, 20 and 21 of the protocol, written down a second time, slowly."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from algosim.config import Config
from algosim.core import market as market_module
from algosim.core.engine import changed
from algosim.core.market import Market
from algosim.events import Control, Order
from algosim.settings import with_settings
from tests.one_account import Session, trade

CASH = 10_000.0
MS = 1_000_000
BASE = with_settings(
    Config(),
    {"mode": "fixed", "dt_fixed_ms": 1.0, "dt_mean_ms": 1.0, "latency_ms": 1.0, "snapshot_every": 7},
)


# The protocol, a second time


def configurations(controls, n):
    """Return the configuration in force at each tick: after all controls before it (line 2)."""
    now, by_tick = BASE, [BASE]
    for m in range(1, n + 1):
        for control in controls:
            if control.seq == m and control.action == "set":
                section, field = control.key.split(".")
                now = replace(now, **{section: replace(getattr(now, section), **{field: control.value})})
        by_tick.append(now)
    return by_tick


def market_of(by_tick, seed):
    """Return times and prices, found one tick at a time; place 0 is the start."""
    market = Market(BASE.model, BASE.schedule, seed)
    times, prices = [0], [market.price]
    for now in by_tick[1:]:
        market.change(now.model, now.schedule)
        market.take(1)
        times.append(market.time)
        prices.append(market.price)
    return times, prices


def latency_ns(config):
    return round(Fraction(config.execution.latency_ms) * MS)


class Placed(NamedTuple):
    number: int
    before: int  # the first tick whose clearing knows it
    due: int
    signed: Fraction


class Filled(NamedTuple):
    seq: int
    number: int
    ts_sim: int
    at: int
    price: float
    commission: float
    position: float
    cash: float


class Protocol:
    """Lines 7 to 12 for one account, in exact arithmetic and by search among all ticks and all orders."""

    def __init__(self, times, prices, by_tick):
        self.times, self.prices, self.by_tick = times, prices, by_tick
        self.placed, self.fills = [], []
        self.position, self.cash = Fraction(0), Fraction(CASH)
        self.cost, self.realized = Fraction(0), Fraction(0)

    @property
    def open(self):
        done = {fill.number for fill in self.fills}
        return [order for order in self.placed if order.number not in done]

    def pending(self, block):
        return sum((order.signed for order in self.open if order.before <= block + 1), Fraction(0))

    def place(self, before, due, signed):
        self.placed.append(Placed(len(self.placed) + 1, before, due, Fraction(signed)))

    def clear(self, block, until):
        """Line 10: every open fill with d <= t_m and placed before m, in order (d, order number)."""
        due = [order for order in self.open if order.due <= until and order.before <= block]
        for order in sorted(due, key=lambda order: (order.due, order.number)):
            at = max(j for j, time in enumerate(self.times) if time <= order.due and j <= block)
            self.fill(block, order, at)

    def fill(self, block, order, at):
        """Line 11: at the price and costs of the last tick with t_j <= d."""
        costs = self.by_tick[at].execution
        worse = Fraction(costs.slippage_bps) / 10_000
        price = Fraction(self.prices[at]) * (1 + worse if order.signed > 0 else 1 - worse)
        commission = Fraction(costs.commission_fixed)
        commission += Fraction(costs.commission_bps) / 10_000 * abs(order.signed) * price
        self.cash -= order.signed * price + commission
        self.realized -= commission
        closed = Fraction(0)
        if self.position * order.signed < 0:
            closed = min(abs(order.signed), abs(self.position)) * (1 if order.signed > 0 else -1)
            average = self.cost / self.position
            self.realized += -closed * (price - average)
            self.cost += closed * average
        self.cost += (order.signed - closed) * price
        self.position += order.signed
        money = (float(price), float(commission), float(self.position), float(self.cash))
        self.fills.append(Filled(block, order.number, order.due, at, *money))


def close(value, **more):
    return pytest.approx(float(value), **{"rel": 1e-11, "abs": 1e-9, **more})


def check_fills(fills, expected):
    assert [(f.seq, f.number, f.ts_sim, f.at) for f in fills] == [tuple(e[:4]) for e in expected]
    for fill, oracle in zip(fills, expected, strict=True):
        assert fill.price == close(oracle.price)
        assert fill.commission == close(oracle.commission)
        assert fill.position == close(oracle.position)
        assert fill.cash == close(oracle.cash)


# Any session of a strategy


class Plan(NamedTuple):
    """What happens in a session, and how the loop is driven."""

    controls: list[Control]
    acts: dict[int, list[tuple[str, int]]]
    attached: list[tuple[int, int]]
    fails_at: int
    n: int
    seed: int
    portions: list[int]
    chunk: int


SETTINGS = [
    *[("execution.latency_ms", value) for value in (0.0, 0.5, 1.0, 1.5, 3.0, 8.0)],
    *[("execution.slippage_bps", value) for value in (0.0, 10.0, 300.0)],
    *[("execution.commission_bps", value) for value in (0.0, 0.5, 80.0)],
    *[("execution.commission_fixed", value) for value in (0.0, 0.25)],
    *[("schedule.dt_fixed_ms", value) for value in (0.5, 1.0, 2.0)],
    *[("schedule.mode", value) for value in ("poisson", "fixed")],
    *[("model.sigma", value) for value in (0.1, 5.0)],
    ("model.type", "gbm"),
]
tenths = st.integers(-20, 20).filter(bool)
acts = st.one_of(
    st.tuples(st.just("order"), tenths),
    st.tuples(st.just("target"), tenths),
    st.tuples(st.just("flatten"), st.just(0)),
)


@st.composite
def scripts(draw, n):
    """Commands in the order of their stamps; pacing is among them and does nothing."""
    made = []
    for seq in sorted(draw(st.lists(st.integers(1, n), max_size=8))):
        key, value = draw(st.sampled_from([*SETTINGS, ("", None)]))
        action = "set" if key else draw(st.sampled_from(["pause", "resume", "speed"]))
        made.append(Control(seq=seq, action=action, key=key, value=value))
    return made


@st.composite
def plans(draw):
    n = draw(st.integers(2, 40))
    cuts = sorted(draw(st.sets(st.integers(1, n), max_size=4)) | {1, n + 1})
    spans = [(a, b - 1) for a, b in pairwise(cuts)]
    skipped = draw(st.sets(st.integers(0, 4), max_size=2))
    attached = [span for i, span in enumerate(spans) if i not in skipped or len(spans) == 1]
    return Plan(
        controls=draw(scripts(n)),
        acts=draw(st.dictionaries(st.integers(1, n), st.lists(acts, max_size=3), max_size=n)),
        attached=attached,
        fails_at=draw(st.one_of(st.just(0), st.integers(1, n))),
        n=n,
        seed=draw(st.integers(0, 3)),
        portions=draw(st.lists(st.integers(1, 12), min_size=1, max_size=5)),
        chunk=draw(st.sampled_from([1, 3, 8, 4096])),
    )


class Live:
    """A session of the real loop, with a strategy that does what the plan says and notes what it sees."""

    def __init__(self, plan):
        self.plan, self.saw = plan, []
        with mock.patch.object(market_module, "CHUNK", plan.chunk):
            self.session = Session(BASE, seed=plan.seed, script=plan.controls)
            self._run()

    def _run(self):
        for version, (first, last) in enumerate(self.plan.attached, 1):
            self._portions(first - 1, None)
            self._portions(last, self.session.hire(self.on_tick, version=version))
        self._portions(self.plan.n, None)

    def _portions(self, last, runner):
        at, failures = self.session.loop.quote.seq, len(self.session.failures)
        sizes = iter(self.plan.portions * (last + 1))
        while at < last and len(self.session.failures) == failures:
            at = min(last, at + next(sizes))
            self.session.run(at, runner)
        self.session.run(last)

    def on_tick(self, ctx, tick):
        n, account = tick["seq"], self.session.account
        self.saw.append((n, tick["price"], ctx.position(), ctx.pending(), ctx.cash(), ctx.equity()))
        assert (ctx.position(), ctx.cash()) == (account.portfolio.position, account.portfolio.cash)
        assert ctx.pending() == (close(account.pending) if account.open_orders else 0.0)
        books = account.portfolio
        assert ctx.equity() == close(CASH + books.realized + books.unrealized(tick["price"]))
        for kind, amount in self.plan.acts.get(n, ()):
            if kind == "target":
                ctx.target(amount / 10)
                continue
            qty = amount / 10 if kind == "order" else -ctx.position()
            if qty:
                ctx.place_market_order("BUY" if qty > 0 else "SELL", abs(qty))
        if n == self.plan.fails_at:
            raise ZeroDivisionError


def told(plan):
    """Carry the plan out by the protocol; return the account, what the strategy sees, and all equities."""
    by_tick = configurations(plan.controls, plan.n)
    times, prices = market_of(by_tick, plan.seed)
    account = Protocol(times, prices, by_tick)
    saw, marks, alive = [], [], True
    for m in range(1, plan.n + 1):
        account.clear(m, times[m])
        equity = account.cash + account.position * Fraction(prices[m])
        assert (
            equity
            == Fraction(CASH) + account.realized + account.position * Fraction(prices[m]) - account.cost
        )
        marks.append(equity)
        first = [a for a, b in plan.attached if a <= m <= b]
        alive = alive or m in first
        if not first or not alive:
            continue
        saw.append((m, prices[m], account.position, account.pending(m), account.cash, equity))
        alive = m != plan.fails_at
        if alive:
            for kind, amount in plan.acts.get(m, ()):
                signed = wanted(kind, Fraction(amount, 10), account, m)
                if signed:
                    account.place(m + 1, times[m] + latency_ns(by_tick[m]), signed)
    return account, saw, marks


def wanted(kind, amount, account, m):
    if kind == "order":
        return amount
    if kind == "target":
        return amount - account.position - account.pending(m)
    return -account.position


@settings(max_examples=250)
@given(plans())
def test_any_session_is_that_of_the_protocol(plan):
    """Commands, reloads, gaps without a strategy and a failure; in any portions and chunks."""
    live = Live(plan)
    account, saw, marks = told(plan)
    session = live.session
    assert session.times.tolist() == account.times[1:]
    assert session.prices.tolist() == account.prices[1:]
    failed = [n for n, *_ in saw if n == plan.fails_at]
    assert [(f.seq, type(f.error)) for f in session.failures] == [(n, ZeroDivisionError) for n in failed]
    assert len(live.saw) == len(saw)
    for row, oracle in zip(live.saw, saw, strict=True):
        assert row[:2] == oracle[:2]
        assert row[2:] == tuple(close(value) for value in oracle[2:])
    check_fills(session.fills, account.fills)
    assert [(o.number, o.due, o.seq) for o in session.orders] == [
        (o.number, o.due, o.before - 1) for o in account.placed
    ]
    for snapshot in session.snapshots:
        assert snapshot.equity == close(marks[snapshot.seq - 1])
        assert snapshot.equity == close(CASH + snapshot.realized + snapshot.unrealized)
        assert snapshot.price == account.prices[snapshot.seq]
        assert snapshot.ts_sim == account.times[snapshot.seq]
    due = {fill.seq for fill in account.fills} | set(range(7, plan.n + 1, 7)) | set(failed)
    assert [snapshot.seq for snapshot in session.snapshots] == sorted(due)
    assert [event.seq for event in session.events] == sorted(event.seq for event in session.events)


@settings(max_examples=50)
@given(plans(), st.sampled_from([0, 400_000, 1_000_000, 5_000_000, None]))
def test_the_end_fills_what_is_due_by_then(plan, more):
    """Line 20; `more` is the time from the last tick to the end of the run, None for a run of n ticks."""
    live = Live(plan)
    account, _, _ = told(plan)
    end = account.times[plan.n] + (more or 0)
    loop = live.session.loop
    assert loop.end_time(plan.n, 2**62, None) == account.times[plan.n]
    unfilled, events = loop.finish(end)
    before = len(account.fills)
    account.clear(plan.n + 1, end)
    check_fills(events[:-1], account.fills[before:])
    assert unfilled == len(account.open)
    last = events[-1]
    assert (last.seq, last.ts_sim, last.price) == (plan.n + 1, end, account.prices[plan.n])
    assert last.equity == close(account.cash + account.position * Fraction(account.prices[plan.n]))


# Any session of an account that trades by hand or over the wire


class Outside(NamedTuple):
    """An order of origin `origin` before tick `seq`; a manual one after `place` of that tick's commands."""

    seq: int
    origin: str
    signed: Fraction
    place: int


outside = st.builds(
    Outside,
    seq=st.integers(2, 30),
    origin=st.sampled_from(["manual", "wire"]),
    signed=tenths.map(lambda n: Fraction(n, 10)),
    place=st.integers(0, 8),
)


@settings(max_examples=150)
@given(
    st.integers(2, 30).flatmap(lambda n: st.tuples(st.just(n), scripts(n))),
    st.lists(outside, max_size=12),
    st.sampled_from([1, 5, 4096]),
)
def test_orders_from_outside_fill_as_the_protocol_says(script, orders, chunk):
    """Line 7: d = t_(n-1) + the latency at its place. Line 13: wire orders come before the commands of n."""
    n, controls = script
    by_tick = configurations(controls, n)
    times, prices = market_of(by_tick, 0)
    account = Protocol(times, prices, by_tick)
    script = []
    for m in range(1, n + 1):
        now = by_tick[m - 1]
        mine = [order for order in orders if order.seq == m]
        commands = [control for control in controls if control.seq == m]
        places = [("wire", -1), *[("manual", i) for i in range(len(commands) + 1)]]
        for origin, place in places:
            if place > 0:
                script.append(commands[place - 1])
                now = changed(now, script[-1].key, script[-1].value) if script[-1].key else now
            for order in mine:
                if order.origin == origin and place in (-1, min(order.place, len(commands))):
                    due = times[m - 1] + latency_ns(now)
                    account.place(m, due, order.signed)
                    script.append(event_of(account.placed[-1], m, origin))
    with mock.patch.object(market_module, "CHUNK", chunk):
        session = Session(BASE, seed=0, script=script).run(n)
    for m in range(1, n + 1):
        account.clear(m, times[m])
    check_fills(session.fills, account.fills)
    assert session.orders == []  # they are given, not made


def event_of(placed, seq, origin):
    side = "BUY" if placed.signed > 0 else "SELL"
    qty = abs(float(placed.signed))
    return Order(seq=seq, id="a", number=placed.number, side=side, qty=qty, due=placed.due, origin=origin)


# By hand


def test_a_long_run_across_many_chunks():
    """An order at every tenth of 10,000 ticks, latency above the gap, against the closed form of line 11."""

    def on_tick(ctx, tick):
        if tick["seq"] % 10 == 0:
            ctx.place_market_order("BUY" if tick["seq"] % 20 else "SELL", 1.0)

    session = trade(on_tick, 10_000, mode="poisson", latency_ms=400.0)
    times, prices = session.times, session.prices
    assert len(session.orders) == 1000
    due = times[9::10] + 400 * MS
    at = np.searchsorted(times, due, side="right")
    block = np.searchsorted(times, due, side="left") + 1
    filled = block <= 10_000
    fills = session.fills
    assert [fill.ts_sim for fill in fills] == due[filled].tolist()
    assert [fill.at for fill in fills] == at[filled].tolist()
    assert [fill.seq for fill in fills] == block[filled].tolist()
    assert [fill.price for fill in fills] == prices[at[filled] - 1].tolist()


def test_latency_zero_fills_at_the_price_seen_and_is_known_one_tick_later():
    session = trade(lambda ctx, tick: tick["seq"] == 3 and ctx.place_market_order("BUY", 1.0), 5)
    (fill,) = session.fills
    assert (fill.seq, fill.at, fill.price) == (4, 3, session.prices[2])


def test_an_order_of_the_last_tick_fills_in_the_block_of_the_end():
    session = trade(lambda ctx, tick: tick["seq"] == 5 and ctx.place_market_order("BUY", 1.0), 5)
    assert session.fills == []
    unfilled, (fill, snapshot) = session.loop.finish(session.times[-1])
    assert (unfilled, fill.seq, fill.at, fill.price) == (0, 6, 5, session.prices[4])
    assert (snapshot.seq, snapshot.position) == (6, 1.0)


def test_orders_of_the_failing_tick_do_not_count_but_those_before_do():
    def on_tick(ctx, tick):
        ctx.place_market_order("BUY", 1.0)
        ctx.log(f"at {tick['seq']}")
        if tick["seq"] == 3:
            raise RuntimeError

    session = trade(on_tick, 8, latency_ms=500.0)
    assert [order.seq for order in session.orders] == [1, 2]
    assert [(fill.number, fill.seq) for fill in session.fills] == [(1, 4), (2, 5)]
    assert session.said("log") == [(1, "at 1"), (2, "at 2"), (3, "at 3")]
    assert session.failures[0].seq == 3
    assert session.account.portfolio.position == 2.0
    assert len(session.prices) == 8


def test_a_strategy_may_end_itself():
    def on_tick(_ctx, tick):
        if tick["seq"] == 2:
            raise SystemExit

    session = trade(on_tick, 5)
    assert [(failure.seq, type(failure.error)) for failure in session.failures] == [(2, SystemExit)]
    assert len(session.prices) == 5


def test_an_interrupt_is_nobodys_failure():
    def on_tick(_ctx, _tick):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trade(on_tick, 5)


def test_a_run_stops_at_the_last_tick_or_at_the_end_of_time():
    whole = Session(BASE).run(50).times
    session = Session(BASE)
    session.loop.run(50, t_end=int(whole[19]))
    assert len(session.times) == 20  # a tick at exactly the end belongs to the run
    assert session.loop.end_time(50, int(whole[19]) + 5, None) == whole[19] + 5
    assert session.loop.end_time(20, 2**62, None) == whole[19]
    assert session.loop.end_time(20, 2**62, 77) == 77
    session.loop.run(50, t_end=int(whole[20]))  # also where it is the only one
    assert len(session.times) == 21
    session.loop.run(50, t_end=int(whole[29]) - 1)
    assert len(session.times) == 29


def test_a_mark_takes_a_snapshot_at_the_next_tick():
    session = Session(BASE).run(3)
    session.loop.mark()
    session.run(6)
    assert [snapshot.seq for snapshot in session.snapshots] == [4]


def test_pacing_changes_nothing():
    pacing = [
        Control(seq=n, action=action, value=2.0) for n, action in enumerate(["pause", "resume", "speed"], 5)
    ]
    plain, paced = Session(BASE).run(50), Session(BASE, script=pacing).run(50)
    assert (plain.times.tolist(), plain.prices.tolist()) == (paced.times.tolist(), paced.prices.tolist())


def test_commands_of_one_tick_act_in_order():
    script = [Control(seq=3, action="set", key="execution.latency_ms", value=ms) for ms in (9.0, 2.0)]
    session = Session(BASE, script=script)
    assert session.run(2).loop.config.execution.latency_ms == 1.0
    assert session.run(3).loop.config.execution.latency_ms == 2.0
    assert session.config.execution.latency_ms == 1.0


def test_a_market_without_an_account_has_the_same_path():
    alone = Session(BASE)
    alone.loop.account = None
    alone.run(40)
    assert alone.events == []
    assert alone.prices.tolist() == Session(BASE).run(40).prices.tolist()
