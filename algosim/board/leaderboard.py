"""The strategies of a run against each other: who has made the most of the same market."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from algosim.board.tidy import Cell, Table, profit
from algosim.charts.numbers import count, money, percent, quantity, ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from algosim.core.metrics import Metrics
    from algosim.runs.accounts import Accounts

__all__ = ["Leader", "leaderboard_html", "leaders"]

_HEADER = ("", "strategy", "equity", "P/L", "max drawdown", "Sharpe ratio", "fills", "position")


class Leader(NamedTuple):
    """One strategy's row; figures that are not known yet are NaN.

    `rank` counts from 1, and who has the same equity has the same one. `max_drawdown` is a fraction. `state`
    is ``trading``, ``failed`` or ``removed``.
    """

    rank: int
    name: str
    equity: float
    pnl: float
    max_drawdown: float
    sharpe: float
    sharpe_se: float
    fills: int
    position: float
    state: str


def leaders(accounts: Accounts, metrics: Mapping[str, Metrics], price: float) -> list[Leader]:
    """Return a row per strategy, the one with the most equity first.

    Parameters
    ----------
    accounts : Accounts
    metrics : mapping
        Of the run by account; what it lacks is not known yet.
    price : float
        That positions are worth.
    """
    equity = {name: accounts.equity(name, price) for name in accounts.strategies}
    rows = []
    for name in sorted(equity, key=lambda name: -equity[name]):
        books, measures = accounts.strategies[name], metrics.get(name, {})
        drawdown, sharpe, error = (
            float(measures.get(key, math.nan)) for key in ("max_drawdown", "sharpe", "sharpe_se")
        )
        rows.append(
            Leader(
                1 + sum(other > equity[name] for other in equity.values()),
                name,
                equity[name],
                equity[name] - accounts.initial_cash,
                drawdown,
                sharpe,
                error,
                accounts.fills[name],
                books["position"],
                books["state"],
            )
        )
    return rows


def leaderboard_html(rows: Sequence[Leader]) -> str:
    """Return the table."""
    if not rows:
        return '<div class="leaders dim">no strategy trades yet</div>'
    table = Table(_HEADER, [_row(leader) for leader in rows], frozenset({1})).html()
    return f'<div class="leaders">{table}</div>'


def _row(leader: Leader) -> list[Cell | str]:
    gone = leader.state in ("failed", "removed")
    return [
        str(leader.rank),
        Cell(f"{leader.name} ({leader.state})", "dim") if gone else leader.name,
        money(leader.equity),
        profit(leader.pnl),
        percent(leader.max_drawdown),
        ratio(leader.sharpe, leader.sharpe_se),
        count(leader.fills),
        quantity(leader.position),
    ]
