"""What a finished run prints: its metrics, what stopped its strategies, and last its digest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click
import msgspec

from algosim.cli.outcome import FAILED, FINE, complain
from algosim.cli.tables import print_table
from algosim.cli.text import clean, money, number, percent, plural, whole
from algosim.events import Attach, Detach, Remove

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from algosim.core.metrics import Metrics
    from algosim.runs.recording import Recording
    from algosim.runs.result import Result

__all__ = ["metric_rows", "print_replayed", "print_result", "stopped"]

_ROWS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("final equity", "final_equity", number),
    ("profit and loss", "pnl", money),
    ("  realized", "realized", money),
    ("  unrealized", "unrealized", money),
    ("return", "return_fraction", percent),
    ("max drawdown", "max_drawdown", percent),
    ("max drawdown, currency", "max_drawdown_currency", number),
    ("drawdown duration, s", "drawdown_duration_s", number),
    ("Sharpe ratio", "sharpe", number),
    ("  standard error", "sharpe_se", number),
    ("trades (fills)", "fills", whole),
    ("round trips", "round_trips", whole),
    ("win rate", "win_rate", percent),
    ("average trade", "avg_trade_pnl", money),
    ("average hold, s", "avg_hold_s", number),
    ("exposure", "exposure", percent),
    ("turnover", "turnover", number),
    ("costs", "costs", number),
    ("  commission", "commission", number),
    ("  slippage", "slippage", number),
)


def metric_rows(metrics: Mapping[str, Metrics]) -> list[list[str]]:
    """Return a header and a row per figure, with a column per account; ``total`` only where it adds any."""
    accounts = _columns(metrics)
    rows = [["", *accounts]]
    for label, key, written in _ROWS:
        rows.append([label, *(written(float(metrics[name][key])) for name in accounts)])
    return rows


def _columns(metrics: Mapping[str, Metrics]) -> list[str]:
    return [name for name in metrics if name != "total" or len(metrics) > 2]


def stopped(recording: Recording) -> dict[str, str]:
    """Return why strategies stopped that nobody set going again, by id."""
    reasons: dict[str, str] = {}
    lost: dict[str, int] = {}
    for event in recording.members:
        if isinstance(event, Detach):
            reasons[event.id], lost[event.id] = event.error or event.reason, event.version
        # A version that failed at its first tick is detached in the block that attached it, and before.
        elif isinstance(event, Attach) and event.version <= lost.get(event.id, 0):
            continue
        elif isinstance(event, Attach | Remove):
            reasons.pop(event.id, None)
    return reasons


def print_result(result: Result, *, as_json: bool = False, crash: str = "") -> int:
    """Print a run, with its digest last, and return the command's exit code.

    Parameters
    ----------
    result : Result
    as_json : bool
        JSON alone on standard output.
    crash : str
        What ended the run early, if anything did.
    """
    reasons = stopped(result.recording)
    if as_json:
        click.echo(_json(result, reasons))
    else:
        _print_text(result)
    for name, reason in reasons.items():
        *frames, last = reason.splitlines() or [""]
        complain(f"{name} stopped: {last}", frames)
    if crash:
        complain(f"the run crashed: {crash}; `sim replay {result.run_id}` shows what was recorded")
    if result.digest and not as_json:
        click.echo(f"digest {result.digest}")
    return FAILED if reasons or crash else FINE


def print_replayed(result: Result) -> None:
    """Print a run that was replayed without a difference, with its digest last."""
    _print_text(result)
    if result.note:
        click.echo(f"note: {clean(result.note)}")
    click.echo("replayed: no event differs")
    click.echo(f"digest {result.digest}")


def _print_text(result: Result) -> None:
    recording, metrics = result.recording, result.metrics
    seconds = number(recording.t_end / 1e9, 3)
    click.echo(
        f"{plural(len(recording), 'tick')} in {seconds} simulated seconds, seed {result.config.run.seed}"
    )
    if result.folder is not None:
        click.echo(f"folder {result.folder}")
    if metrics:
        print_table(metric_rows(metrics))
    for name in _columns(metrics):
        if metrics[name]["sharpe_note"]:
            click.echo(f"{name}: no Sharpe ratio: {metrics[name]['sharpe_note']}")
    for name in metrics:
        refused = [log.text for log in recording.logs if log.id == name and log.level == "reject"]
        if refused:
            click.echo(f"{name}: {plural(len(refused), 'order')} rejected, the last: {clean(refused[-1])}")


def _json(result: Result, reasons: Mapping[str, str]) -> str:
    content = {
        "run_id": result.run_id,
        "seed": result.config.run.seed,
        "ticks": len(result.recording),
        "duration_s": result.recording.t_end / 1e9,
        "folder": None if result.folder is None else str(result.folder),
        "metrics": {name: _finite(figures) for name, figures in result.metrics.items()},
        "errors": dict(reasons),
        "digest": result.digest,
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()


def _finite(figures: Metrics) -> dict[str, float | int | str | None]:
    """Return figures with None for NaN, which JSON does not have."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }
