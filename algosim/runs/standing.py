"""How settings, strategies and accounts stand in a recording, followed as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from algosim import settings
from algosim.config import StrategySpec
from algosim.core.orders import signed
from algosim.events import Attach, Detach, Remove, Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.config import Config
    from algosim.events import Control, Fill, Member, Order
    from algosim.runs.recording import Recording

__all__ = ["Standing"]

E = TypeVar("E")


class Standing:
    """Follows one recording; every `update` takes only what is new.

    Parameters
    ----------
    config : Config
        That the run began with.

    Attributes
    ----------
    config : Config
        The settings as they are now.
    strategies, accounts : dict of str to dict
        By id, with the names that ``Simulation.status`` has for them.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.strategies: dict[str, dict[str, Any]] = {}
        self.accounts: dict[str, dict[str, Any]] = {}
        self._cash = config.portfolio.initial_cash
        self._open: dict[tuple[str, int], Order] = {}
        self._seen = {"controls": 0, "members": 0, "orders": 0, "fills": 0}

    def update(self, recording: Recording) -> None:
        """Take what was recorded since the last call."""
        for control in self._news("controls", recording.controls):
            self._control(control)
        for member in self._news("members", recording.members):
            self._member(member)
        for order in self._news("orders", recording.orders):
            self._open[order.id, order.number] = order
            self._books(order.id)["pending"] += signed(order.side, order.qty)
        for fill in self._news("fills", recording.fills):
            self._fill(fill)

    def _news(self, kind: str, events: Sequence[E]) -> Sequence[E]:
        news = events[self._seen[kind] :]
        self._seen[kind] += len(news)
        return news

    def _control(self, control: Control) -> None:
        if control.action in ("set", "speed"):
            self.config = settings.with_settings(self.config, {control.key: control.value})

    def _member(self, member: Member) -> None:
        strategy = self.strategies.get(member.id)
        if strategy is None:
            books = self.accounts.pop(member.id, None) or self._opened()
            strategy = {"state": "", "version": 0, "error": None, "params": {}, "warmup": "", **books}
            self.strategies[member.id] = strategy
        if isinstance(member, Attach | Version):
            strategy.update(
                state="trading", version=member.version, error=None, params=member.params, attached=True
            )
            self._specify(member)
        elif isinstance(member, Detach):
            message = (member.error or member.reason).strip().rpartition("\n")[2]
            error = {"message": message, "frames": member.error}
            strategy.update(state="failed", error=error, attached=False)
        elif isinstance(member, Remove):
            strategy.update(state="removed", attached=False)

    def _specify(self, member: Attach | Version) -> None:
        """Let the settings have a strategy's parameters as they are now."""
        specs = dict(self.config.strategies)
        path = specs[member.id].path if member.id in specs else member.id
        specs[member.id] = StrategySpec(path=path, params=member.params)
        self.config = msgspec.structs.replace(self.config, strategies=specs)

    def _opened(self) -> dict[str, Any]:
        return {
            "attached": False, "position": 0.0, "cash": self._cash, "realized": 0.0, "pending": 0.0
        }  # fmt: skip

    def _books(self, name: str) -> dict[str, Any]:
        if name in self.strategies:
            return self.strategies[name]
        return self.accounts.setdefault(name, self._opened())

    def _fill(self, fill: Fill) -> None:
        books = self._books(fill.id)
        books["position"], books["cash"] = fill.position, fill.cash
        books["realized"] += fill.realized
        self._open.pop((fill.id, fill.number), None)
        waiting = [order for order in self._open.values() if order.id == fill.id]
        books["pending"] = sum((signed(order.side, order.qty) for order in waiting), 0.0)
