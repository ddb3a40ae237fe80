"""The key figures of a dashboard: cheap ones at every look, metrics when they have been computed."""

from __future__ import annotations

import math
import threading
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.charts.numbers import count, money, percent, quantity, ratio, signed_money
from algosim.notebook.books import Account, Books
from algosim.notebook.panels import live_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.core.metrics import Metrics
    from algosim.runs.recording import Recording

__all__ = ["Readings"]

NAN = float("nan")


class _Reading(NamedTuple):
    """One card: its name, its figure, what the figure means (``good``, ``bad``), and a word below it."""

    name: str
    figure: str
    kind: str = ""
    below: str = ""


class Readings:
    """The row of cards with the figures of all accounts together.

    Attributes
    ----------
    box : HTML
    books : Books
        Of the run that is shown.
    """

    def __init__(self) -> None:
        self.box = live_html("algosim-kpis")
        self.books = Books(0.0)
        self._metrics: Mapping[str, Any] = {}
        self._run_id = ""
        self._price = NAN
        self._now = self._pending = 0.0
        self._lock = threading.Lock()  # metrics come from a thread of their own

    def begin(self, run_id: str, initial_cash: float) -> None:
        """Show another run from now on."""
        with self._lock:
            self.books, self._run_id = Books(initial_cash), run_id
            self._metrics, self._price, self._now, self._pending = {}, NAN, 0.0, 0.0
            self._draw()

    def follow(self, recording: Recording, drawdown: float, pending: float) -> None:
        """Show what is known at once.

        Parameters
        ----------
        recording : Recording
        drawdown : float
            How far equity is below its peak now, a fraction.
        pending : float
            The signed quantity of orders on their way.
        """
        with self._lock:
            with recording.lock:
                self.books.update(recording)
                self._price = recording.last_price
            self._now, self._pending = drawdown, pending
            self._draw()

    def take(self, metrics: Mapping[str, Metrics], run_id: str) -> None:
        """Show the metrics of the whole run."""
        with self._lock:
            if run_id == self._run_id:
                self._metrics = metrics.get("total", {})
                self._draw()

    def _draw(self) -> None:
        cards = [*self._money(), *self._measures(), *self._holdings()]
        html = "".join(map(_card, cards))
        if self.box.value != html:
            self.box.value = html

    def _money(self) -> list[_Reading]:
        total, start = self.books.total(), self.books.initial_cash * len(self.books.accounts)
        price = self._price if math.isfinite(self._price) else 0.0
        equity = total.equity(price) if self.books.accounts else NAN
        # The difference of sums would leave a rounding error where there is no position.
        flat = all(not account.position for account in self.books.accounts.values())
        unrealized = 0.0 if flat else equity - start - total.realized
        change = (equity - start) / start if start else NAN
        return [
            _Reading("equity", money(equity), "", f"{'+' if change > 0 else ''}{percent(change)}"),
            _Reading("realised P/L", signed_money(total.realized), _sign(total.realized), "net of costs"),
            _Reading("unrealised P/L", signed_money(unrealized), _sign(unrealized), "open positions"),
        ]

    def _measures(self) -> list[_Reading]:
        def figure(name: str) -> float:
            return float(self._metrics.get(name, NAN))

        deepest = figure("max_drawdown")
        trips = int(self._metrics.get("round_trips", 0))
        note = str(self._metrics.get("sharpe_note", ""))
        error = figure("sharpe_se")
        return [
            _Reading(
                "max drawdown",
                percent(deepest),
                "bad" if deepest > 0 else "",
                f"now {percent(abs(self._now))}",
            ),
            _Reading(
                "Sharpe ratio",
                ratio(figure("sharpe")),
                "",
                f"\N{PLUS-MINUS SIGN} {ratio(error)} s.e." if math.isfinite(error) else note,
            ),
            _Reading("exposure", percent(figure("exposure")), "", "of the time"),
            _Reading("win rate", percent(figure("win_rate")), "", f"of {count(trips)} round trips"),
        ]

    def _holdings(self) -> list[_Reading]:
        total: Account = self.books.total()
        several = len(self.books.accounts) > 1
        return [
            _Reading("fills", count(total.fills), "", "trades done"),
            _Reading("position", quantity(total.position), "", "all accounts" if several else "units"),
            _Reading("pending", quantity(self._pending), "wait" if self._pending else "", "units in flight"),
        ]


def _sign(value: float) -> str:
    return "good" if value > 0 else "bad" if value < 0 else ""


def _card(card: _Reading) -> str:
    return (
        f'<div class="card"><div class="name">{escape(card.name)}</div>'
        f'<div class="figure {card.kind}">{escape(card.figure)}</div>'
        f'<div class="below" title="{escape(card.below)}">{escape(card.below)}</div></div>'
    )
