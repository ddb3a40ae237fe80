"""How strategies and accounts stand in a recording, followed as it grows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from algosim.core.orders import signed
from algosim.events import Attach, Detach, Remove, Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.events import Fill, Member, Order
    from algosim.runs.recording import Recording

__all__ = ["Accounts"]

E = TypeVar("E")


class Accounts:
    """Follows one recording; every `update` takes only what is new.

    Parameters
    ----------
    initial_cash : float
        Of each account.

    Attributes
    ----------
    strategies, others : dict of str to dict
        The accounts of strategies, and those of people and programs, by id in the order in which they
        appeared, with the names that ``Simulation.status`` has for what they hold.
    fills : Counter of str
        How many fills an account has had.
    """

    def __init__(self, initial_cash: float) -> None:
        self.initial_cash = initial_cash
        self.strategies: dict[str, dict[str, Any]] = {}
        self.others: dict[str, dict[str, Any]] = {}
        self.fills: Counter[str] = Counter()
        self._open: dict[tuple[str, int], Order] = {}
        self._seen = {"members": 0, "orders": 0, "fills": 0}

    def update(self, recording: Recording) -> None:
        """Take what was recorded since the last call."""
        with recording.lock:
            members = self._news("members", recording.members)
            orders = self._news("orders", recording.orders)
            fills = self._news("fills", recording.fills)
        for member in members:
            self._member(member)
        for order in orders:
            self._open[order.id, order.number] = order
            self._books(order.id)["pending"] += signed(order.side, order.qty)
        for fill in fills:
            self._fill(fill)

    def _news(self, kind: str, events: Sequence[E]) -> Sequence[E]:
        news = events[self._seen[kind] :]
        self._seen[kind] += len(news)
        return news

    def all(self) -> dict[str, dict[str, Any]]:
        """Return every account, strategies first."""
        return {**self.strategies, **self.others}

    def equity(self, name: str, price: float) -> float:
        """Return what an account is worth at a price."""
        books = self.strategies.get(name) or self.others[name]
        position: float = books["position"]
        cash: float = books["cash"]
        return cash + position * price if position else cash

    def _member(self, member: Member) -> None:
        strategy = self.strategies.get(member.id)
        if strategy is None:
            books = self.others.pop(member.id, None) or self._opened()
            strategy = {"state": "", "version": 0, "error": None, "params": {}, "warmup": "", **books}
            self.strategies[member.id] = strategy
        if isinstance(member, Attach | Version):
            strategy.update(
                state="trading", version=member.version, error=None, params=member.params, attached=True
            )
        elif isinstance(member, Detach):
            message = (member.error or member.reason).strip().rpartition("\n")[2]
            error = {"message": message, "frames": member.error}
            strategy.update(state="failed", error=error, attached=False)
        elif isinstance(member, Remove):
            strategy.update(state="removed", attached=False)

    def _opened(self) -> dict[str, Any]:
        return {
            "attached": False, "position": 0.0, "cash": self.initial_cash, "realized": 0.0, "pending": 0.0
        }  # fmt: skip

    def _books(self, name: str) -> dict[str, Any]:
        if name in self.strategies:
            return self.strategies[name]
        return self.others.setdefault(name, self._opened())

    def _fill(self, fill: Fill) -> None:
        books = self._books(fill.id)
        books["position"], books["cash"] = fill.position, fill.cash
        books["realized"] += fill.realized
        self.fills[fill.id] += 1
        self._open.pop((fill.id, fill.number), None)
        waiting = [order for order in self._open.values() if order.id == fill.id]
        books["pending"] = sum((signed(order.side, order.qty) for order in waiting), 0.0)
