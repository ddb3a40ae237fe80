"""The broker's order of events: when an account may be cleared, and when a tick's block is complete.

Pure: messages go in, messages come out; no socket, no clock. The rules are those of the lock-step protocol:
a tick is cleared for an account once every order that could fill by it is known, and a block is complete
once every account is cleared and every strategy has answered.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from algosim.core.blocks import close
from algosim.core.broker import Account, Conditions, Quote
from algosim.core.engine import changed, numbered, spoken
from algosim.events import Attach, Control, End, Event, Level, Order, Remove, Tick
from algosim.live.member import Member
from algosim.live.turns import Answer, Cleared, Ended, ProtocolFault, Started

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.config import Config

__all__ = ["Answer", "Cleared", "Ended", "ProtocolFault", "Sequencer", "Started"]


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
    members : dict of str to Member
        Accounts by id, in the order in which they came.
    last : int
        The last tick that came.
    complete : int
        The last block that was sent to the recorder.
    rejected : int
        Orders that were refused: those from outside, and those of which strategies' answers tell.
    """

    def __init__(self, config: Config, price: float) -> None:
        self.config = config
        self.outbox: deque[Started | Cleared | Ended | list[Event]] = deque()
        self.members: dict[str, Member] = {}
        self.last = 0
        self.complete = 0
        self.rejected = 0
        self._conditions = Conditions.of(config.execution)
        self._quotes: dict[int, Quote] = {0: Quote(0, 0, price, self._conditions)}
        self._parts: dict[int, list[Event]] = {}
        self._early: dict[tuple[str, int], tuple[str, str]] = {}
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
            self._outside(event, self._conditions)
        else:
            self._part(event.seq).append(event)
            self._carry_out(event)
        self._advance()

    def tick(self, seq: int, time: int, price: float, x: float) -> None:
        """Take the next tick from the stream."""
        if seq != self.last + 1:
            msg = f"tick {seq} came after tick {self.last}"
            raise ProtocolFault(msg)
        self.last = seq
        self._quotes[seq] = Quote(seq, time, price, self._conditions)
        self._part(seq).append(Tick(seq=seq, ts_sim=time, price=price, x=x))
        for member in self.members.values():
            member.ask(seq, time + self._conditions.latency_ns)
        self._advance()

    def answer(self, id: str, answer: Answer) -> None:
        """Take a strategy's acknowledgement.

        What a detached strategy, or a version before the one that is attached now, still says is passed over.

        Raises
        ------
        ProtocolFault
            If it is not for the oldest tick that was cleared and not acknowledged, or an order in it is one
            that ``ctx`` would have refused.
        """
        member = self.members.get(id)
        if member is None or not member.joined:
            msg = f"an acknowledgement of tick {answer.seq} that nobody asked for"
            raise ProtocolFault(msg)
        if not member.present or answer.version < member.version:
            return
        due, seq = member.take(answer, self.config), answer.seq
        part = self._part(seq)
        if answer.version != member.version:
            member.version = answer.version
            part.append(answer.reload(id))
        part += numbered(member.account, seq, answer.orders, due)
        part += spoken(id, seq, answer.plots, answer.logs)
        self.rejected += sum(level == "reject" for level, _ in answer.logs)
        self._advance()

    def raw_order(self, id: str, side: object, qty: object, tag: object) -> str:
        """Take a raw client's order; return why it is refused, or ``""``.

        It stands before the commands that are stamped before the same tick.
        """
        if self.last == 0 or self._end is not None:
            return "no order is taken before the first tick or after the last"
        order = Order(seq=self.last + 1, id=id, number=0, side=side, qty=qty, due=0, tag=tag, origin="wire")  # type: ignore[arg-type]
        return self._outside(order, self._quotes[self.last].conditions)

    def log(self, id: str, logs: Sequence[tuple[Level, str]]) -> None:
        """Take lines that belong to no acknowledged tick; they go to that which is to be acknowledged."""
        member = self.members.get(id)
        seq = self.complete + 1 if member is None or not member.present else member.last_ack + 1
        self._part(seq).extend(spoken(id, seq, {}, logs))

    def detach(self, id: str, reason: str, error: str, version: int | None = None) -> None:
        """Let the run go on without a strategy; what it did not acknowledge never happened.

        Parameters
        ----------
        id, reason, error : str
        version : int, optional
            The version whose attach this ends. Attaches come in the tick stream and this does not: it is kept
            if it comes before its attach, and passed over if the next attach has come before it.
        """
        member = self.members.get(id)
        joined = 0 if member is None else member.joined
        if version is not None and version > joined:
            self._early[id, version] = (reason, error)
        elif member is not None and version in (None, joined):
            if id in self._stopping:  # it has had its last tick
                self.stopped(id, [("error", error)])
            else:
                self._detach(member, reason, error)
                self._advance()

    def stopped(self, id: str, logs: Sequence[tuple[Level, str]]) -> None:
        """Take a strategy's last lines: its ``on_stop`` has returned."""
        if id in self._stopping:
            self.log(id, logs)
            self._stopping.discard(id)
            self.members[id].attached = False
            self._close_run()

    @property
    def ended(self) -> bool:
        """Whether the end block has been sent to the recorder."""
        return self._end is not None and self.complete > self.last

    def waiting_for(self) -> list[str]:
        """Return the strategies whose answer the oldest incomplete block waits for."""
        late = [id for id, member in self.members.items() if member.owes(self.complete + 1)]
        return late or sorted(self._stopping)

    def _part(self, seq: int) -> list[Event]:
        return self._parts.setdefault(seq, [])

    def _carry_out(self, event: Control | Attach | Remove) -> None:
        if isinstance(event, Attach):
            self._attach(event)
        elif isinstance(event, Remove):
            self.members[event.id].leave(event.seq)
        elif event.action == "set":
            self.config = changed(self.config, event.key, event.value)
            self._conditions = Conditions.of(self.config.execution)

    def _attach(self, event: Attach) -> None:
        member = self.members.setdefault(event.id, self._new_member(event.id))
        if member.attached and event.version <= member.joined:
            msg = f"strategy {event.id!r} is attached already"
            raise ProtocolFault(msg)
        # The notice that the version before has gone may still be on its way.
        self._detach(member, "replaced", "")
        self._advance()
        member.attach(event.version, self.last)
        notice = self._early.pop((event.id, event.version), None)
        if notice is not None:
            self._detach(member, *notice)
        else:
            at = self._quotes[self.last]
            self.outbox.append(Started(event.id, at.seq, at.time, member.account.books))

    def _detach(self, member: Member, reason: str, error: str) -> None:
        if member.present:
            self._part(member.last_ack + 1).extend(member.detach(reason, error))

    def _outside(self, order: Order, conditions: Conditions) -> str:
        """Place a manual or raw order; return why it is refused, or ``""``."""
        member = self.members.get(order.id) or self._new_member(order.id)
        due = self._quotes[self.last].time + conditions.latency_ns
        fault = member.place(order, due, self.config.portfolio.max_position)
        part = self._part(order.seq)
        if fault:
            self.rejected += 1
            part += spoken(order.id, order.seq, {}, [("reject", f"order rejected: {fault}")])
        else:
            self.members[order.id] = member
            part.append(order)
        return fault

    def _new_member(self, id: str) -> Member:
        return Member(Account(id, self.config.portfolio.initial_cash), self.last)

    def _advance(self) -> None:
        """Clear what can be cleared, complete what is complete."""
        for member in self.members.values():
            while member.cleared < self.last and member.may_clear(self._quotes[member.cleared + 1]):
                self._clear(member, self._quotes[member.cleared + 1])
        while self.complete < self.last and self._is_complete(self.complete + 1):
            self.complete += 1
            self.outbox.append(close(self._parts.pop(self.complete)))
            self._quotes.pop(self.complete - 1, None)
        if self._end is not None and self.complete == self.last and not self._finishing:
            self._finish(self._end)

    def _clear(self, member: Member, now: Quote) -> None:
        account, seq = member.account, now.seq
        fills = account.clear(self._quotes[seq - 1], now, seq)
        member.cleared = seq
        part = self._part(seq)
        part += fills
        snapshot = account.snapshot(seq, now.time, now.price)
        if fills or seq in member.marks or seq % self.config.run.snapshot_every == 0:
            part.append(snapshot)
        elif member.present:
            member.spare[seq] = snapshot
        member.marks.discard(seq)
        if member.present or fills:  # fills of an account without a strategy are for those who watch
            self.outbox.append(member.frame(Cleared, seq, now.time, fills))

    def _is_complete(self, seq: int) -> bool:
        return all(member.cleared >= seq and not member.owes(seq) for member in self.members.values())

    def _finish(self, end: End) -> None:
        """Fill what is due by the end of simulated time and ask the strategies to stop."""
        self._finishing = True
        last = self._quotes[self.last]
        block = self._part(end.seq)
        for member in self.members.values():
            account = member.account
            fills = account.clear(last, Quote(last.seq, end.ts_sim, last.price, last.conditions), end.seq)
            block += fills
            block.append(account.snapshot(end.seq, end.ts_sim, last.price))
            end.unfilled += len(account.open_orders)
            if member.attached:
                self._stopping.add(account.id)
                self.outbox.append(member.frame(Ended, end.seq, end.ts_sim, fills))
        self._close_run()

    def _close_run(self) -> None:
        if not self._stopping and self._end is not None:
            self.complete = self._end.seq
            self.outbox.append(close([*self._parts.pop(self._end.seq), self._end]))
