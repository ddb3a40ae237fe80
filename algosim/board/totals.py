"""What all accounts of a run come to together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from algosim.runs.accounts import Accounts

__all__ = ["Total", "total"]


class Total(NamedTuple):
    """Sums over all accounts, in currency and units of the asset; NaN for equity where there is no account.

    `start` is what they began with.
    """

    accounts: int
    start: float
    equity: float
    realized: float
    unrealized: float
    position: float
    fills: int

    @property
    def pnl(self) -> float:
        """Profit and loss since the start."""
        return self.equity - self.start


def total(accounts: Accounts, price: float) -> Total:
    """Return the sums at a price; before the first tick it may be NaN."""
    books = accounts.all()
    marked = price if math.isfinite(price) else 0.0
    start = accounts.initial_cash * len(books)
    equity = sum(accounts.equity(name, marked) for name in books) if books else math.nan
    realized = sum((each["realized"] for each in books.values()), 0.0)
    # The difference of sums would leave a rounding error where there is no position.
    flat = all(not each["position"] for each in books.values())
    return Total(
        len(books),
        start,
        equity,
        realized,
        0.0 if flat else equity - start - realized,
        sum((each["position"] for each in books.values()), 0.0),
        accounts.fills.total(),
    )
