"""A recorded run carried out again in order, one account after the other, from its inputs alone."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from msgspec.structs import replace

from algosim.core.blocks import close, in_blocks
from algosim.core.broker import Account
from algosim.core.desk import Desk
from algosim.core.engine import Loop, Turn
from algosim.core.market import Market
from algosim.events import Attach, Detach, End, Remove, Tick, Version
from algosim.runs.recording import Recording
from tests.lockstep_hosts import LIMITS, SEED, hire


class Stint(NamedTuple):
    """One version of a strategy from its first tick to its last."""

    start: Attach | Version
    last: int


def stints(members, last):
    """Return the versions of one strategy in order; `members` are its events as recorded."""
    starts = [event for event in members if isinstance(event, Attach | Version)]
    ends = dict.fromkeys((event.version for event in starts), last)
    for event, following in pairwise(starts):
        ends[event.version] = following.seq - 1
    for i, event in enumerate(members):
        if isinstance(event, Detach):
            ends[event.version] = min(ends[event.version], event.last_ack)
        elif isinstance(event, Remove):
            leaving = [start for start in members[:i] if isinstance(start, Attach | Version)][-1]
            ends[leaving.version] = min(ends[leaving.version], event.seq - 1)
    return [Stint(event, ends[event.version]) for event in starts]


class Again:
    """One account's way through the run."""

    def __init__(self, recorded, config, id):
        self.id, self.last = id, len(recorded)
        self.blocks, self.events, self.failures = [], [], []
        self._runner = self._since = None
        outside = [order for order in recorded.orders if order.id == id and order.origin != "strategy"]
        rank = {"wire": 0, "manual": 1}
        script = [replace(event) for event in (*recorded.controls, *outside)]
        script.sort(key=lambda event: (event.seq, rank[event.origin] if event in outside else 1))
        self.account = Account(id, config.portfolio.initial_cash)
        self.loop = Loop(
            config, Market(config.model, config.schedule, SEED), self.account, script, self._emit
        )
        for stint in stints([event for event in recorded.members if event.id == id], self.last):
            self._carry_out(*stint)
        self.loop.run(self.last)
        self.unfilled, end = self.loop.finish(recorded.end.ts_sim)
        self.events += end

    def _emit(self, ticks, events):
        self.blocks.append(ticks)
        self.events += events

    def _carry_out(self, start, last):
        self.loop.run(start.seq - 1)
        if isinstance(start, Attach):
            books, kept, self._since = self.account.books, {}, start.seq
        else:
            old = self._runner.desk
            books, kept = old.books, old.state if start.keep_state else {}
        desk = Desk(books, self._prices(), **LIMITS)
        now = self.loop.quote.time
        self._runner = hire(desk, self.id, start.version, start.params, now=now, kept=kept)
        self.loop.run(last, turn=Turn(self._runner, self.failures.append))

    def _prices(self):
        return [
            price
            for ticks in self.blocks
            for n, price in enumerate(ticks.price.tolist(), ticks.first)
            if n >= self._since
        ]


def tell_again(recorded, config):
    """Return what the inputs in a recording lead to."""
    accounts = [Again(recorded, config, id) for id in recorded.accounts()]
    for account in accounts:
        assert account.failures == []
    outside = [order for order in recorded.orders if order.origin != "strategy"]
    given = [replace(event, end=False) for event in (*recorded.members, *recorded.controls, *outside)]
    events = sorted([*given, *(e for account in accounts for e in account.events)], key=lambda e: e.seq)
    loop_blocks = market_of(recorded, config) if not accounts else accounts[0].blocks
    made = Recording()
    last = len(recorded)
    for ticks in loop_blocks:
        upto = ticks.first + len(ticks.time)
        numbers = range(ticks.first, upto)
        columns = zip(numbers, ticks.time.tolist(), ticks.price.tolist(), ticks.x.tolist(), strict=True)
        happened = [Tick(seq=n, ts_sim=t, price=price, x=x) for n, t, price, x in columns]
        happened += [e for e in events if ticks.first <= e.seq < upto]
        for block in in_blocks(sorted(happened, key=lambda e: e.seq)):
            made.add(close(block))
    unfilled = sum(account.unfilled for account in accounts)
    end = End(seq=last + 1, ts_sim=recorded.end.ts_sim, unfilled=unfilled)
    made.add(close([*(e for e in events if e.seq > last), end]))
    return made


def market_of(recorded, config):
    """Return the ticks of a market without an account."""
    blocks = []
    script = [replace(event) for event in recorded.controls]
    market = Market(config.model, config.schedule, SEED)
    Loop(config, market, None, script, lambda ticks, _: blocks.append(ticks)).run(len(recorded))
    return blocks
