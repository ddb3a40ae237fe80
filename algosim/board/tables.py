"""The tables of a dashboard as HTML: trades, positions and health, the engine, the settings."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from algosim.board.tidy import Cell, Table, profit
from algosim.charts.numbers import NOTHING, clock, count, money, quantity
from algosim.settings import to_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.config import Config
    from algosim.events import Fill
    from algosim.runs.accounts import Accounts
    from algosim.runs.recording import Recording

__all__ = ["config_table", "engine_table", "positions_table", "trades_table"]

MOST_TRADES = 16
"""Rows of the table of trades, unless a face has room for more."""

_FILE = re.compile(r" \(\S+\.py, line (\d+)\)")
"""Where an error arose: the file is the strategy's, which the row names."""

LONGEST = 80
"""Characters of an error that the table of accounts shows; the log has all of it."""


def trades_table(recording: Recording, most: int = MOST_TRADES) -> str:
    """Return the most recent fills, the newest first; cost is commission and slippage in currency."""
    with recording.lock:
        fills = recording.fills[-most:]
        costs = [_cost(fill, recording) for fill in fills]
    rows: list[list[Cell | str]] = [
        [
            clock(fill.ts_sim * 1e-9),
            fill.id,
            Cell(fill.side, "buy" if fill.side == "BUY" else "sell"),
            quantity(fill.qty),
            f"{fill.price:,.4f}",
            f"{cost:,.4f}",
            fill.tag,
        ]
        for fill, cost in zip(reversed(fills), reversed(costs), strict=True)
    ]
    rows += [["", *[""] * 6]] * (most - len(rows))
    header = ("time", "account", "side", "qty", "price", "cost", "tag")
    return Table(header, rows, frozenset({1, 2, 6})).html()


def _cost(fill: Fill, recording: Recording) -> float:
    quoted = float(recording.ticks_between(fill.at, fill.at).price[0])
    return fill.commission + abs(fill.price - quoted) * fill.qty


def positions_table(accounts: Accounts, status: Mapping[str, Any], price: float) -> str:
    """Return what every account holds and how its strategy does."""
    books = accounts.all()
    healths = {**status.get("strategies", {}), **status.get("accounts", {})}
    rows = []
    for name in dict.fromkeys((*books, *healths)):
        figures: list[Cell | str] = [NOTHING] * 4
        health = healths.get(name, {})
        if name in books:
            equity = accounts.equity(name, price)
            figures = [
                quantity(books[name]["position"]),
                quantity(health.get("pending", 0.0)),
                money(equity),
                profit(equity - accounts.initial_cash),
            ]
        rows.append([name, _state(health), _version(health), *figures, _how(health)])
    header = ("account", "state", "version", "position", "pending", "equity", "P/L", "health")
    return (
        Table(header, rows, frozenset({0, 1, 7}), 7).html() if rows else '<p class="dim">no account yet</p>'
    )


def _version(health: Mapping[str, Any]) -> str:
    return f"v{health['version']}" if health.get("version") else ""


def _state(health: Mapping[str, Any]) -> Cell:
    state = str(health.get("state", ""))
    return Cell(state, {"trading": "good", "failed": "bad"}.get(state, "dim"))


def _how(health: Mapping[str, Any]) -> Cell:
    """Return what is worth knowing about a strategy: its error, its warm-up, or how slow it is."""
    if health.get("error"):
        text = _FILE.sub(r", line \1", str(health["error"].get("message", "")))
        return Cell(text if len(text) <= LONGEST else f"{text[:LONGEST]}...", "bad")
    if health.get("warmup"):
        return Cell(f"warming up {health['warmup']}", "wait")
    if health.get("slow"):
        return Cell(f"{count(health['slow'])} slow, worst {health['slowest_ms']:,.0f} ms", "wait")
    return Cell("fine" if health.get("state") == "trading" else "", "dim")


def engine_table(status: Mapping[str, Any], folder: object) -> str:
    """Return sockets with their high-water marks, queues, gaps, processes and the folder of a run."""
    hwm = {"orders_push": "orders"}
    marks = status.get("hwm", {})
    sockets = [
        [name, str(at), count(marks[hwm.get(name, name)]) if hwm.get(name, name) in marks else ""]
        for name, at in status.get("endpoints", {}).items()
    ]
    counted = {name: status.get(name, 0) for name in ("gaps", "foreign", "rejected")}
    counted |= status.get("queues", {})
    facts = [[name, count(value)] for name, value in counted.items()]
    facts += [[f"process {name}", str(pid)] for name, pid in status.get("processes", {}).items()]
    waiting = ", ".join(status.get("waiting_for", ())) or "nobody"
    facts += [
        ["sandbox", str(status.get("sandbox", NOTHING))],
        ["waiting for", waiting],
        ["folder", str(folder or NOTHING)],
    ]
    tables = Table(("", ""), facts, frozenset({0}), 1).html()
    if sockets:
        tables = Table(("socket", "bound at", "HWM"), sockets, frozenset({0, 1})).html() + tables
    return f'<div class="columns">{tables}</div>'


def config_table(config: Config) -> str:
    """Return the settings, section by section."""
    sections = []
    for section, values in to_mapping(config).items():
        items = "".join(_item(name, value) for name, value in _leaves(values))
        sections.append(f"<section><h5>{escape(section)}</h5><dl>{items}</dl></section>")
    return f'<div class="config">{"".join(sections)}</div>'


def _item(name: str, value: object) -> str:
    shown = NOTHING if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"<div><dt>{escape(name)}</dt><dd>{escape(shown)}</dd></div>"


def _leaves(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, value in values.items():
        if isinstance(value, dict) and value:
            found += _leaves(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", "none" if value == {} else value))
    return found
