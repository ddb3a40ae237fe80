"""The metrics of a run: of each account and of all together, over the whole run or a rolling window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from algosim.core.metrics import Ledger, Metrics, summary, total, window_summary

if TYPE_CHECKING:
    from algosim.config import Config
    from algosim.events import Fill
    from algosim.runs.recording import Recording

__all__ = ["account_fills", "run_metrics"]


def account_fills(recording: Recording) -> dict[str, list[Fill]]:
    """Return every account's fills, in order."""
    fills: dict[str, list[Fill]] = {name: [] for name in recording.accounts()}
    for fill in recording.fills:
        fills[fill.id].append(fill)
    return fills


def run_metrics(recording: Recording, config: Config, *, window_s: float | None = None) -> dict[str, Metrics]:
    """Return the metrics of each account by id, and of all together under ``"total"``.

    Parameters
    ----------
    recording : Recording
    config : Config
        Of the run; gives initial cash, grid and annualisation.
    window_s : float, optional
        Look at the last so many simulated seconds only.

    Returns
    -------
    dict of str to dict
        What `algosim.core.metrics.summary` describes. Empty for a market without accounts.
    """
    time, price, t_end = recording.time, recording.price, recording.t_end
    ticks = len(time)
    if recording.end is not None and ticks:
        # Fills in the end block are marked at the last price.
        time, price = np.append(time, t_end), np.append(price, price[-1])
    interval = round(config.metrics.interval_s * 1e9)
    common = {"time_ns": time, "price": price, "end_ns": t_end}
    scale = {"interval_ns": interval, "seconds_per_year": config.metrics.seconds_per_year}
    window = None if window_s is None else round(window_s * 1e9)
    cash = config.portfolio.initial_cash
    figures: dict[str, Metrics] = {}
    by_account = account_fills(recording)
    for name, fills in by_account.items():
        if window is None:
            figures[name] = summary(**common, **scale, fills=fills, initial_cash=cash)
        else:
            figures[name] = window_summary(**common, **scale, fills=fills, initial_cash=cash, window_ns=window)
    if by_account:
        ledgers = [Ledger(fills, cash) for fills in by_account.values()]
        figures["total"] = total(**common, **scale, accounts=ledgers, window_ns=window)
    if window is None:
        for row in figures.values():
            row["ticks"] = ticks
    return figures
