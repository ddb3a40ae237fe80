"""The cards with the key figures of a run: which, how they are written, and which are good or bad."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from algosim.board.tidy import sign
from algosim.charts.numbers import count, money, percent, quantity, ratio, signed_money

if TYPE_CHECKING:
    from collections.abc import Iterable

    from algosim.board.totals import Total
    from algosim.core.metrics import Metrics

__all__ = ["Card", "cards", "cards_html"]


class Card(NamedTuple):
    """One figure: its name, how it is written, its meaning (``good``, ``bad``, ``wait``), a word below it."""

    name: str
    figure: str
    kind: str = ""
    below: str = ""


def cards(total: Total, measures: Metrics, drawdown: float, pending: float) -> list[Card]:
    """Return the cards of all accounts together.

    Parameters
    ----------
    total : Total
    measures : Metrics
        ``metrics["total"]`` of the run; empty before they are known.
    drawdown : float
        How far equity is below its peak now, a fraction.
    pending : float
        The signed quantity of orders on their way.
    """
    return [*_money(total), *_measures(measures, drawdown), *_holdings(total, pending)]


def _money(total: Total) -> list[Card]:
    change = total.pnl / total.start if total.start else math.nan
    return [
        Card("equity", money(total.equity), "", f"{'+' if change > 0 else ''}{percent(change)}"),
        Card("realised P/L", signed_money(total.realized), sign(total.realized), "net of costs"),
        Card("unrealised P/L", signed_money(total.unrealized), sign(total.unrealized), "open positions"),
    ]


def _measures(measures: Metrics, drawdown: float) -> list[Card]:
    def figure(name: str) -> float:
        return float(measures.get(name, math.nan))

    deepest, error = figure("max_drawdown"), figure("sharpe_se")
    trips = int(measures.get("round_trips", 0))
    note = str(measures.get("sharpe_note", ""))
    spread = f"\N{PLUS-MINUS SIGN} {ratio(error)} s.e." if math.isfinite(error) else note
    return [
        Card("max drawdown", percent(deepest), "bad" if deepest > 0 else "", f"now {percent(abs(drawdown))}"),
        Card("Sharpe ratio", ratio(figure("sharpe")), "", spread),
        Card("exposure", percent(figure("exposure")), "", "of the time"),
        Card("win rate", percent(figure("win_rate")), "", f"of {count(trips)} round trips"),
    ]


def _holdings(total: Total, pending: float) -> list[Card]:
    return [
        Card("fills", count(total.fills), "", "trades done"),
        Card("position", quantity(total.position), "", "all accounts" if total.accounts > 1 else "units"),
        Card("pending", quantity(pending), "wait" if pending else "", "units in flight"),
    ]


def cards_html(shown: Iterable[Card]) -> str:
    """Return cards side by side."""
    return f'<div class="cards">{"".join(map(_html, shown))}</div>'


def _html(card: Card) -> str:
    return (
        f'<div class="card"><div class="name">{escape(card.name)}</div>'
        f'<div class="figure {card.kind}">{escape(card.figure)}</div>'
        f'<div class="below" title="{escape(card.below)}">{escape(card.below)}</div></div>'
    )
