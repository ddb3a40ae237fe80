"""What a strategy sees and may do: the ``ctx`` of its hooks."""

from __future__ import annotations

import math
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex

from algosim.core.desk import HISTORY, Desk, clean_text
from algosim.core.indicators import Indicators
from algosim.core.plain import plain
from algosim.core.portfolio import snap
from algosim.errors import StrategyError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

__all__ = ["Context"]

MAX_NAME = 60


class Context:
    """The strategy's view of its account and its only way to act.

    A strategy may keep things of its own on it: ``ctx.fast = ctx.indicator.SMA(20)``.

    Parameters
    ----------
    desk : Desk
        The account as the strategy sees it.
    params : Mapping
        ``PARAMS`` of the strategy with the run's values over them.
    rng : numpy.random.Generator
        Its random stream.
    kept : Mapping
        State that the version before left.
    """

    def __init__(
        self, desk: Desk, params: Mapping[str, Any], rng: np.random.Generator, kept: Mapping[str, Any]
    ) -> None:
        self.rng = rng
        self.indicator = Indicators()
        self._desk = desk
        self._params = dict(params)
        self._kept = dict(kept)

    def get_param(self, name: str, default: Any = None) -> Any:
        """Return a parameter of the strategy, or the default where it has none of that name."""
        return self._params.get(name, default)

    def set_state(self, key: str, value: Any) -> None:
        """Keep a JSON value under a name; with ``keep_state`` the next version is offered it.

        Raises
        ------
        StrategyError
            If JSON cannot write the value.
        """
        try:
            self._desk.state[clean_text(str(key))] = plain(value)
        except ValueError as error:
            msg = f"set_state({key!r}, ...) takes {error}; keep other things as attributes (ctx.name = ...)"
            raise StrategyError(msg) from error

    def get_state(self, key: str, default: Any = None) -> Any:
        """Return what ``set_state`` kept under this name, or the default."""
        return self._desk.state.get(clean_text(str(key)), default)

    def kept(self, key: str, default: Any = None) -> Any:
        """Return what the version before this one had kept under this name, or the default."""
        return self._kept.get(clean_text(str(key)), default)

    def position(self) -> float:
        """Return the signed quantity held."""
        return self._desk.position

    def pending(self) -> float:
        """Return the signed quantity of orders in flight."""
        return self._desk.pending

    def cash(self) -> float:
        """Return the money in the account."""
        return self._desk.cash

    def equity(self) -> float:
        """Return cash plus position at the present price."""
        desk = self._desk
        return desk.cash + desk.position * desk.price if desk.position else desk.cash

    def time(self) -> float:
        """Return the simulated time in seconds since the start of the run."""
        return self._desk.now * 1e-9

    def history(self, n: object) -> list[float]:
        """Return the last `n` prices, the present one last; fewer where fewer were seen.

        Raises
        ------
        StrategyError
            If `n` is not a whole number from 1 to 10,000.
        """
        if not isinstance(n, SupportsIndex) or not 1 <= index(n) <= HISTORY:
            msg = f"history(n) takes a whole number from 1 to {HISTORY:,}, got {n!r}"
            raise StrategyError(msg)
        seen = self._desk.seen
        return self._desk.prices[max(0, seen - index(n)) : seen].tolist()

    def place_market_order(self, side: str, qty: float, tag: str | None = None) -> bool:
        """Send a market order; it fills after the latency, no earlier than the next tick.

        Parameters
        ----------
        side : {"BUY", "SELL"}
        qty : float
            Positive quantity.
        tag : str, optional
            A note that travels with the fill.

        Returns
        -------
        bool
            Whether the order was accepted. A rejected one is explained in the log; the strategy goes on.

        Raises
        ------
        StrategyError
            In ``init`` and ``on_stop``, where no order can be placed.
        """
        return self._desk.order(side, qty, tag)

    def target(self, qty: float, tag: str | None = None) -> bool:
        """Order what is missing for a position of `qty`, counting the orders in flight.

        Returns
        -------
        bool
            Whether an order was accepted; False where none is needed.
        """
        desk = self._desk
        try:
            wanted = float(qty)
        except (TypeError, ValueError, OverflowError):
            return desk.reject(f"target(qty) takes a number, got {type(qty).__name__} {qty!a}"[:120])
        if not math.isfinite(wanted):
            return desk.reject(f"target(qty) must be finite, got {wanted!r}")
        present = desk.position + desk.pending
        missing = snap(wanted - present, abs(wanted) + abs(desk.position) + abs(desk.pending))
        if missing == 0.0:
            return False
        return desk.trade(missing, tag)

    def log(self, text: object) -> None:
        """Write a line to the run's log."""
        self._desk.say("log", str(text))

    def plot(self, name: object, value: float | None) -> None:
        """Draw a value at the present tick, as one point of the line `name`; None leaves a gap.

        Raises
        ------
        StrategyError
            If the value is not a number.
        """
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
            msg = f"plot(name, value) takes a name of 1 to {MAX_NAME} characters, got {name!r}"
            raise StrategyError(msg)
        try:
            number = None if value is None else float(value)
        except (TypeError, ValueError, OverflowError) as error:
            msg = f"plot({name!r}, value) takes a number or None, got {type(value).__name__}"
            raise StrategyError(msg) from error
        self._desk.draw(clean_text(name), number)

    def __getattr__(self, name: str) -> Any:
        """Explain an unknown name; only called where ordinary lookup failed."""
        known = [word for word in (*dir(type(self)), *self.__dict__) if not word.startswith("_")]
        msg = f"ctx has no {name!r}{did_you_mean(name, known)}"
        raise AttributeError(msg)
