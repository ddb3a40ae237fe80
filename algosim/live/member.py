"""One account of a live run and its strategy: how far it is cleared, and which answers are still open."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from algosim.core.orders import clean_quantity, clean_side, clean_tag, exposure_fault, signed
from algosim.live.turns import ProtocolFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.config import Config
    from algosim.core.broker import Account
    from algosim.core.desk import Request
    from algosim.live.turns import Answer

__all__ = ["Member"]


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
    marked : bool
        Whether the next clearing takes a snapshot, fills or not.
    """

    def __init__(self, account: Account, after: int) -> None:
        self.account = account
        self.cleared = after
        self.attached = False
        self.joined = 0
        self.version = 0
        self.last_ack = after
        self.marked = False
        self._open: deque[tuple[int, int]] = deque()

    @property
    def present(self) -> bool:
        """Whether it has a strategy that is attached, or was removed with answers still to come."""
        return self.attached or bool(self._open)

    def attach(self, version: int, before: int) -> None:
        """Give the account to a strategy from the tick after `before` on."""
        self.joined = self.version = version
        self.last_ack = before
        self.attached = self.marked = True

    def leave(self) -> None:
        """Expect answers up to the present tick, and no more."""
        self.attached, self.marked = False, True

    def detach(self) -> None:
        """Expect no answer any more."""
        self.leave()
        self._open.clear()

    def ask(self, seq: int, due: int) -> None:
        """Expect an answer to tick `seq`, the orders in it due at `due` [ns]."""
        if self.attached:
            self._open.append((seq, due))

    def owes(self, seq: int) -> bool:
        """Whether an answer to tick `seq` or an earlier one is still to come."""
        return bool(self._open) and self._open[0][0] <= seq

    def may_clear(self, seq: int, time: int) -> bool:
        """Whether every order is known that can fill by tick `seq` at `time` [ns].

        An order fills after the tick it was placed at, so what has to be known is the answer to each earlier
        tick from which an order would be due by then; later ones may still be open.
        """
        for tick, due in self._open:
            if tick >= seq:
                break
            if due <= time:
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
        seq, due = self._open[0] if self._open else (0, 0)
        if answer.seq != seq or seq > self.cleared:
            msg = f"tick {answer.seq} was acknowledged, tick {seq or self.cleared + 1} was due"
            raise ProtocolFault(msg)
        self._check(answer.orders, config)
        self._open.popleft()
        self.last_ack = seq
        return due

    def _check(self, orders: Sequence[Request], config: Config) -> None:
        """Check again what ``ctx`` has checked; a difference means that the worker was tampered with."""
        committed = self.account.committed
        if len(orders) > config.limits.orders_per_tick:
            msg = f"{len(orders)} orders in one tick"
            raise ProtocolFault(msg)
        for side, qty, tag in orders:
            try:
                change = signed(clean_side(side), clean_quantity(qty))
                clean_tag(tag)
            except ValueError as error:
                raise ProtocolFault(str(error)) from error
            fault = exposure_fault(committed, change, config.portfolio.max_position)
            if fault:
                raise ProtocolFault(fault)
            committed += change
