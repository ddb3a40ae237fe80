"""A strategy's account as its host knows it: what it is asked next, and whether its orders may pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algosim.core.desk import HISTORY, Books, Desk
from algosim.live.pipe import Tick

if TYPE_CHECKING:
    from algosim.config import Config
    from algosim.live.pipe import Acted
    from algosim.live.wire import Clear, State, TickMessage

__all__ = ["Mirror"]


class Mirror:
    """Follows the account beside the worker, and repeats the checks that ``ctx`` makes there.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    desk : Desk
        The account as it is now.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.desk = self._new_desk(Books(0.0, config.portfolio.initial_cash))

    def _new_desk(self, books: Books) -> Desk:
        config = self._config
        desk = Desk(
            books,
            [],
            max_position=config.portfolio.max_position,
            max_orders=config.limits.orders_per_tick,
        )
        desk.trading = True
        return desk

    def take_over(self, state: State) -> None:
        """Start from the account as it is when the strategy is attached."""
        self.desk = self._new_desk(state.books)
        self.desk.now = state.ts_sim

    def advance(self, tick: TickMessage, clear: Clear) -> Tick:
        """Go on to a tick at which the account has been cleared; return what the strategy is asked."""
        desk = self.desk
        if clear.fills:
            desk.filled(clear.fills)
        if desk.seen >= 2 * HISTORY:
            desk.trim()
        desk.now, desk.price = tick.ts_sim, tick.price
        desk.prices.append(tick.price)
        desk.seen += 1
        shown: dict[str, Any] = {
            "ts": tick.ts,
            "ts_sim": tick.ts_sim,
            "seq": tick.seq,
            "price": tick.price,
            "asset_id": tick.asset_id,
        }
        if tick.model_state is not None:
            shown["model_state"] = tick.model_state
        return Tick(shown, clear.fills)

    def fault(self, reply: Acted) -> str:
        """Return what is wrong with the orders of a reply, or ``""``."""
        desk = self.desk
        for side, qty, tag in reply.orders:
            if not desk.order(side, qty, tag):
                return f"its worker let a bad order pass: {desk.logs[-1][1]}"
        desk.forget()
        return ""
