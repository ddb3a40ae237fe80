"""The broker's order of events, lines 7 to 18 and 20 of the protocol, message by message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.config import Config
from algosim.core.desk import Request
from algosim.events import Attach, Control, Detach, End, Fill, Log, Order, Remove, Snapshot, Tick, Version
from algosim.live.sequencer import Answer, Cleared, Ended, ProtocolFault, Sequencer, Started
from algosim.settings import with_settings

MS = 1_000_000
GAP = 100 * MS
BUY = Request("BUY", 1.0, "")


class Market:
    """A sequencer, what goes into it and what has come out of it.

    Ticks are 100 ms apart, the price at tick n is 100 + n.
    """

    def __init__(self, latency_ms=0.0, **settings):
        quiet = {"slippage_bps": 0.0, "commission_bps": 0.0, "snapshot_every": 1000}
        config = with_settings(Config(), {"latency_ms": latency_ms, **quiet, **settings})
        self.sequencer = Sequencer(config, 100.0)
        self.out = []

    def _took(self, result=None):
        while self.sequencer.outbox:
            self.out.append(self.sequencer.outbox.popleft())
        return result

    @property
    def next(self):
        return self.sequencer.last + 1

    def tick(self, times=1):
        for _ in range(times):
            n = self.next
            self.sequencer.tick(n, n * GAP, 100.0 + n, 0.0)
            self._took()
        return self

    def control(self, event):
        event.seq = self.next
        self.sequencer.control(event)
        self._took()
        return self

    def set(self, key, value):
        return self.control(Control(seq=0, action="set", key=key, value=value))

    def attach(self, id="a", version=1):
        return self.control(Attach(seq=0, id=id, version=version, code="code"))

    def remove(self, id="a"):
        return self.control(Remove(seq=0, id=id))

    def order(self, side="BUY", qty=1.0, id="hand"):
        return self.control(Order(seq=0, id=id, number=0, side=side, qty=qty, due=0, origin="manual"))

    def end(self, after_ns=0):
        return self.control(End(seq=0, ts_sim=self.sequencer.last * GAP + after_ns))

    def raw(self, side="BUY", qty=1.0, tag="", id="wire"):
        return self._took(self.sequencer.raw_order(id, side, qty, tag))

    def ack(self, seq, *orders, id="a", version=1, logs=()):
        answer = Answer(seq, version, "code", {}, False, orders, {}, logs)
        self.sequencer.answer(id, answer)
        self._took()
        return self

    def detach(self, id="a", version=None):
        self.sequencer.detach(id, "killed", "why", version)
        self._took()
        return self

    def stopped(self, id="a"):
        self.sequencer.stopped(id, [("print", "bye")])
        self._took()
        return self

    def said(self, kind, id="a"):
        return [item for item in self.out if isinstance(item, kind) and item.id == id]

    def cleared(self, id="a"):
        return [frame.seq for frame in self.said(Cleared, id)]

    @property
    def blocks(self):
        return [item for item in self.out if isinstance(item, list)]

    def events(self, kind):
        return [event for block in self.blocks for event in block if isinstance(event, kind)]

    @property
    def fills(self):
        return [(fill.seq, fill.number, fill.at, fill.ts_sim // MS, fill.price) for fill in self.events(Fill)]


# Lines 8 to 12: when an account is cleared, and what fills


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([0, 1, 2, 3, 7])), min_size=1, max_size=12),
    st.integers(1, 9),
    st.data(),
)
def test_an_account_is_cleared_as_far_as_the_answers_allow(ticks, joins, data):
    """Line 8, word for word: `need` is the largest k < m, attached at k, with t_k + L_k <= t_m."""
    sequencer = Sequencer(Config(), 100.0)
    times, due, acked, cleared, late = [0], [0], 0, [], []
    for n, (gap, latency) in enumerate(ticks, 1):
        key = "execution.latency_ms"
        sequencer.control(Control(seq=n, action="set", key=key, value=latency / MS))
        if n == joins:
            sequencer.control(Attach(seq=n, id="a", version=1, code=""))
            acked = n - 1
        times.append(times[-1] + gap)
        due.append(times[-1] + latency)
        sequencer.tick(n, times[-1], 100.0, 0.0)
        while True:
            cleared += [item.seq for item in sequencer.outbox if isinstance(item, Cleared)]
            sequencer.outbox.clear()
            needs = {
                m: max((k for k in range(joins, m) if due[k] <= times[m]), default=0)
                for m in range(joins, n + 1)
            }
            late = [m for m, need in needs.items() if need > acked]
            assert cleared == list(range(joins, min(late, default=n + 1)))
            if not (n >= joins and cleared and acked < cleared[-1] and data.draw(st.booleans())):
                break
            acked += 1
            sequencer.answer("a", Answer(acked, 1, "", {}, False, [], {}, []))


def test_a_tick_waits_for_the_answer_whose_orders_are_due_at_it():
    """d = t_m: with a latency of one gap, clearing 2 needs the answer to 1, and the order fills at P_2."""
    market = Market(latency_ms=100.0).attach().tick(3)
    assert market.cleared() == [1]
    market.ack(1, BUY)
    assert market.cleared() == [1, 2]
    (fill,) = market.said(Cleared)[1].fills
    assert (fill.seq, fill.at, fill.ts_sim, fill.price) == (2, 2, 2 * GAP, 102.0)


def test_a_tick_does_not_wait_for_an_answer_whose_orders_are_due_after_it():
    market = Market(latency_ms=100.000001).attach().tick(3)
    assert market.cleared() == [1, 2]
    market.ack(1, BUY)
    assert market.cleared() == [1, 2, 3]
    market.ack(2).ack(3)
    assert market.fills == [(3, 1, 2, 200, 102.0)]


def test_latency_zero_fills_at_the_price_seen_and_is_known_at_the_next_tick():
    market = Market(latency_ms=0.0).attach().tick(2)
    assert market.cleared() == [1]
    market.ack(1, BUY)
    frame = market.said(Cleared)[1]
    assert [(fill.at, fill.price) for fill in frame.fills] == [(1, 101.0)]
    assert (frame.seq, frame.position, frame.cash) == (2, 1.0, 10_000.0 - 101.0)


def test_long_latency_clears_far_ahead_of_the_answers():
    market = Market(latency_ms=350.0).attach().tick(6)
    assert market.cleared() == [1, 2, 3, 4]
    market.ack(1, BUY)
    assert market.cleared() == [1, 2, 3, 4, 5]
    for seq in range(2, 6):
        market.ack(seq)
    assert market.fills == [(5, 1, 4, 450, 104.0)]


def test_a_shorter_latency_makes_a_later_answer_count_first():
    """Tick 1 has its orders due at 1000 ms, tick 2 at 200 ms: clearing 3 needs the answers to both."""
    market = Market(latency_ms=900.0).attach().tick().set("execution.latency_ms", 0.0).tick(2)
    assert market.cleared() == [1, 2]
    market.ack(1, BUY)
    assert market.cleared() == [1, 2]
    market.ack(2, Request("SELL", 2.0, "")).tick(7)
    for seq in range(3, 11):
        market.ack(seq)
    assert market.fills == [(3, 2, 2, 200, 102.0), (10, 1, 10, 1000, 110.0)]


def test_a_change_of_latency_does_not_move_what_was_placed():
    market = Market(latency_ms=150.0).attach().tick().set("execution.latency_ms", 0.0).ack(1, BUY).tick(2)
    assert market.ack(2).ack(3).fills == [(3, 1, 2, 250, 102.0)]


def test_price_and_costs_are_those_of_the_last_tick_by_the_due_time():
    market = Market(latency_ms=150.0, commission_fixed=1.0).attach().tick(2)
    market.set("execution.commission_fixed", 5.0).set("execution.slippage_bps", 100.0)
    market.ack(1, BUY).ack(2, BUY).tick(2).ack(3).ack(4)
    first, second = market.events(Fill)
    assert (first.seq, first.at, first.price, first.commission) == (3, 2, 102.0, 1.0)
    assert (second.seq, second.at, second.price, second.commission) == (4, 3, 103.0 * 1.01, 5.0)


def test_accounts_do_not_wait_for_each_other():
    market = Market().attach("a").attach("b").tick(2).ack(1, id="b").ack(2, id="b")
    assert (market.cleared("a"), market.cleared("b")) == ([1], [1, 2])
    assert market.blocks == []


# Lines 7 and 13: orders from outside


def test_a_manual_order_is_due_after_the_latency_at_its_place():
    market = Market(latency_ms=0.0).tick(2)
    market.order().set("execution.latency_ms", 100.0).order("SELL", 3.0).tick(2)
    assert [(o.seq, o.number, o.due) for o in market.events(Order)] == [(3, 1, 2 * GAP), (3, 2, 3 * GAP)]
    assert market.fills == [(3, 1, 2, 200, 102.0), (3, 2, 3, 300, 103.0)]


def test_a_raw_order_has_the_latency_of_the_last_tick_and_stands_before_the_commands():
    market = Market(latency_ms=0.0).tick(2).set("execution.latency_ms", 500.0)
    assert market.raw() == ""
    market.tick()
    kinds = [type(event) for event in market.blocks[2]]
    assert kinds == [Order, Control, Tick, Fill, Snapshot]
    assert market.fills == [(3, 1, 2, 200, 102.0)]
    assert market.events(Order)[0].origin == "wire"


def test_orders_from_outside_wait_for_nobody():
    market = Market().attach().tick(2).order().tick()
    assert market.sequencer.members["hand"].account.portfolio.position == 1.0
    assert market.blocks == []
    assert market.ack(1).ack(2).ack(3).fills == [(3, 1, 2, 200, 102.0)]


def test_raw_orders_are_refused_before_the_first_tick_and_after_the_last():
    market = Market()
    assert "before the first tick" in market.raw()
    market.tick().end()
    assert "after the last" in market.raw()
    assert market.events(Order) == []


@pytest.mark.parametrize(
    ("side", "qty", "tag", "why"),
    [
        ("BUYY", 1.0, "", "did you mean 'BUY'"),
        ("BUY", -1.0, "", "qty must be positive"),
        ("BUY", float("nan"), "", "qty must be positive and finite"),
        ("BUY", 1.0, "x" * 101, "101 characters"),
        ("BUY", 11.0, "", "max_position"),
    ],
)
def test_a_bad_order_from_outside_is_refused_and_logged(side, qty, tag, why):
    market = Market(max_position=10.0).tick()
    assert why in market.raw(side, qty, tag)
    market.tick()
    (log,) = market.events(Log)
    assert (log.seq, log.id, log.level) == (2, "wire", "reject")
    assert why in log.text
    assert market.sequencer.rejected == 1
    assert list(market.sequencer.members) == []


def test_refused_orders_of_strategies_are_counted_too():
    market = Market().attach().tick(2).ack(1, logs=[("reject", "no"), ("log", "oh"), ("reject", "no")])
    market.raw("BUY", -1.0)
    assert market.sequencer.rejected == 3


def test_orders_in_flight_count_against_the_limit():
    market = Market(latency_ms=900.0, max_position=2.0).tick()
    assert [bool(market.raw("BUY", 1.0)) for _ in range(3)] == [False, False, True]


def test_a_strategys_account_takes_no_order_from_outside():
    market = Market().attach().tick()
    assert "strategy's account" in market.raw(id="a")
    market.detach()
    assert "strategy's account" in market.raw(id="a")


# Lines 9, 14 and 15: attach, detach, remove


def test_a_strategy_starts_from_its_account_as_it_is():
    market = Market(latency_ms=150.0).attach().tick().ack(1, BUY, BUY).detach().tick(2).attach(version=2)
    (_, started) = market.said(Started)
    assert (started.seq, started.time) == (3, 3 * GAP)
    assert started.books == (2.0, 10_000.0 - 2 * 102.0, 0.0, 0, 2.0)
    market.tick()
    assert market.cleared() == [1, 3, 4]  # 3: the fills meanwhile, for those who watch
    market.ack(4, version=2)
    assert len(market.blocks) == 4


def test_a_strategy_owes_no_answer_before_it_is_attached():
    market = Market().tick(3).attach().tick()
    assert len(market.blocks) == 3
    assert market.cleared() == [4]


def test_detached_before_the_first_tick_of_its_attach():
    market = Market().tick(2).attach().detach().tick()
    assert market.cleared() == []
    (detach,) = market.events(Detach)
    assert (detach.seq, detach.last_ack, detach.version, detach.reason) == (3, 2, 1, "killed")
    assert [type(event) for event in market.blocks[2]] == [Detach, Attach, Tick, Snapshot]


def test_a_detach_stands_before_the_first_tick_that_was_not_acknowledged():
    market = Market(latency_ms=900.0).attach().tick(5).ack(1).ack(2, BUY).detach()
    (detach,) = market.events(Detach)
    assert (detach.seq, detach.last_ack, detach.error) == (3, 2, "why")
    assert len(market.blocks) == 5
    market.ack(3, BUY).ack(4, BUY)  # still in flight when it was detached
    assert [order.seq for order in market.events(Order)] == [2]


def test_a_detached_account_goes_on_without_its_strategy():
    """Line 15: what was placed fills, the position is marked."""
    market = Market(latency_ms=250.0, snapshot_every=5).attach().tick(2).ack(1, BUY).detach().tick(4)
    assert market.fills == [(4, 1, 3, 350, 103.0)]
    marks = [(mark.seq, mark.position, mark.price) for mark in market.events(Snapshot)]
    assert marks[-2:] == [(4, 1.0, 104.0), (5, 1.0, 105.0)]
    assert market.cleared() == [1, 2, 4]  # 4: the fill, for those who watch


def test_detaching_frees_what_waited():
    market = Market().attach("a").attach("b").tick(3)
    market.ack(1, id="b").ack(2, id="b").ack(3, id="b")
    assert market.sequencer.waiting_for() == ["a"]
    market.detach("a")
    assert len(market.blocks) == 3
    assert market.sequencer.waiting_for() == []


def test_a_notice_about_nobody_is_passed_over():
    market = Market().detach("nobody").attach().tick().detach().detach().tick()
    assert len(market.events(Detach)) == 1


def test_a_notice_that_comes_before_its_attach_is_kept():
    market = Market().tick().detach(version=1).attach().tick()
    assert market.said(Started) == market.said(Cleared) == []
    assert [(event.seq, event.last_ack) for event in market.events(Detach)] == [(2, 1)]


def test_early_notices_of_several_attaches_are_kept_apart():
    market = Market().detach(version=1).detach(version=2)
    market.attach(version=1).attach(version=2).attach(version=3).tick().ack(1, version=3)
    assert [event.version for event in market.events(Detach)] == [1, 2]


def test_the_next_attach_may_come_before_the_notice():
    market = Market().attach().tick(2).ack(1).attach(version=2).tick().detach(version=1)
    (detach,) = market.events(Detach)
    assert (detach.seq, detach.version, detach.last_ack, detach.reason) == (2, 1, 1, "replaced")
    assert market.sequencer.waiting_for() == ["a"]
    assert len(market.ack(3, version=2).blocks) == 3  # the notice ended nothing


def test_what_an_earlier_version_still_says_is_passed_over():
    market = Market(latency_ms=900.0).attach().tick(3).detach().attach(version=2)
    market.ack(1, BUY).tick().ack(2, BUY).ack(4, version=2).ack(3, BUY)
    assert market.events(Order) == []
    assert len(market.blocks) == 4


def test_a_removed_strategy_owes_the_ticks_before():
    market = Market(latency_ms=0.0).attach().tick(2).remove().tick(2)
    assert market.blocks == []
    market.ack(1, BUY).ack(2, BUY)
    assert len(market.blocks) == 4
    assert market.cleared() == [1, 2, 3]  # 3: the fill of its last order, for those who watch
    assert [fill[:3] for fill in market.fills] == [(2, 1, 1), (3, 2, 2)]


def test_a_removed_strategy_that_dies_before_its_answers_is_detached():
    market = Market().attach().tick(3).remove().tick().ack(1).detach()
    assert [(event.seq, event.last_ack) for event in market.events(Detach)] == [(2, 1)]
    assert len(market.blocks) == 4
    market.detach()
    assert len(market.tick().events(Detach)) == 1


def test_attached_again_before_all_answers_of_the_removed_one_have_come():
    market = Market().attach().tick(2).remove().ack(1).attach(version=2).tick()
    market.ack(2, BUY).ack(3, version=2)
    assert [(event.seq, event.last_ack) for event in market.events(Detach)] == [(2, 1)]
    assert market.events(Order) == []
    assert len(market.blocks) == 3


def test_a_strategy_cannot_be_attached_twice():
    with pytest.raises(ProtocolFault, match="attached already"):
        Market().attach().attach()


# Lines 16 to 18: blocks


def test_blocks_come_in_order_and_when_all_have_answered():
    market = Market(latency_ms=900.0).attach("a").attach("b").tick(2)
    market.ack(1, id="a").ack(2, id="a")
    assert market.blocks == []
    market.ack(1, id="b")
    assert [block[0].seq for block in market.blocks] == [1]
    market.ack(2, id="b")
    assert [block[0].seq for block in market.blocks] == [1, 2]
    assert [block[-1].end for block in market.blocks] == [True, True]


def test_a_block_has_its_events_in_the_order_of_the_protocol():
    market = Market(latency_ms=0.0, snapshot_every=4).attach("b").attach("a").attach("c").tick(3)
    for seq in (1, 2, 3):
        market.ack(seq, *[BUY] * (seq == 3), id="b").ack(seq, *[BUY] * (seq == 3), id="a")
        if seq < 3:
            market.ack(seq, id="c")
    market.ack(3, id="c").set("execution.slippage_bps", 1.0).order().raw()
    market.remove("c").detach("c").tick()
    market.ack(4, BUY, id="b", logs=[("log", "b")]).ack(4, BUY, id="a", version=2)
    block = market.blocks[3]
    fills = [("a", 1), ("b", 1), ("hand", 1), ("wire", 1)]
    assert [(type(event), getattr(event, "id", "")) for event in block] == [
        (Order, "wire"),
        (Control, ""),
        (Order, "hand"),
        (Remove, "c"),
        (Tick, ""),
        *[(Fill, id) for id, _ in fills],
        *[(Snapshot, id) for id in ("a", "b", "c", "hand", "wire")],
        (Version, "a"),
        (Order, "a"),
        (Order, "b"),
        (Log, "b"),
    ]


def test_the_first_answer_of_another_version_is_a_reload():
    market = Market().attach().tick(3).ack(1).ack(2, version=2).ack(3, version=2)
    (version,) = market.events(Version)
    assert (version.seq, version.id, version.version, version.code) == (2, "a", 2, "code")


def test_lines_that_belong_to_no_tick_go_to_the_next_block():
    market = Market().attach().tick(3).ack(1)
    market.sequencer.log("a", [("error", "oh")])
    market.ack(2)
    assert [(log.seq, log.text, log.level) for log in market.events(Log)] == [(2, "oh", "error")]


# Line 20: the end


def test_orders_before_the_end_fill_if_they_are_due_by_then():
    market = Market(latency_ms=100.0).attach().tick(2).ack(1, BUY).ack(2, BUY).order().order("SELL", 2.0)
    market.set("execution.latency_ms", 101.0).order().end(after_ns=GAP)
    assert market.sequencer.waiting_for() == ["a"]
    market.stopped()
    assert market.fills == [
        (2, 1, 2, 200, 102.0),
        (3, 2, 2, 300, 102.0),
        (3, 1, 2, 300, 102.0),
        (3, 2, 2, 300, 102.0),
    ]
    end = market.blocks[-1][-1]
    assert (end.seq, end.ts_sim, end.unfilled, end.end) == (3, 3 * GAP, 1, True)
    assert [(mark.id, mark.position) for mark in market.blocks[-1] if isinstance(mark, Snapshot)] == [
        ("a", 2.0),
        ("hand", -1.0),
    ]
    assert market.sequencer.ended


def test_what_is_due_after_the_end_stays_unfilled():
    market = Market(latency_ms=100.0).attach().tick(2).ack(1).ack(2, BUY).end(GAP - 1).stopped()
    assert market.fills == []
    assert market.blocks[-1][-1].unfilled == 1


def test_the_end_waits_for_every_answer_and_every_on_stop():
    market = Market().attach("a").attach("b").tick(2).end()
    assert market.said(Ended) == []
    for id in "ab":
        market.ack(1, id=id).ack(2, BUY, id=id)
    (ended,) = market.said(Ended, "a")
    assert (ended.seq, ended.time, ended.position, ended.cash) == (3, 2 * GAP, 1.0, 10_000.0 - 102.0)
    market.stopped("b")
    assert not market.sequencer.ended
    market.stopped("a")
    assert market.sequencer.ended
    assert [(log.seq, log.text) for log in market.events(Log)] == [(3, "bye"), (3, "bye")]


def test_a_strategy_that_does_not_come_to_its_last_tick_is_detached():
    market = Market().attach().tick(2).ack(1).end().detach()
    assert market.sequencer.ended
    assert [(event.seq, event.last_ack) for event in market.events(Detach)] == [(2, 1)]


def test_one_that_does_not_return_from_its_on_stop_has_had_its_last_tick():
    market = Market().attach().tick().ack(1).end().detach()
    assert market.sequencer.ended
    assert market.events(Detach) == []
    assert [(log.seq, log.level, log.text) for log in market.events(Log)] == [(2, "error", "why")]


def test_what_a_strategy_says_as_it_fails_stands_at_the_tick_at_which_it_does():
    market = Market(latency_ms=1000.0).attach("a").attach("b").tick(3)
    market.ack(1, id="a").ack(2, id="a")
    market.sequencer.log("a", [("error", "in tick 3")])
    market.detach("a").ack(1, id="b").ack(2, id="b").ack(3, id="b")
    assert [(log.seq, log.text) for log in market.events(Log)] == [(3, "in tick 3")]


def test_one_that_has_stopped_cannot_be_detached_any_more():
    market = Market().attach("a").attach("b").tick().ack(1, id="a").ack(1, id="b").end()
    market.stopped("a").detach("a").stopped("b").detach("b")
    assert market.sequencer.ended
    assert market.events(Detach) == []


def test_a_strategy_attached_before_the_end_gets_no_tick_but_the_end():
    market = Market().tick().attach().end()
    assert [len(market.said(kind)) for kind in (Started, Cleared, Ended)] == [1, 0, 1]


def test_a_detached_strategy_is_not_asked_to_stop():
    market = Market().attach().tick().detach().end()
    assert market.said(Ended) == []
    assert market.sequencer.ended


@pytest.mark.parametrize("ticks", [0, 3])
def test_a_market_without_accounts_ends(ticks):
    market = Market().tick(ticks).end(5)
    assert len(market.blocks) == ticks + 1
    assert market.blocks[-1] == [End(seq=ticks + 1, ts_sim=ticks * GAP + 5, end=True)]


# Line 25: holes, and answers nobody asked for


def test_a_hole_in_the_ticks_is_a_fault():
    with pytest.raises(ProtocolFault, match="tick 3 came after tick 1"):
        Market().tick().sequencer.tick(3, 3 * GAP, 103.0, 0.0)


@pytest.mark.parametrize("seq", [1, 3])
def test_a_command_stamped_before_another_tick_is_a_fault(seq):
    with pytest.raises(ProtocolFault, match="the next tick is 2"):
        Market().tick().sequencer.control(Control(seq=seq, action="pause"))


@pytest.mark.parametrize(
    ("seq", "asked"),
    [(1, "tick 2"), (3, "tick 2"), (0, "tick 2")],
)
def test_an_answer_out_of_turn_is_a_fault(seq, asked):
    market = Market(latency_ms=900.0).attach().tick(3).ack(1)
    with pytest.raises(ProtocolFault, match=f"tick {seq} was acknowledged, {asked} was to be"):
        market.ack(seq)


def test_an_answer_to_a_tick_that_is_not_cleared_is_a_fault():
    market = Market(latency_ms=0.0).attach().tick().ack(1)
    with pytest.raises(ProtocolFault, match="none was to be"):
        market.ack(2)


@pytest.mark.parametrize("id", ["nobody", "wire"])
def test_an_answer_from_one_who_was_never_attached_is_a_fault(id):
    market = Market().tick()
    market.raw(id="wire")
    with pytest.raises(ProtocolFault, match="nobody asked for"):
        market.ack(1, id=id)


@pytest.mark.parametrize(
    ("orders", "why"),
    [
        ([Request("HOLD", 1.0, "")], "side must be"),
        ([Request("BUY", 0.0, "")], "qty must be"),
        ([Request("BUY", 1.0, "x" * 101)], "tag has"),
        ([BUY] * 4, "4 orders in one tick"),
        ([Request("BUY", 2.0, ""), Request("BUY", 1.5, "")], "max_position"),
    ],
)
def test_an_order_that_ctx_refuses_is_a_fault_and_places_nothing(orders, why):
    market = Market(max_position=3.0, orders_per_tick=3).attach().tick()
    with pytest.raises(ProtocolFault, match=why):
        market.ack(1, *orders)
    market.detach()
    assert market.events(Order) == []
    assert [event.last_ack for event in market.events(Detach)] == [0]
