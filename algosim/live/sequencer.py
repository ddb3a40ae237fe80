"""The broker's order of events: when an account may be cleared, and when a tick's block is complete.

Pure: messages go in, messages come out; no socket, no clock. The rules are those of the lock-step protocol:
a tick is cleared for an account once every order that could fill by it is known, and a block is complete
once every account is cleared and every strategy has answered.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.core.blocks import close
from algosim.core.broker import Account, Conditions, Quote
from algosim.core.desk import Books
from algosim.core.engine import changed, numbered, spoken
from algosim.core.orders import clean_quantity, clean_side, clean_tag, exposure_fault, signed
from algosim.events import Attach, Control, Detach, End, Event, Fill, Log, Order, Remove, Tick, Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.config import Config
    from algosim.core.desk import Request

__all__ = ["Answer", "Cleared", "Ended", "ProtocolFault", "Sequencer", "Started"]


class ProtocolFault(Exception):
    """A party broke the protocol: a hole in a numbering, an answer to a question not asked."""


class Answer(NamedTuple):
    """A strategy's acknowledgement of one tick."""

    seq: int
    version: int
    code: str
    params: dict[str, Any]
    keep_state: bool
    orders: Sequence[Request]
    plots: dict[str, float | None]
    logs: Sequence[tuple[str, str]]


class Started(NamedTuple):
    """To a host: its account after tick `seq`, as its strategy is attached."""

    id: str
    seq: int
    time: int
    books: Books


class Cleared(NamedTuple):
    """To a host: its account has been cleared at tick `seq`."""

    id: str
    seq: int
    time: int
    fills: list[Fill]
    position: float
    cash: float


class Ended(NamedTuple):
    """To a host: the run is over; its account after the last fills."""

    id: str
    seq: int
    time: int
    fills: list[Fill]
    position: float
    cash: float


class _Member:
    """One account and, while it has one, its strategy."""

    def __init__(self, account: Account, after: int) -> None:
        self.account = account
        self.born = after + 1
        self.cleared = after
        self.attached = False
        self.owes = False
        """Whether answers are still expected: attached, or removed with answers outstanding."""
        self.version = 0
        self.last_ack = after
        self.unacked: deque[tuple[int, int]] = deque()
        self.marked = False


class Sequencer:
    """Orders what happens in a live run.

    Parameters
    ----------
    config : Config
        As it was at the start of the run.
    price : float
        The market's price at time 0.

    Attributes
    ----------
    outbox : deque
        What is to be sent, in order: Started, Cleared, Ended to hosts; lists of events, one per complete
        block, to the recorder.
    """

    def __init__(self, config: Config, price: float) -> None:
        self.config = config
        self.outbox: deque[Started | Cleared | Ended | list[Event]] = deque()
        self.members: dict[str, _Member] = {}
        self.last = 0
        self.complete = 0
        self.rejected = 0
        self._conditions = Conditions.of(config.execution)
        self._quotes: dict[int, Quote] = {0: Quote(0, 0, price, self._conditions)}
        self._parts: dict[int, list[Event]] = {}
        self._end: End | None = None
        self._finishing = False
        self._stopping: set[str] = set()

    def control(self, event: Control | Attach | Remove | Order | End) -> None:
        """Take a command from the tick stream, stamped before tick `event.seq`."""
        if event.seq != self.last + 1:
            msg = f"a command is stamped before tick {event.seq}, the next tick is {self.last + 1}"
            raise ProtocolFault(msg)
        if isinstance(event, End):
            self._end = event
        elif isinstance(event, Order):
            self._outside(event, self._quotes[self.last].time)
        else:
            self._part(event.seq).append(event)
            if isinstance(event, Attach):
                self._attach(event)
            elif isinstance(event, Remove):
                self.members[event.id].attached = False
                self.members[event.id].marked = True
            elif event.action == "set":
                self.config = changed(self.config, event.key, event.value)
                self._conditions = Conditions.of(self.config.execution)
        self._advance()

    def tick(self, seq: int, time: int, price: float, x: float) -> None:
        """Take the next tick from the stream."""
        if seq != self.last + 1:
            msg = f"tick {seq} came after tick {self.last}"
            raise ProtocolFault(msg)
        self.last = seq
        self._quotes[seq] = Quote(seq, time, price, self._conditions)
        self._part(seq).append(Tick(seq=seq, ts_sim=time, price=price, x=x))
        due = time + self._conditions.latency_ns
        for member in self.members.values():
            if member.attached:
                member.unacked.append((seq, due))
        self._advance()

    def answer(self, id: str, answer: Answer) -> None:  # noqa: A002
        """Take a strategy's acknowledgement.

        Raises
        ------
        ProtocolFault
            If it is not for the oldest tick that was cleared and not acknowledged, or an order in it is one
            that ``ctx`` would have refused.
        """
        member = self.members.get(id)
        if member is None or not member.unacked:
            if member is not None and not member.attached:
                return  # detached meanwhile; what it still says does not count
            msg = f"an acknowledgement of tick {answer.seq} that nobody asked for"
            raise ProtocolFault(msg)
        seq, due = member.unacked[0]
        if answer.seq != seq or seq > member.cleared:
            msg = f"tick {answer.seq} was acknowledged, tick {seq} was due"
            raise ProtocolFault(msg)
        self._check(member.account, answer.orders)
        member.unacked.popleft()
        member.last_ack = seq
        part = self._part(seq)
        if answer.version != member.version:
            member.version = answer.version
            part.append(
                Version(
                    seq=seq,
                    id=id,
                    version=answer.version,
                    code=answer.code,
                    params=answer.params,
                    keep_state=answer.keep_state,
                )
            )
        part += numbered(member.account, seq, answer.orders, due)
        part += spoken(id, seq, answer.plots, answer.logs)
        self._advance()

    def raw_order(self, id: str, side: object, qty: object, tag: object) -> str:  # noqa: A002
        """Take a raw client's order; return why it is refused, or ``""``."""
        if self.last == 0 or self._end is not None:
            return "no order is taken before the first tick or after the last"
        fault = self._outside(
            Order(seq=self.last + 1, id=id, number=0, side=side, qty=qty, due=0, tag=tag, origin="wire"),  # type: ignore[arg-type]
            self._quotes[self.last].time,
        )
        return fault

    def log(self, id: str, logs: Sequence[tuple[str, str]]) -> None:  # noqa: A002
        """Take lines that belong to no acknowledged tick; they go to the next block to be completed."""
        seq = self.complete + 1
        self._part(seq).extend(Log(seq=seq, id=id, text=text, level=level) for level, text in logs)  # type: ignore[arg-type]

    def detach(self, id: str, reason: str, error: str) -> None:  # noqa: A002
        """Let the run go on without a strategy; what it did not acknowledge never happened."""
        member = self.members.get(id)
        if member is None or not (member.attached or member.unacked):
            self._stopped(id)
            return
        seq = member.last_ack + 1
        self._part(seq).append(
            Detach(
                seq=seq, id=id, last_ack=member.last_ack, version=member.version, reason=reason, error=error
            )
        )
        member.attached = False
        member.unacked.clear()
        member.marked = True
        self._stopped(id)
        self._advance()

    def stopped(self, id: str, logs: Sequence[tuple[str, str]]) -> None:  # noqa: A002
        """Take a strategy's last lines: its ``on_stop`` has returned."""
        if id in self._stopping:
            self.log(id, logs)
            self._stopped(id)

    def _stopped(self, id: str) -> None:  # noqa: A002
        if id in self._stopping:
            self._stopping.discard(id)
            self._close_run()

    @property
    def ended(self) -> bool:
        """Whether the end block has been sent to the recorder."""
        return self._end is not None and self.complete > self.last

    def waiting_for(self) -> list[str]:
        """Return the strategies whose answer the oldest incomplete block waits for."""
        upcoming = self.complete + 1
        late = [id for id, member in self.members.items() if member.unacked and member.unacked[0][0] <= upcoming]
        return late or sorted(self._stopping)

    def _part(self, seq: int) -> list[Event]:
        return self._parts.setdefault(seq, [])

    def _attach(self, event: Attach) -> None:
        member = self.members.get(event.id)
        before = event.seq - 1
        if member is None:
            account = Account(event.id, self.config.portfolio.initial_cash)
            member = self.members[event.id] = _Member(account, before)
        if member.attached or member.unacked:
            msg = f"strategy {event.id!r} is attached already"
            raise ProtocolFault(msg)
        member.attached = member.marked = True
        member.version = event.version
        member.last_ack = before
        self.outbox.append(
            Started(event.id, before, self._quotes[before].time, member.account.books)
        )

    def _outside(self, order: Order, at: int) -> str:
        """Place a manual or raw order; return why it is refused, or ``""``."""
        member = self.members.get(order.id)
        account = member.account if member else Account(order.id, self.config.portfolio.initial_cash)
        try:
            request = (clean_side(order.side), clean_quantity(order.qty), clean_tag(order.tag))
            fault = self._exposure(account, request[0], request[1])
        except ValueError as error:
            fault = str(error)
        if fault:
            self.rejected += 1
            text = f"order rejected: {fault}"
            self._part(order.seq).append(Log(seq=order.seq, id=order.id, text=text, level="reject"))
            return fault
        if member is None:
            self.members[order.id] = _Member(account, self.last)
        order.side, order.qty, order.tag = request  # type: ignore[assignment]
        order.number, order.due = account.placed + 1, at + self._conditions.latency_ns
        account.place(order)
        self._part(order.seq).append(order)
        return ""

    def _exposure(self, account: Account, side: str, qty: float, committed: float | None = None) -> str:
        present = account.committed if committed is None else committed
        return exposure_fault(present, signed(side, qty), self.config.portfolio.max_position)

    def _check(self, account: Account, orders: Sequence[Request]) -> None:
        """Check again what ``ctx`` has checked; a difference means that the worker was tampered with."""
        committed = account.committed
        if len(orders) > self.config.limits.orders_per_tick:
            msg = f"{len(orders)} orders in one tick"
            raise ProtocolFault(msg)
        for side, qty, tag in orders:
            try:
                clean_side(side), clean_quantity(qty), clean_tag(tag)
            except ValueError as error:
                raise ProtocolFault(str(error)) from error
            fault = self._exposure(account, side, qty, committed)
            if fault:
                raise ProtocolFault(fault)
            committed += signed(side, qty)

    def _advance(self) -> None:
        """Clear what can be cleared, complete what is complete."""
        for member in self.members.values():
            while member.cleared < self.last and self._may_clear(member, member.cleared + 1):
                self._clear(member, member.cleared + 1)
        while self.complete < self.last and self._is_complete(self.complete + 1):
            self.complete += 1
            self.outbox.append(close(self._parts.pop(self.complete)))
            self._quotes.pop(self.complete - 1, None)
        if self._end is not None and self.complete == self.last and not self._finishing:
            self._finish(self._end)

    def _may_clear(self, member: _Member, seq: int) -> bool:
        """Whether every order that could fill by tick `seq` is known: no open answer is to an earlier tick
        whose orders could be due by then.
        """
        time = self._quotes[seq].time
        for tick, due in member.unacked:
            if tick >= seq:
                break
            if due <= time:
                return False
        return True

    def _clear(self, member: _Member, seq: int) -> None:
        account, now = member.account, self._quotes[seq]
        fills = account.clear(self._quotes[seq - 1], now, seq)
        member.cleared = seq
        part = self._part(seq)
        part += fills
        if fills or member.marked or seq % self.config.run.snapshot_every == 0:
            part.append(account.snapshot(seq, now.time, now.price))
            member.marked = False
        if member.attached or member.unacked:
            books = account.portfolio
            self.outbox.append(Cleared(account.id, seq, now.time, fills, books.position, books.cash))

    def _is_complete(self, seq: int) -> bool:
        return all(
            member.cleared >= seq and not (member.unacked and member.unacked[0][0] <= seq)
            for member in self.members.values()
        )

    def _finish(self, end: End) -> None:
        """Fill what is due by the end of simulated time and ask the strategies to stop."""
        self._finishing = True
        last = self._quotes[self.last]
        block = self._part(end.seq)
        for member in self.members.values():
            account = member.account
            fills = account.clear(last, last._replace(time=end.ts_sim), end.seq)
            block += fills
            block.append(account.snapshot(end.seq, end.ts_sim, last.price))
            end.unfilled += len(account.open_orders)
            if member.attached:
                books = account.portfolio
                self._stopping.add(account.id)
                self.outbox.append(
                    Ended(account.id, end.seq, end.ts_sim, fills, books.position, books.cash)
                )
        self._close_run()

    def _close_run(self) -> None:
        if not self._stopping and self._end is not None:
            self.complete = self._end.seq
            self.outbox.append(close([*self._parts.pop(self._end.seq), self._end]))
