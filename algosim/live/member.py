"""One account of a live run and its strategy: how far it is cleared, and which answers are still open."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

from algosim.core.desk import Request
from algosim.core.orders import clean_quantity, clean_side, clean_tag, exposure_fault, signed
from algosim.events import Detach
from algosim.live.turns import Cleared, Ended, ProtocolFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.config import Config
    from algosim.core.broker import Account, Quote
    from algosim.events import Fill, Order, Snapshot
    from algosim.live.turns import Answer

__all__ = ["Member"]

Frame = TypeVar("Frame", Cleared, Ended)


class Member:
    """One account and, while it has one, its strategy.

    Parameters
    ----------
    account : Account
    after : int
        The last tick before the account was there.

    Attributes
    ----------
    cleared : int
        The last tick that the account was cleared at.
    attached : bool
        Whether the next tick is for its strategy.
    joined : int
        The version that the last attach named; 0 if no strategy has had the account.
    version : int
        The version that answered last, or is to answer first.
    last_ack : int
        The last tick that its strategy acknowledged, or the one before it was attached.
    unanswered : deque of (int, int)
        Ticks that its strategy has yet to acknowledge, each with the time at which its orders are due [ns].
    marks : set of int
        Ticks at whose clearing a snapshot is due, fills or not.
    spare : dict of int to Snapshot
        Snapshots of the clearings since `last_ack` that were not due: one is, if it is detached there.
    """

    def __init__(self, account: Account, after: int) -> None:
        self.account = account
        self.cleared = after
        self.attached = False
        self.joined = 0
        self.version = 0
        self.last_ack = after
        self.marks: set[int] = set()
        self.spare: dict[int, Snapshot] = {}
        self.unanswered: deque[tuple[int, int]] = deque()

    @property
    def present(self) -> bool:
        """Whether it has a strategy that is attached, or was removed with answers still to come."""
        return self.attached or bool(self.unanswered)

    def attach(self, version: int, before: int) -> None:
        """Give the account to a strategy from the tick after `before` on."""
        self.joined = self.version = version
        self.last_ack = before
        self.attached = True
        self.marks.add(before + 1)

    def leave(self, before: int) -> None:
        """Expect answers to ticks before this one, and no more."""
        self.attached = False
        self.marks.add(before)

    def detach(self, reason: str, error: str) -> list[Detach | Snapshot]:
        """Expect no answer any more; return the event that says so, and the snapshot that is due there."""
        seq = self.last_ack + 1
        self.leave(seq)
        self.unanswered.clear()
        due = self.spare.pop(seq, None)
        self.spare.clear()
        detach = Detach(
            seq=seq,
            id=self.account.id,
            last_ack=self.last_ack,
            version=self.version,
            reason=reason,
            error=error,
        )
        return [detach] if due is None else [detach, due]

    def ask(self, seq: int, due: int) -> None:
        """Expect an answer to tick `seq`, the orders in it due at `due` [ns]."""
        if self.attached:
            self.unanswered.append((seq, due))

    def frame(self, kind: type[Frame], seq: int, time: int, fills: list[Fill]) -> Frame:
        """Return what tells its strategy's host of fills and the books after them."""
        books = self.account.portfolio
        return kind(self.account.id, seq, time, fills, books.position, books.cash)

    def owes(self, seq: int) -> bool:
        """Whether an answer to tick `seq` or an earlier one is still to come."""
        return bool(self.unanswered) and self.unanswered[0][0] <= seq

    def may_clear(self, now: Quote) -> bool:
        """Whether every order is known that can fill at the clearing of a tick.

        That needs the answer to each earlier tick from which orders are due by then, and no other: an order
        fills after the tick it was placed at.
        """
        for seq, due in self.unanswered:
            if seq >= now.seq:
                break
            if due <= now.time:
                return False
        return True

    def take(self, answer: Answer, config: Config) -> int:
        """Take an answer; return when its orders are due [ns].

        Raises
        ------
        ProtocolFault
            If it is not for the oldest tick that was cleared and not acknowledged, or an order in it is one
            that ``ctx`` would have refused.
        """
        if not self.owes(self.cleared) or answer.seq != self.last_ack + 1:
            asked = f"tick {self.last_ack + 1}" if self.owes(self.cleared) else "none"
            msg = f"tick {answer.seq} was acknowledged, {asked} was to be"
            raise ProtocolFault(msg)
        self._check(answer.orders, config)
        self.last_ack, due = self.unanswered.popleft()
        self.spare.pop(self.last_ack, None)
        return due

    def place(self, order: Order, due: int, limit: float) -> str:
        """Place an order from outside, due at `due` [ns]; return why it is refused, or ``""``."""
        if self.joined:
            return f"{order.id!r} is a strategy's account; orders from outside have accounts of their own"
        try:
            request = _cleaned(order.side, order.qty, order.tag)
        except ValueError as error:
            return str(error)
        fault = exposure_fault(self.account.committed, signed(request.side, request.qty), limit)
        if not fault:
            order.side, order.qty, order.tag = request
            order.number, order.due = self.account.placed + 1, due
            self.account.place(order)
        return fault

    def _check(self, orders: Sequence[Request], config: Config) -> None:
        """Check again what ``ctx`` has checked; a difference means that the worker was tampered with."""
        committed = self.account.committed
        if len(orders) > config.limits.orders_per_tick:
            msg = f"{len(orders)} orders in one tick"
            raise ProtocolFault(msg)
        for order in orders:
            try:
                request = _cleaned(*order)
            except ValueError as error:
                raise ProtocolFault(str(error)) from error
            change = signed(request.side, request.qty)
            fault = exposure_fault(committed, change, config.portfolio.max_position)
            if fault:
                raise ProtocolFault(fault)
            committed += change


def _cleaned(side: object, qty: object, tag: object) -> Request:
    """Return an order's fields as they are to be, or raise ValueError with the remedy."""
    return Request(clean_side(side), clean_quantity(qty), clean_tag(tag))
