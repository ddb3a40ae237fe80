"""The broker's side of one account: orders wait out their latency, then fill, and the books follow."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from algosim.core.desk import Books
from algosim.core.market import milliseconds_to_ns
from algosim.core.orders import signed
from algosim.core.portfolio import Portfolio
from algosim.events import Fill, Order, Snapshot

if TYPE_CHECKING:
    from algosim.config import Execution

__all__ = ["Account", "AccountState", "Conditions", "Quote"]

NEVER = 2**63 - 1


class Conditions(NamedTuple):
    """Latency and costs in force at a tick."""

    latency_ns: int
    slippage_bps: float
    commission_bps: float
    commission_fixed: float

    @classmethod
    def of(cls, execution: Execution) -> Conditions:
        """Return the conditions of a configuration's ``execution`` block."""
        return cls(
            milliseconds_to_ns(execution.latency_ms),
            execution.slippage_bps,
            execution.commission_bps,
            execution.commission_fixed,
        )


class Quote(msgspec.Struct, frozen=True, gc=False):
    """One tick as an order meets it: number, simulated time [ns], price, conditions."""

    seq: int
    time: int
    price: float
    conditions: Conditions


class AccountState(msgspec.Struct):
    """An account between two ticks, as it is handed from one process to the next."""

    portfolio: Portfolio
    committed: float
    placed: int
    open_orders: list[Order]


class Account:
    """Orders, fills and books of one strategy or person. Accounts do not interact.

    Parameters
    ----------
    id : str
    initial_cash : float

    Attributes
    ----------
    portfolio : Portfolio
    committed : float
        Sum of all orders placed, signed: the position when everything in flight has filled.
    next_due : int
        Earliest due time among open orders [ns], or the largest int64.
    """

    def __init__(self, id: str, initial_cash: float) -> None:
        self.id = id
        self.portfolio = Portfolio(initial_cash)
        self.committed = 0.0
        self.next_due = NEVER
        self.placed = 0
        self._open: list[tuple[int, int, Order]] = []

    @property
    def open_orders(self) -> list[Order]:
        """Orders that have not filled, by due time and number."""
        return [order for _, _, order in self._open]

    @property
    def pending(self) -> float:
        """Signed quantity in flight."""
        return sum((signed(order.side, order.qty) for _, _, order in self._open), 0.0)

    @property
    def state(self) -> AccountState:
        """All that another Account needs to go on from here."""
        return AccountState(self.portfolio, self.committed, self.placed, self.open_orders)

    @property
    def books(self) -> Books:
        """The account as its strategy knows it."""
        held = self.portfolio
        return Books(held.position, held.cash, self.pending, len(self._open), self.committed)

    @classmethod
    def resume(cls, id: str, state: AccountState) -> Account:
        """Return an account that goes on from a state."""
        account = cls(id, state.portfolio.cash)
        account.portfolio = state.portfolio
        for order in state.open_orders:
            account.place(order)
        account.committed, account.placed = state.committed, state.placed
        return account

    def place(self, order: Order) -> None:
        """Take an order that has been checked and numbered."""
        insort(self._open, (order.due, order.number, order))
        self.placed = order.number
        self.committed += signed(order.side, order.qty)
        self.next_due = self._open[0][0]

    def clear(self, last: Quote, now: Quote, block: int) -> list[Fill]:
        """Fill every order due by `now`, each at the last tick at or before its due time.

        `last` is the tick before `now`: an order due before it was filled when it was cleared. The fills
        belong to block number `block`.
        """
        fills = []
        while self.next_due <= now.time:
            due, _, order = self._open.pop(0)
            self.next_due = self._open[0][0] if self._open else NEVER
            fills.append(self._fill(order, due, now if due == now.time else last, block))
        return fills

    def _fill(self, order: Order, due: int, quote: Quote, block: int) -> Fill:
        terms = quote.conditions
        change = signed(order.side, order.qty)
        worse = 1e-4 * terms.slippage_bps
        price = quote.price * (1.0 + worse if change > 0.0 else 1.0 - worse)
        commission = terms.commission_fixed + 1e-4 * terms.commission_bps * (order.qty * price)
        books = self.portfolio
        profit = books.apply(change, price, commission)
        return Fill(
            seq=block,
            id=self.id,
            number=order.number,
            side=order.side,
            qty=order.qty,
            ts_sim=due,
            at=quote.seq,
            price=price,
            slippage_bps=terms.slippage_bps,
            commission=commission,
            realized=profit,
            position=books.position,
            cash=books.cash,
            tag=order.tag,
        )

    def snapshot(self, seq: int, time: int, price: float) -> Snapshot:
        """Return the books marked at a price."""
        books = self.portfolio
        return Snapshot(
            seq=seq,
            id=self.id,
            ts_sim=time,
            position=books.position,
            cash=books.cash,
            price=price,
            realized=books.realized,
            unrealized=books.unrealized(price),
            equity=books.equity(price),
        )
