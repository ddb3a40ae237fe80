"""The one ordered loop: ticks, fills, books and the strategy's turn, for one account of a run.

Accounts do not interact, so a run of several is this loop once for each, over the same market. The live
engine carries the same steps between processes; the order within a tick is that of its protocol: commands
stamped before the tick, the tick, fills due by it, the books, then the strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from algosim.core.broker import Conditions, Quote
from algosim.core.desk import Desk
from algosim.core.strategy import check_ran
from algosim.core.ticks import shown
from algosim.events import Log, Order, Plot, Snapshot
from algosim.times import parse_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from algosim.config import Config
    from algosim.core.broker import Account
    from algosim.core.desk import Books, Request
    from algosim.core.lines import Pen
    from algosim.core.market import GivenMarket, Market, Ticks
    from algosim.core.strategy import Runner
    from algosim.events import Control, Event, Fill, Level

    Emit = Callable[[Ticks, list[Event]], None]

__all__ = ["Failure", "Loop", "Turn", "changed", "numbered", "spoken"]

NO_LIMIT = 2**62


def changed(config: Config, key: str, value: object) -> Config:
    """Return the configuration with one (resolved, checked) setting replaced."""
    block, _, field = key.partition(".")
    return msgspec.structs.replace(
        config, **{block: msgspec.structs.replace(getattr(config, block), **{field: value})}
    )


def numbered(account: Account, seq: int, requests: Sequence[Request], due: int) -> list[Order]:
    """Place what a strategy asked for at tick `seq` and return the orders, numbered."""
    orders = []
    for side, qty, tag in requests:
        order = Order(seq=seq, id=account.id, number=account.placed + 1, side=side, qty=qty, due=due, tag=tag)
        account.place(order)
        orders.append(order)
    return orders


def spoken(
    id: str, seq: int, plots: dict[str, float | None], logs: Sequence[tuple[Level, str]]
) -> list[Event]:
    """Return what a strategy drew and said at tick `seq` as events."""
    events: list[Event] = []
    if plots:
        events.append(Plot(seq=seq, id=id, values=plots))
    for level, text in logs:
        events.append(Log(seq=seq, id=id, text=text, level=level))
    return events


def _quote(ticks: Ticks, i: int, conditions: Conditions) -> Quote:
    return Quote(ticks.first + i, ticks.time.item(i), ticks.price.item(i), conditions)


class Failure(NamedTuple):
    """A strategy raised at tick `seq`; its orders of that tick do not count."""

    seq: int
    error: BaseException


class Turn(NamedTuple):
    """A strategy at work.

    `failed` is called at once if it raises, before the events of that block are emitted; `pen` notes its
    indicators at every tick.
    """

    runner: Runner
    failed: Callable[[Failure], None]
    pen: Pen | None = None


class Loop:
    """The market and one account of a run, moved on tick by tick.

    Parameters
    ----------
    config : Config
        As it was at the start of the run.
    market : Market or GivenMarket
        Before its first tick.
    account : Account or None
        None moves the market alone.
    script : sequence of Control and Order
        Commands in the order they were stamped; `seq` is the tick they act before. Controls set market,
        schedule and execution parameters; orders are this account's own manual and wire orders.
    emit : callable
        Called with ticks and the account's events of those ticks, in order.

    Attributes
    ----------
    config : Config
        As it is now.
    quote : Quote
        The last tick.
    """

    def __init__(
        self,
        config: Config,
        market: Market | GivenMarket,
        account: Account | None,
        script: Sequence[Control | Order],
        emit: Emit,
    ) -> None:
        self.config = config
        self.market = market
        self.account = account
        self.quote = Quote(0, 0, self.market.price, Conditions.of(config.execution))
        self._script = script
        self._next = 0
        self.emit = emit
        self._epoch = parse_epoch(config.run.epoch)
        self._mark = False

    def mark(self) -> None:
        """Take a snapshot of the books at the next tick, whatever its number."""
        self._mark = True

    def desk(self, prices: Sequence[float], books: Books | None = None) -> Desk:
        """Return the desk of a strategy that takes over the account now.

        A version that takes over from a running one goes on with that one's `books`: a sum of quantities
        depends on the order of its additions in the last digit.
        """
        assert self.account is not None
        return Desk(
            self.account.books if books is None else books,
            prices,
            max_position=self.config.portfolio.max_position,
            max_orders=self.config.limits.orders_per_tick,
        )

    def run(self, last: int = NO_LIMIT, t_end: int = NO_LIMIT, turn: Turn | None = None) -> None:
        """Move on to tick `last`, or to the last tick at or before `t_end` [ns], whichever comes first.

        From the tick after one at which the strategy raises, the account goes on without it.
        """
        while self.market.seq < last:
            self._commands()
            if self.market.peek_time() > t_end:
                break
            stop = self._script[self._next].seq - 1 if self._next < len(self._script) else last
            before = self.quote.time
            ticks = self.market.take(min(stop, last) - self.market.seq, t_end)
            events: list[Event] = []
            if turn is not None:
                failure = self._trade(ticks, before, turn, events)
                if failure is not None:
                    turn.failed(failure)
                    turn = None
                    self._settle(ticks, self._unmarked(failure.seq, events) - ticks.first, events)
            elif self.account is not None:
                self._settle(ticks, 0, events)
            self.quote = Quote(self.market.seq, self.market.time, self.market.price, self._conditions)
            self.emit(ticks, events)

    def end_time(self, last: int, t_end: int, ends_at: int | None) -> int:
        """Return the end of simulated time [ns] of a run that has come to its end.

        That is its duration, if it ended for that; else the time of its last tick. A recorded end
        (`ends_at`) is what it is.
        """
        if ends_at is not None:
            return ends_at
        return self.quote.time if t_end == NO_LIMIT or self.market.seq >= last else t_end

    def finish(self, t_end: int) -> tuple[int, list[Event]]:
        """Fill what is due by the end of simulated time; how many orders stay unfilled, and the events.

        Orders stamped after the last tick count too.
        """
        assert self.account is not None
        self._commands()
        quote, block = self.quote, self.quote.seq + 1
        events: list[Event] = list(
            self.account.clear(quote, Quote(quote.seq, t_end, quote.price, quote.conditions), block)
        )
        events.append(self.account.snapshot(block, t_end, quote.price))
        return len(self.account.open_orders), events

    def _commands(self) -> None:
        """Carry out what is stamped before the next tick."""
        upcoming = self.market.seq + 1
        while self._next < len(self._script) and self._script[self._next].seq <= upcoming:
            command = self._script[self._next]
            self._next += 1
            if isinstance(command, Order):
                if self.account is not None:
                    self.account.place(command)
            elif command.action == "set":
                self.config = changed(self.config, command.key, command.value)
                self.market.change(self.config.model, self.config.schedule)
        self._conditions = Conditions.of(self.config.execution)

    def _trade(self, ticks: Ticks, before: int, turn: Turn, events: list[Event]) -> Failure | None:
        """Take the account and its strategy through a block of ticks; the hot loop."""
        runner, pen = turn.runner, turn.pen
        desk, ctx, on_tick = runner.desk, runner.ctx, runner.hooks.on_tick
        account = self.account
        assert account is not None
        latency = self._conditions.latency_ns
        desk.expect(ticks.first, ticks.price)
        wake = self._wake(ticks, 0)
        present = desk.tick
        try:
            for tick in shown(ticks, before, self.config.model, self._epoch, present):
                if wake <= present["ts_sim"]:
                    i = present["seq"] - ticks.first
                    fills = self._clear(ticks, i, events)
                    if fills:
                        desk.filled(fills)
                    wake = self._wake(ticks, i + 1)
                if (result := on_tick(ctx, tick)) is not None:
                    check_ran(result, "on_tick")
                if desk.said:
                    due = present["ts_sim"] + latency
                    self._hear(turn, present["seq"], due, events)
                    wake = min(wake, account.next_due)
                elif pen is not None:
                    pen.note(present["seq"])
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the learner's code may raise anything)
            events += spoken(account.id, present["seq"], {}, desk.logs)
            return Failure(present["seq"], error)
        return None

    def _hear(self, turn: Turn, n: int, due: int, events: list[Event]) -> None:
        """Take the orders, points and lines that a strategy left at tick `n`."""
        desk, account = turn.runner.desk, self.account
        assert account is not None
        if desk.requests:
            events += numbered(account, n, desk.requests, due)
        plots = desk.plots
        if turn.pen is not None:
            if plots:
                plots = turn.runner.lines() | plots
            else:
                turn.pen.note(n)
        if plots or desk.logs:
            events += spoken(account.id, n, plots, desk.logs)
        desk.forget()

    def _unmarked(self, seq: int, events: list[Event]) -> int:
        """Ask for a snapshot at a cleared tick, unless there is one; return which tick to clear next."""
        if any(isinstance(event, Snapshot) and event.seq == seq for event in events):
            return seq + 1
        self.mark()
        return seq

    def _settle(self, ticks: Ticks, start: int, events: list[Event]) -> None:
        """Take the account alone through a block of ticks, from index `start` on."""
        wake = self._wake(ticks, start)
        for i, t in enumerate(ticks.time[start:].data, start):
            if wake <= t:
                self._clear(ticks, i, events)
                wake = self._wake(ticks, i + 1)

    def _clear(self, ticks: Ticks, i: int, events: list[Event]) -> list[Fill]:
        """Clear the account at tick `i` of a block and take the snapshot that is due."""
        account = self.account
        assert account is not None
        now = _quote(ticks, i, self._conditions)
        last = _quote(ticks, i - 1, self._conditions) if i > 0 else self.quote
        fills = account.clear(last, now, now.seq)
        events += fills
        events.append(account.snapshot(now.seq, now.time, now.price))
        self._mark = False
        return fills

    def _wake(self, ticks: Ticks, i: int) -> int:
        """Return the time [ns] from which the account must be cleared, at tick `i` of a block or later.

        That is when the next order is due, or the tick at which the next snapshot is, fills or not.
        """
        assert self.account is not None
        every = self.config.run.snapshot_every
        mark = i if self._mark else i + -(ticks.first + i) % every
        due = self.account.next_due
        if mark >= len(ticks.time):
            return due
        marked = ticks.time.item(mark)
        return marked if marked < due else due
