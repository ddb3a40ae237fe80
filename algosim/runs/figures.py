"""The metrics of a run: of each account and of all together, over the whole run or a rolling window."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from algosim.core.metrics import Ledger, Metrics, summary, total, window_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from algosim.config import Config
    from algosim.events import Fill
    from algosim.runs.recording import Recording

__all__ = ["RunMetrics", "account_fills", "run_metrics"]


class RunMetrics(dict[str, Metrics]):
    """The metrics of a run by account id and ``"total"``: a dict that notebooks know by its type."""


def account_fills(recording: Recording) -> dict[str, list[Fill]]:
    """Return every account's fills, in order."""
    fills: dict[str, list[Fill]] = {name: [] for name in recording.accounts()}
    if len(fills) == 1:
        return dict.fromkeys(fills, recording.fills[:])
    for fill in recording.fills:
        fills[fill.id].append(fill)
    return fills


def run_metrics(recording: Recording, config: Config, *, window_s: float | None = None) -> RunMetrics:
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
    RunMetrics
        What `algosim.core.metrics.summary` describes. Empty for a market without accounts.
    """
    marks = _Marks.of(recording, config)
    cash = config.portfolio.initial_cash
    by_account = account_fills(recording)
    first = _first_ticks(recording)
    figures = RunMetrics()
    if window_s is None:
        for name, fills in by_account.items():
            figures[name] = marks.whole(fills, cash, first[name])
    else:
        for name, fills in by_account.items():
            figures[name] = marks.window(fills, cash, first[name], round(window_s * 1e9))
    if len(figures) == 1 and set(first.values()) == {1}:
        figures["total"] = dict(*figures.values())
    elif by_account:
        ledgers = [Ledger(fills, cash) for fills in by_account.values()]
        figures["total"] = marks.total(ledgers, None if window_s is None else round(window_s * 1e9))
    return figures


def _first_ticks(recording: Recording) -> dict[str, int]:
    """Return the tick from which on each account was in the market."""
    first: dict[str, int] = {}
    outside = (order for order in recording.orders if order.origin != "strategy")
    for event in (*recording.members, *outside):
        first.setdefault(event.id, event.seq)
    return first


class _Marks(NamedTuple):
    """What the accounts of a run are marked at, and the scale of its figures."""

    time: NDArray[np.int64]
    price: NDArray[np.float64]
    ticks: int
    t_end: int
    interval: int
    year: float

    @classmethod
    def of(cls, recording: Recording, config: Config) -> _Marks:
        """Return the ticks of a run and, if it has come to its end, that end at the last price."""
        time, price = recording.time, recording.price
        if recording.end is not None and len(time):
            time, price = np.append(time, recording.t_end), np.append(price, price[-1])
        interval = round(config.metrics.interval_s * 1e9)
        return cls(time, price, len(recording), recording.t_end, interval, config.metrics.seconds_per_year)

    def start(self, first: int) -> int:
        """Return when an account began that was in the market from tick `first` on [ns]."""
        return int(self.time[first - 2]) if first > 1 else 0

    def whole(self, fills: Sequence[Fill], cash: float, first: int) -> Metrics:
        """Return an account's figures over all its time."""
        figures = summary(
            time_ns=self.time,
            price=self.price,
            fills=fills,
            initial_cash=cash,
            end_ns=self.t_end,
            interval_ns=self.interval,
            seconds_per_year=self.year,
            start_ns=self.start(first),
        )
        return {**figures, "ticks": self.ticks - first + 1}

    def window(self, fills: Sequence[Fill], cash: float, first: int, window: int) -> Metrics:
        """Return an account's figures over the last `window` nanoseconds."""
        return window_summary(
            time_ns=self.time,
            price=self.price,
            fills=fills,
            initial_cash=cash,
            end_ns=self.t_end,
            window_ns=window,
            interval_ns=self.interval,
            seconds_per_year=self.year,
            start_ns=self.start(first),
        )

    def total(self, accounts: Sequence[Ledger], window: int | None) -> Metrics:
        """Return the figures of all accounts together."""
        figures = total(
            time_ns=self.time,
            price=self.price,
            accounts=accounts,
            end_ns=self.t_end,
            interval_ns=self.interval,
            seconds_per_year=self.year,
            window_ns=window,
        )
        return figures if window is not None else {**figures, "ticks": self.ticks}
