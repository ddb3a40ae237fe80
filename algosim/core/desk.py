"""What stands behind a strategy's ``ctx``: its account as it sees it, and what it asked for at this tick."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.core.orders import clean_quantity, clean_side, clean_tag, exposure_fault, signed
from algosim.errors import StrategyError
from algosim.events import Side  # noqa: TC001  (msgspec reads the annotation)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from algosim.events import Fill, Level

__all__ = ["HISTORY", "Books", "Desk", "Request", "clean_text"]

HISTORY = 10_000
"""Prices that a strategy can look back; a fixed number, so that live and replayed runs agree."""

MAX_TEXT = 2_000

NO_ORDERS = "orders can be placed in on_tick only, not in init or on_stop"


class Request(NamedTuple):
    """An order as the strategy asked for it: checked, not numbered yet."""

    side: Side
    qty: float
    tag: str


class Books(NamedTuple):
    """What a strategy knows of its account when a version of it starts.

    `committed` is the sum of all orders ever placed, signed; `in_flight` counts the open ones.
    """

    position: float
    cash: float
    pending: float = 0.0
    in_flight: int = 0
    committed: float = 0.0


def clean_text(text: str) -> str:
    """Return text that UTF-8 can write, cut at 2,000 characters."""
    written = text.encode("utf-8", "backslashreplace").decode()
    return written if len(written) <= MAX_TEXT else written[:MAX_TEXT] + " ..."


class Desk:
    """A strategy's present: the loop moves it on, ``ctx`` reads it and leaves requests.

    Parameters
    ----------
    books : Books
    prices : sequence of float
        Prices that the account's strategy saw before.
    max_position : float
        Limit on position plus pending.
    max_orders : int
        Limit on orders per tick.
    """

    __slots__ = (
        "cash",
        "committed",
        "in_flight",
        "logs",
        "max_orders",
        "max_position",
        "pending",
        "plots",
        "position",
        "prices",
        "requests",
        "said",
        "skipped",
        "state",
        "tick",
        "trading",
    )

    def __init__(
        self, books: Books, prices: Sequence[float], *, max_position: float, max_orders: int
    ) -> None:
        self.position, self.cash, self.pending, self.in_flight, self.committed = books
        self.max_position = max_position
        self.max_orders = max_orders
        self.prices = array("d", prices)
        self.skipped = 0
        price = self.prices[-1] if self.prices else math.nan
        self.tick: dict[str, Any] = {"ts": 0, "ts_sim": 0, "seq": len(self.prices), "price": price}
        self.trading = False
        self.requests: list[Request] = []
        self.plots: dict[str, float | None] = {}
        self.logs: list[tuple[Level, str]] = []
        self.said = False
        self.state: dict[str, Any] = {}

    @property
    def now(self) -> int:
        """Simulated time [ns]."""
        return int(self.tick["ts_sim"])

    @now.setter
    def now(self, time: int) -> None:
        self.tick["ts_sim"] = time

    @property
    def price(self) -> float:
        """Price of the present tick."""
        return float(self.tick["price"])

    @price.setter
    def price(self, price: float) -> None:
        self.tick["price"] = price

    @property
    def seen(self) -> int:
        """How many of `prices` are not in the future."""
        return int(self.tick["seq"]) - self.skipped

    @seen.setter
    def seen(self, count: int) -> None:
        self.tick["seq"] = count + self.skipped

    def expect(self, first: int, prices: NDArray[np.float64]) -> None:
        """Take the prices of the ticks to come, from number `first` on."""
        if len(self.prices) > 8 * HISTORY:
            self.trim()
        self.skipped = first - 1 - self.seen
        self.prices.frombytes(prices.tobytes())

    @property
    def books(self) -> Books:
        """The account as the strategy knows it."""
        return Books(self.position, self.cash, self.pending, self.in_flight, self.committed)

    def filled(self, fills: Sequence[Fill]) -> None:
        """Follow the account through the fills of one clearing."""
        for fill in fills:
            self.pending -= signed(fill.side, fill.qty)
        self.in_flight -= len(fills)
        if self.in_flight == 0:
            self.pending = 0.0
        self.position, self.cash = fills[-1].position, fills[-1].cash

    def order(self, side: object, qty: object, tag: object) -> bool:
        """Check an order and keep it for this tick; a bad one is explained in the log.

        Raises
        ------
        StrategyError
            Outside ``on_tick``.
        """
        if not self.trading:
            raise StrategyError(NO_ORDERS)
        try:
            clean = clean_side(side), clean_quantity(qty)
        except ValueError as error:
            return self.reject(str(error))
        return self.trade(signed(*clean), tag)

    def trade(self, change: float, tag: object) -> bool:
        """Keep an order that changes the position by a finite `change`, not 0, if nothing speaks against it.

        Raises
        ------
        StrategyError
            Outside ``on_tick``.
        """
        if not self.trading:
            raise StrategyError(NO_ORDERS)
        try:
            note = "" if tag is None else clean_tag(tag)
        except ValueError as error:
            return self.reject(str(error))
        fault = exposure_fault(self.committed, change, self.max_position)
        if fault:
            fault += "; orders in flight count: use ctx.target(), or look at ctx.pending()"
        elif len(self.requests) >= self.max_orders:
            fault = f"more than {self.max_orders} orders in one tick (limits.orders_per_tick)"
        if fault:
            return self.reject(fault)
        self.said = True
        self.requests.append(Request("BUY" if change > 0.0 else "SELL", abs(change), note))
        self.committed += change
        self.pending += change
        self.in_flight += 1
        return True

    def reject(self, reason: str) -> bool:
        """Explain in the log why an order was not taken, and return False."""
        self.say("reject", f"order rejected: {reason}")
        return False

    def say(self, level: Level, text: str) -> None:
        """Keep a line for the log."""
        self.said = True
        self.logs.append((level, clean_text(text)))

    def draw(self, name: str, value: float | None) -> None:
        """Keep a point of a line; what is not finite is a gap."""
        self.said = True
        self.plots[name] = value if value is None or math.isfinite(value) else None

    def trim(self) -> None:
        """Drop the prices that ``history`` cannot reach."""
        del self.prices[: self.seen - HISTORY]
        self.seen = len(self.prices)

    def forget(self) -> None:
        """Drop what was asked for at this tick; the loop has taken it."""
        self.said = False
        self.requests = []
        self.plots = {}
        self.logs = []
