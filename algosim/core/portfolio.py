"""One account's books: position, cash and average cost, and what a fill does to them."""

from __future__ import annotations

import msgspec

__all__ = ["Portfolio", "snap"]


def snap(value: float, scale: float) -> float:
    """Return 0.0 for a remainder that is rounding error at this scale, else the value.

    ``0.3 - 0.1 - 0.2`` is not zero in binary arithmetic; a position that a person would call flat is.
    """
    return 0.0 if abs(value) <= 1e-12 * scale else value


class Portfolio(msgspec.Struct, gc=False):
    """Books at average cost.

    At every price: ``equity = cash + position * price = initial_cash + realized + unrealized``.

    Parameters
    ----------
    cash : float
        Money in the account.
    position : float
        Signed quantity held.
    average : float
        Average price paid for the position; 0 when flat.
    realized : float
        Profit of what was closed, less every commission so far.
    """

    cash: float
    position: float = 0.0
    average: float = 0.0
    realized: float = 0.0

    def apply(self, signed: float, price: float, commission: float) -> float:
        """Book a fill of the signed quantity and return the profit that it realised, net of commission."""
        held = self.position
        profit = -commission
        closed = min(abs(held), abs(signed)) if held * signed < 0.0 else 0.0
        if closed:
            profit += (price - self.average) * (closed if held > 0.0 else -closed)
        after = snap(held + signed, abs(held) + abs(signed))
        if after == 0.0:
            self.average = 0.0
        elif held * after <= 0.0:
            self.average = price
        elif not closed:
            self.average = (self.average * abs(held) + price * abs(signed)) / abs(after)
        self.position = after
        self.cash -= signed * price + commission
        self.realized += profit
        return profit

    def unrealized(self, price: float) -> float:
        """Return the profit of the open position at this price."""
        return self.position * (price - self.average)

    def equity(self, price: float) -> float:
        """Return what the account is worth at this price."""
        return self.cash + self.position * price
