"""A run of one account whose strategy is written in the test: the loop of the core, without processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from algosim.config import Config
from algosim.core.broker import Account
from algosim.core.engine import Failure, Loop, Turn
from algosim.core.lines import Pen
from algosim.core.market import Market
from algosim.core.strategy import Hooks, Runner, strategy_seed
from algosim.events import Event, Fill, Log, Order, Plot, Snapshot
from algosim.settings import with_settings

if TYPE_CHECKING:
    from algosim.core.market import Ticks

QUIET = {"slippage_bps": 0.0, "commission_bps": 0.0}
"""Settings without costs."""


class Session:
    """A loop with one account, and what came of it so far.

    Prices, times and states are those of all ticks; `events` are the account's, in order.
    """

    def __init__(self, config=None, *, seed=1, script=(), id="a", **settings):
        self.config = with_settings(config or Config(), settings)
        self.seed, self.id = seed, id
        self.account = Account(id, self.config.portfolio.initial_cash)
        self.blocks: list[Ticks] = []
        self.events: list[Event] = []
        self.failures: list[Failure] = []
        self.loop = Loop(
            self.config,
            Market(self.config.model, self.config.schedule, seed),
            self.account,
            list(script),
            self._emit,
        )

    def _emit(self, ticks, events):
        self.blocks.append(ticks)
        self.events += events

    def hire(self, on_tick, *, init=None, on_stop=None, params=None, kept=None, version=1):
        """Return a strategy at this account, its ``init`` done."""
        hooks = Hooks("test", dict(params or {}), on_tick, init, on_stop)
        seed = strategy_seed(self.seed, self.id, version)
        desk = self.loop.desk(self.prices.tolist())
        runner = Runner(hooks, desk, params={}, rng_seed=seed, kept=kept or {})
        runner.start(self.loop.quote.time)
        return runner

    def run(self, last, runner=None, *, lines=False):
        """Move on to tick `last`, with a strategy or without."""
        pen = Pen(self.id, runner) if lines else None
        turn = None if runner is None else Turn(runner, self.failures.append, pen)
        self.loop.run(last, turn=turn)
        if pen is not None:
            self.events += [plot for part in pen.take() for plot in part.plots()]
        return self

    def kind(self, cls):
        return [event for event in self.events if isinstance(event, cls)]

    @property
    def orders(self):
        return self.kind(Order)

    @property
    def fills(self):
        return self.kind(Fill)

    @property
    def snapshots(self):
        return self.kind(Snapshot)

    @property
    def plots(self):
        return self.kind(Plot)

    def said(self, level):
        return [(event.seq, event.text) for event in self.kind(Log) if event.level == level]

    def _column(self, name):
        return np.concatenate([np.empty(0), *(getattr(block, name) for block in self.blocks)])

    @property
    def prices(self):
        return self._column("price")

    @property
    def times(self):
        return self._column("time").astype(np.int64)


def trade(on_tick, n=10, *, init=None, params=None, kept=None, lines=False, script=(), **settings):
    """Run a strategy for `n` ticks, 200 ms apart, without costs or latency unless `settings` say so."""
    chosen = {"mode": "fixed", "latency_ms": 0.0, **QUIET, **settings}
    session = Session(script=script, **chosen)
    return session.run(n, session.hire(on_tick, init=init, params=params, kept=kept), lines=lines)
