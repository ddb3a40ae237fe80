"""The lock-step as a whole: any schedule of any session gives the run that the sequential loop gives."""

from __future__ import annotations

import random
from collections import deque
from unittest import mock

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from algosim.config import Config
from algosim.core import market as market_module
from algosim.core.market import milliseconds_to_ns
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
)
from algosim.live.member import Member
from algosim.live.sequencer import ProtocolFault, Sequencer
from algosim.runs.compare import first_difference
from algosim.settings import with_settings
from tests.lockstep import Plan, World
from tests.lockstep_hosts import LIMITS, PARAMS
from tests.told_again import tell_again

CASH = 1e6
MS = 1_000_000
GAP_MS = 100.0
LATENCIES = (0.0, 30.0, GAP_MS, 2 * GAP_MS, 250.0, 900.0)

BASE = with_settings(
    Config(),
    {
        "dt_fixed_ms": GAP_MS,
        "dt_mean_ms": GAP_MS,
        "commission_fixed": 0.25,
        "snapshot_every": 5,
        "initial_cash": CASH,
        "max_position": LIMITS["max_position"],
    },
)

# Any session

SETTINGS = [
    ("execution.slippage_bps", 30.0),
    ("execution.commission_bps", 7.0),
    ("schedule.dt_fixed_ms", GAP_MS / 2),
    ("model.sigma", 1.0),
]
ids = st.sampled_from("abc")
params = st.fixed_dictionaries(
    {
        "busy": st.integers(0, 3),
        "fails": st.sampled_from([0, 0, 1, 2, 4]),
        "hangs": st.sampled_from([0, 0, 0, 0, 2, 7]),
        "deaf": st.sampled_from([False, False, False, True]),
        "mends": st.integers(0, 2),
    }
)
sides = st.sampled_from(["BUY", "SELL"])
tenths = st.integers(1, 30).map(lambda n: n / 10)
latencies = st.sampled_from(LATENCIES).map(lambda value: ("set", "execution.latency_ms", value))
deeds = st.one_of(
    st.sampled_from(SETTINGS).map(lambda pair: ("set", *pair)),
    st.tuples(st.just("order"), st.sampled_from(["hand", "other hand"]), sides, tenths),
    st.tuples(st.just("raw"), st.just("wire"), sides, tenths),
    st.tuples(st.just("attach"), ids, params),
    st.tuples(st.just("reload"), ids, params, st.booleans()),
    st.tuples(st.sampled_from(["kill", "remove"]), ids),
    st.just(("pause",)),
)


@st.composite
def plans(draw):
    ticks = draw(st.sampled_from([0, 1, 6, 20, 30]))
    config = with_settings(
        BASE,
        {
            "mode": draw(st.sampled_from(["fixed", "fixed", "poisson"])),
            "latency_ms": draw(st.sampled_from(LATENCIES)),
            "window": draw(st.sampled_from([1, 2, 7, 256])),
        },
    )
    first = [(0, ("attach", id, draw(params))) for id in "abc"[: draw(st.integers(0, 3))]]
    later = draw(st.lists(st.tuples(st.integers(0, ticks), deeds), max_size=12))
    later += draw(st.lists(st.tuples(st.integers(0, ticks), latencies), max_size=6))
    end = [(draw(st.integers(0, ticks)), ("end",))] if draw(st.integers(0, 5)) == 0 else []
    script = sorted([*first, *later, *end], key=lambda deed: deed[0])
    return Plan(config, ticks, draw(st.sampled_from([0, 100, 1000])) * MS, script)


schedules = st.integers(0, 2**32 - 1)


def check(plan, schedule, sequencer=Sequencer):
    """Run a session in one schedule and compare it with the sequential loop; return the world."""
    with mock.patch.object(market_module, "CHUNK", 16):
        world = World(plan, random.Random(schedule), sequencer)
        first_price = world.simulator.market.price
        recorded = world.run()
        assert recorded.end is not None, f"waiting for {world.broker.sequencer.waiting_for()}"
        again = tell_again(recorded, plan.config)
    difference = first_difference(recorded, again, initial_cash=CASH, first_price=first_price)
    assert difference is None, difference
    assert recorded.digest == again.digest
    assert [(e.seq, e.id, e.values) for e in recorded.plots] == [(e.seq, e.id, e.values) for e in again.plots]
    return world


@settings(max_examples=400)
@given(plans(), schedules)
def test_any_schedule_gives_the_run_of_the_sequential_loop(plan, schedule):
    world = check(plan, schedule)
    blocks = world.recorder.blocks
    assert [block[0].seq for block in blocks] == list(range(1, world.simulator.market.seq + 2))
    for block in blocks:
        assert {event.seq for event in block} == {block[0].seq}
        assert [event.end for event in block] == [False] * (len(block) - 1) + [True]
        assert_in_order(block)
    assert_as_stamped(blocks, world.simulator.stamped)
    for snapshot in world.recorder.recording.snapshots:
        close = pytest.approx(snapshot.equity, rel=1e-12)
        assert snapshot.cash + snapshot.position * snapshot.price == snapshot.equity
        assert close == CASH + snapshot.realized + snapshot.unrealized


def assert_in_order(block):
    """Line 18, with the places counted from its beginning."""
    places = [place(event) for event in block]
    assert places == sorted(places)
    fills = [(fill.ts_sim, fill.id, fill.number) for fill in block if isinstance(fill, Fill)]
    assert fills == sorted(fills)
    marked = [event.id for event in block if isinstance(event, Snapshot)]
    assert marked == sorted(set(marked))


def place(event):
    if isinstance(event, Control | Attach | Remove):
        return (3,)
    if isinstance(event, Order):
        return {"wire": (2,), "manual": (3,), "strategy": (7, event.id, 2)}[event.origin]
    if isinstance(event, Version | Plot | Log):
        return (7, event.id, {Version: 1, Plot: 3, Log: 4}[type(event)])
    return ({Tick: 4, Fill: 5, Snapshot: 6, End: 8}.get(type(event), 1),)


def assert_as_stamped(blocks, stamped):
    """Commands stand in the order of the stream, each in the block of its stamp."""
    written = [event for block in blocks for event in block if place(event) in ((3,), (8,))]
    assert [name(event) for event in written] == [name(event) for event in stamped]


def name(event):
    key = event.id if hasattr(event, "id") else getattr(event, "key", "")
    return type(event), event.seq, key, getattr(event, "version", 0)


@pytest.mark.parametrize("schedule", range(3))
@pytest.mark.parametrize("window", [1, 2, 7, 256])
@pytest.mark.parametrize("latency_ms", LATENCIES)
def test_the_digest_does_not_depend_on_credit_or_schedule(latency_ms, window, schedule):
    """Where nobody intervenes, all schedules are one run."""
    config = with_settings(BASE, {"mode": "fixed", "latency_ms": latency_ms})
    script = [(0, ("attach", id, PARAMS)) for id in "abc"]
    digests = {
        check(Plan(with_settings(config, {"window": w}), 12, 0, script), s).recorder.recording.digest
        for w, s in ((256, 99), (window, schedule))
    }
    assert len(digests) == 1


# The model finds what is wrong: rules that have been broken


def never_waits(_member, _now):
    return True


def waits_for_the_tick_itself(member, now):
    return all(seq > now.seq or due > now.time for seq, due in member.unanswered)


def misses_equality(member, now):
    return all(seq >= now.seq or due >= now.time for seq, due in member.unanswered)


def forgets_who_leaves(member, *_):
    member.attached = False
    member.unanswered.clear()


def remembers_who_left(member, *_):
    member.attached = False
    last = member.last_ack
    return [Detach(seq=last + 1, id=member.account.id, last_ack=last, version=member.version)]


class PresentLatency(Sequencer):
    """Orders that are not known yet get the latency of now."""

    def __init__(self, *args):
        super().__init__(*args)
        self.times = {}

    def tick(self, seq, time, *rest):
        self.times[seq] = time
        super().tick(seq, time, *rest)

    def control(self, event):
        super().control(event)
        latency = milliseconds_to_ns(self.config.execution.latency_ms)
        for member in self.members.values():
            member.unanswered = deque((seq, self.times[seq] + latency) for seq, _ in member.unanswered)


class AnyNotice(Sequencer):
    """A notice ends whatever is attached when it comes."""

    def detach(self, id, reason, error, _version=None):
        super().detach(id, reason, error)


class AnyAnswer(Sequencer):
    """What an earlier version still says is taken for the present one's."""

    def answer(self, id, answer):
        version = max(answer.version, self.members[id].version)
        super().answer(id, answer._replace(version=version))


class NoEarlyNotice(Sequencer):
    """A notice that comes before its attach is lost."""

    def detach(self, id, reason, error, version=None):
        if id in self.members and self.members[id].joined >= version:
            super().detach(id, reason, error, version)


def is_wrong(sequencer):
    def wrong(case):
        try:
            check(*case, sequencer)
        except (AssertionError, IndexError, KeyError, ProtocolFault):
            return True
        return False

    return wrong


def find_wrong_run(sequencer=Sequencer):
    """Find a run that `check` complains about."""
    chosen = settings(max_examples=1500, phases=[Phase.generate], database=None)
    find(st.tuples(plans(), schedules), is_wrong(sequencer), settings=chosen, random=random.Random(1))


@pytest.mark.parametrize("rule", [never_waits, waits_for_the_tick_itself, misses_equality])
def test_a_broken_rule_of_clearing_is_found(rule, monkeypatch):
    monkeypatch.setattr(Member, "may_clear", rule)
    find_wrong_run()


@pytest.mark.parametrize(("method", "rule"), [("leave", forgets_who_leaves), ("detach", remembers_who_left)])
def test_a_broken_rule_of_leaving_is_found(method, rule, monkeypatch):
    monkeypatch.setattr(Member, method, rule)
    find_wrong_run()


@pytest.mark.parametrize("sequencer", [PresentLatency, AnyNotice, AnyAnswer, NoEarlyNotice])
def test_a_broken_sequencer_is_found(sequencer):
    find_wrong_run(sequencer)
