"""How markets, results, figures and trades look in a cell's output; IPython knows them by the type's name."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from algosim.board.tidy import Cell, Table, profit
from algosim.charts.numbers import NOTHING, clock, count, money, percent, quantity, ratio, signed_money
from algosim.errors import AlgosimError
from algosim.notebook.answers import Status
from algosim.notebook.cell_page import page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from algosim.core.metrics import Metrics
    from algosim.live.simulation import Simulation
    from algosim.runs.result import Result

__all__ = [
    "metrics_html",
    "metrics_text",
    "result_html",
    "runs_html",
    "runs_text",
    "simulation_html",
    "trades_html",
]

LAST = 20
"""Rows of a long table that are shown."""

_FIGURES: tuple[tuple[str, Callable[[dict[str, Any]], Cell | str]], ...] = (
    ("equity", lambda of: money(of["final_equity"])),
    ("profit and loss", lambda of: profit(of["pnl"])),
    ("\N{EM SPACE}realised", lambda of: profit(of["realized"])),
    ("\N{EM SPACE}unrealised", lambda of: profit(of["unrealized"])),
    ("return", lambda of: percent(of["return_fraction"])),
    ("largest drawdown", lambda of: percent(of["max_drawdown"])),
    ("Sharpe ratio ± SE", lambda of: ratio(of["sharpe"], of["sharpe_se"])),
    ("trades (fills)", lambda of: count(of["fills"])),
    ("round trips", lambda of: count(of["round_trips"])),
    ("win rate", lambda of: percent(of["win_rate"])),
    ("average trade", lambda of: signed_money(of["avg_trade_pnl"])),
    ("time in the market", lambda of: percent(of["exposure"])),
    ("costs", lambda of: money(of["costs"])),
)


def simulation_html(sim: Simulation) -> str:
    """Return how a market does now."""
    try:
        return Status(sim.status, sim.config, sim.run_id)._repr_html_()
    except AlgosimError as error:
        return page(f'<p class="bad">{escape(str(error))}</p>')


def result_html(result: Result) -> str:
    """Return what a run came to."""
    recording = result.recording
    name = "" if result.folder is None else f" · {escape(result.folder.name)}"
    words = (
        f"{count(len(recording))} ticks in {clock(recording.t_end * 1e-9)} · seed {result.config.run.seed}"
        f"{name} · digest <code>{escape(result.digest[:12])}</code>"
    )
    table = _figures(result.metrics).html() if result.metrics else ""
    lost = "".join(f'<p class="bad">{escape(_stopped(text))}</p>' for text in result.errors)
    return page(f"<p>{words}</p>", table, lost)


def _stopped(text: str) -> str:
    """Return who stopped and why, of an error's lines."""
    name, _, rest = text.partition(": ")
    return f"{name} stopped: {rest.strip().splitlines()[-1] if rest.strip() else 'no reason given'}"


def _figures(metrics: Mapping[str, Metrics]) -> Table:
    """Return a row per figure and a column per account; ``total`` only where it adds any."""
    accounts = [name for name in metrics if name != "total" or len(metrics) > 2]
    rows = [(label, *(written(metrics[name]) for name in accounts)) for label, written in _FIGURES]
    return Table(("", *accounts), rows)


def metrics_html(metrics: Mapping[str, Metrics]) -> str:
    """Return the figures of a run."""
    if not metrics:
        return page("<p>no account yet</p>")
    notes = {
        name: str(of["sharpe_note"]) for name, of in metrics.items() if of["sharpe_note"] and name != "total"
    }
    why = "".join(
        f'<p class="dim">{escape(name)}: no Sharpe ratio: {escape(note)}</p>' for name, note in notes.items()
    )
    return page(_figures(metrics).html(), why)


def metrics_text(metrics: Mapping[str, Metrics], printer: Any, _: bool) -> None:  # noqa: ANN401, FBT001  (IPython calls it so)
    """Write the figures of a run as text."""
    printer.text(_figures(metrics).text() if metrics else "no account yet")


# Trades

_COLUMNS: dict[str, tuple[str, Callable[[Any], Cell | str]]] = {
    "id": ("account", str),
    "side": ("side", lambda side: Cell(str(side), "buy" if side == "BUY" else "sell")),
    "qty": ("quantity", quantity),
    "price": ("price", lambda price: f"{price:,.4f}"),
    "commission": ("commission", money),
    "realized": ("realised", profit),
    "position": ("position", quantity),
    "cash": ("cash", money),
    "tag": ("tag", str),
}


def trades_html(trades: pd.DataFrame) -> str:
    """Return the last trades; a frame that somebody has made something else of looks as pandas has it."""
    if trades.index.name != "time" or not set(_COLUMNS) <= set(trades.columns):
        return trades.to_html(notebook=True)
    last = trades.tail(LAST)
    rows = [
        [clock(time.total_seconds()), *(write(row[name]) for name, (_, write) in _COLUMNS.items())]
        for time, row in zip(last.index, last.to_dict("records"), strict=True)
    ]
    titles = ("time", *(title for title, _ in _COLUMNS.values()))
    earlier = len(trades) - len(last)
    first = f'<p class="dim">{count(earlier)} before these</p>' if earlier else ""
    return page(first, Table(titles, rows, frozenset({1, 2, 9})).html() if rows else "<p>no trades yet</p>")


# Runs


def runs_html(runs: pd.DataFrame) -> str:
    """Return the last runs, the newest first; a frame that is none any more looks as pandas has it."""
    table = _runs(runs)
    if table is None:
        return runs.to_html(notebook=True)
    earlier = len(runs) - len(table.rows)
    last = f'<p class="dim">and {count(earlier)} before these</p>' if earlier else ""
    return page(table.html() if table.rows else "<p>no runs yet</p>", last)


def runs_text(runs: pd.DataFrame, printer: Any, _: bool) -> None:  # noqa: ANN401, FBT001  (IPython calls it so)
    """Write the last runs as text."""
    table = _runs(runs)
    printer.text(repr(runs) if table is None else table.text())


def _runs(runs: pd.DataFrame) -> Table | None:
    if runs.index.name != "run_id" or not {"started", "state", "strategies", "pnl"} <= set(runs.columns):
        return None
    rows = [_run(str(name), row) for name, row in runs.tail(LAST)[::-1].iterrows()]
    header = ("run", "started (UTC)", "state", "strategies", "seed", "ticks", "trades", "profit and loss")
    return Table(header, rows, frozenset({0, 1, 2, 3}))


def _run(name: str, row: pd.Series[Any]) -> list[Cell | str]:
    started = row["started"]
    return [
        name,
        f"{started:%Y-%m-%d %H:%M}" if started == started else NOTHING,  # NaT is not itself
        Cell(row["state"], {"crashed": "bad", "running": "good"}.get(row["state"], "")),
        row["strategies"],
        _seed(row["seed"]),
        count(row["ticks"]),
        str(row["trades"]).replace("<NA>", NOTHING),
        profit(row["pnl"]),
    ]


def _seed(seed: object) -> str:
    """Return a seed; one that was drawn has 128 bits, of which nobody reads more than the first."""
    text = NOTHING if seed is None else str(seed)
    return text if len(text) <= 12 else f"{text[:10]}\N{HORIZONTAL ELLIPSIS}"
