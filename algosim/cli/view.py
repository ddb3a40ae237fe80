"""The terminal's picture of a live run: a function of what was recorded, its figures and its status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Group
from rich.text import Text

from algosim.cli.columns import Column, fixed_table
from algosim.cli.text import clean, clock, money, number, percent, plural, price, quantity, rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from algosim.config import Config
    from algosim.core.metrics import Metrics
    from algosim.runs.recording import Recording

__all__ = ["Figures", "Size", "dashboard"]

MOST_ACCOUNTS = 4
"""Accounts that are shown one by one; more would leave no room for what they do."""

MOST_TRADES, MOST_LOGS = 15, 8

FIXED_LINES = 6
"""Lines that every picture has: two of status, one spare at the end, three of headings."""

_COLORS = {"running": "green", "paused": "yellow", "waiting": "yellow", "crashed": "red", "failed": "red"}


class Figures(NamedTuple):
    """Metrics of the whole run and of its rolling window, each by account and ``total``."""

    whole: Mapping[str, Metrics]
    rolling: Mapping[str, Metrics]


class Size(NamedTuple):
    """Room on the terminal, in characters."""

    width: int
    height: int


_ACCOUNTS = (
    Column("account", 0, "left"),
    Column("equity", 12),
    Column("P/L", 11),
    Column("drawdown", 9),
    Column("Sharpe ± SE", 14),
    Column("exposure", 8),
    Column("trades", 7),
)
_TRADES = (
    Column("time", 13),
    Column("account", 14, "left"),
    Column("side", 4, "left"),
    Column("quantity", 10),
    Column("price", 12),
    Column("tag", 0, "left"),
)
_STRATEGIES = (
    Column("strategy", 14, "left"),
    Column("state", 9, "left"),
    Column("version", 7),
    Column("position", 10),
    Column("", 0, "left"),
)


def dashboard(
    recording: Recording, status: Mapping[str, Any], config: Config, figures: Figures, size: Size
) -> RenderableType:
    """Return a picture of the run that keeps its height and columns from frame to frame.

    Parameters
    ----------
    recording : Recording
        What happened so far.
    status : mapping
        What `Simulation.status` has.
    config : Config
        Gives the length of the rolling window.
    figures : Figures
    size : Size
        Of the terminal; 80 x 24 is enough.
    """
    names = list(status["strategies"])
    shown = names[:MOST_ACCOUNTS]
    accounts = _account_rows(figures, shown, config)
    room = max(6, size.height - FIXED_LINES - len(accounts) - len(shown))
    trades = min(room * 3 // 5, MOST_TRADES)
    logs = min(room - trades, MOST_LOGS)
    return Group(
        _status_line(recording, status),
        _notice_line(recording, status, len(names) - len(shown)),
        fixed_table(_ACCOUNTS, accounts, len(accounts), size.width),
        fixed_table(_TRADES, _trade_rows(recording, trades), trades, size.width),
        fixed_table(_STRATEGIES, _strategy_rows(status, shown), len(shown), size.width),
        *_log_lines(recording, logs, size.width),
    )


def _status_line(recording: Recording, status: Mapping[str, Any]) -> Text:
    state = str(status["state"])
    run_id = recording.start.run_id if recording.start is not None else "-"
    line = Text(f"{run_id:<20}  ", no_wrap=True, overflow="ellipsis")
    line.append(f"{state:<9}", style=_COLORS.get(state, ""))
    line.append(
        f"{clock(recording.last_time):>14}{len(recording):>13,} ticks{rate(status['ticks_per_s']):>9}/s"
    )
    return line


def _notice_line(recording: Recording, status: Mapping[str, Any], hidden: int) -> Text:
    """Return price and speed, and after them whatever is unusual."""
    speed = status["speed"]
    shown_speed = speed if isinstance(speed, str) else quantity(speed)
    line = Text(
        f"price {price(recording.last_price):<12}  speed {shown_speed:<6}", no_wrap=True, overflow="ellipsis"
    )
    parts = []
    if status["waiting_for"] and not status["ticks_per_s"]:
        parts.append(f"waiting for {clean(', '.join(status['waiting_for']))}")
    parts += [f"{word} {status[word]:,}" for word in ("gaps", "foreign") if status.get(word)]
    if hidden:
        parts.append(f"{hidden} more strategies are in the total only")
    line.append("  " + "  ".join(parts), style="yellow")
    return line


def _account_rows(figures: Figures, shown: Sequence[str], config: Config) -> list[list[str]]:
    names = [*shown, "total"] if len(shown) > 1 else list(shown)
    rows = [_figure_row(name, figures.whole.get(name)) for name in names]
    rows.append(_figure_row(f"last {config.metrics.window_s:,.0f} s", figures.rolling.get("total")))
    return rows


def _figure_row(name: str, row: Metrics | None) -> list[str]:
    if row is None:  # before the first tick
        return [name]
    ratio = number(float(row["sharpe"]), 1)
    if ratio != number(float("nan")):
        ratio = f"{ratio} ± {number(float(row['sharpe_se']), 1)}"
    return [
        name,
        number(float(row["final_equity"])),
        money(float(row["pnl"])),
        percent(float(row["max_drawdown"])),
        ratio,
        percent(float(row["exposure"])),
        f"{row['fills']:,}",
    ]


def _trade_rows(recording: Recording, most: int) -> list[list[str]]:
    return [
        [
            clock(fill.ts_sim),
            fill.id,
            fill.side,
            quantity(fill.qty),
            price(fill.price),
            fill.tag,
        ]
        for fill in reversed(recording.fills[-most:])
    ]


def _strategy_rows(status: Mapping[str, Any], shown: Sequence[str]) -> list[list[str]]:
    rows = []
    for name in shown:
        health = status["strategies"][name]
        position = quantity(health.get("position", 0.0))
        rows.append([name, str(health["state"]), str(health["version"]), position, _how(health)])
    return rows


def _how(health: Mapping[str, Any]) -> str:
    """Return what is worth knowing about a strategy: its error, its warm-up, or how slow it is."""
    if health["error"] is not None:
        return str(health["error"]["message"])
    if health.get("warmup"):
        return f"warming up {health['warmup']}"
    slow = health.get("slow", 0)
    return f"{plural(slow, 'slow tick')}, slowest {rate(health['slowest_ms'])} ms" if slow else ""


def _log_lines(recording: Recording, most: int, width: int) -> list[Text]:
    logs = recording.logs[-most:]
    lines = [Text(clean(f"{log.seq:,} {log.id} {log.level}: {log.text}"), style="dim") for log in logs]
    lines += [Text("")] * (most - len(lines))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines
