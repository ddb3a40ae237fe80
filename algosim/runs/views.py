"""A run's data as a person reads it: DataFrames on the simulated clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from algosim.core.metrics import combined_equity, equity_curve, round_trips
from algosim.runs.figures import account_fills

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from algosim.events import Fill
    from algosim.runs.recording import Recording
    from algosim.runs.shown_frames import Trades

__all__ = ["equity_frame", "logs_frame", "positions_frame", "roundtrips_frame", "ticks_frame", "trades_frame"]


def _index(time_ns: NDArray[np.int64]) -> pd.TimedeltaIndex:
    import pandas as pd  # noqa: PLC0415  (half of what an import of algosim may cost)

    return pd.TimedeltaIndex(time_ns.astype("timedelta64[ns]"), name="time")


def ticks_frame(recording: Recording) -> pd.DataFrame:
    """Return a row per tick: ``seq``, ``price``, and the model's state ``x``."""
    import pandas as pd  # noqa: PLC0415

    seq = np.arange(1, len(recording) + 1, dtype=np.int64)
    columns = {"seq": seq, "price": recording.price, "x": recording.x}
    return pd.DataFrame(columns, index=_index(recording.time))


def trades_frame(recording: Recording) -> Trades:
    """Return a row per fill, at the simulated time at which the order was due."""
    import pandas as pd  # noqa: PLC0415

    from algosim.runs.shown_frames import Trades  # noqa: PLC0415

    fills = recording.fills
    floats = ("qty", "price", "slippage_bps", "commission", "realized", "position", "cash")
    columns: dict[str, object] = {
        "seq": np.array([fill.seq for fill in fills], dtype=np.int64),
        "id": pd.array([fill.id for fill in fills], dtype="str"),
        "number": np.array([fill.number for fill in fills], dtype=np.int64),
        "side": pd.Categorical([fill.side for fill in fills], categories=["BUY", "SELL"]),
    }
    for name in floats:
        columns[name] = np.array([getattr(fill, name) for fill in fills], dtype=np.float64)
    columns["tag"] = pd.array([fill.tag for fill in fills], dtype="str")
    time = np.array([fill.ts_sim for fill in fills], dtype=np.int64)
    return Trades(columns, index=_index(time))


def roundtrips_frame(recording: Recording) -> pd.DataFrame:
    """Return a row per closed round trip, at the simulated time of its exit."""
    import pandas as pd  # noqa: PLC0415

    trips = [trip for fills in account_fills(recording).values() for trip in round_trips(fills)]
    trips.sort(key=lambda trip: (trip.exit_ns, trip.id))
    columns: dict[str, object] = {
        "id": pd.array([trip.id for trip in trips], dtype="str"),
        "number": np.array([trip.number for trip in trips], dtype=np.int64),
        "side": pd.Categorical([trip.side for trip in trips], categories=["LONG", "SHORT"]),
    }
    for name in ("qty", "entry_price", "exit_price", "pnl", "commission"):
        columns[name] = np.array([getattr(trip, name) for trip in trips], dtype=np.float64)
    entry = np.array([trip.entry_ns for trip in trips], dtype=np.int64)
    exit_ = np.array([trip.exit_ns for trip in trips], dtype=np.int64)
    columns["entry"] = entry.astype("timedelta64[ns]")
    columns["hold"] = (exit_ - entry).astype("timedelta64[ns]")
    return pd.DataFrame(columns, index=_index(exit_))


def _curve(
    fills: Sequence[Fill], price: NDArray[np.float64], cash: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return an account's position and equity after each tick."""
    position, _, equity = equity_curve(
        np.array([fill.seq for fill in fills], dtype=np.int64),
        np.array([fill.position for fill in fills], dtype=np.float64),
        np.array([fill.cash for fill in fills], dtype=np.float64),
        price,
        cash,
    )
    return position, equity


def _marks(recording: Recording) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return times and prices of all marks: the ticks, and the end of the run at the last price."""
    time, price = recording.time, recording.price
    if recording.end is not None and len(time):
        time, price = np.append(time, recording.end.ts_sim), np.append(price, price[-1])
    return time, price


def logs_frame(recording: Recording) -> pd.DataFrame:
    """Return a row per line of the log: what strategies printed and logged, rejected orders, errors."""
    import pandas as pd  # noqa: PLC0415

    logs, marks = recording.logs, np.append(recording.time, recording.t_end)
    seq = np.array([log.seq for log in logs], dtype=np.int64)
    columns = {
        "seq": seq,
        "id": pd.array([log.id for log in logs], dtype="str"),
        "level": pd.Categorical([log.level for log in logs], categories=["print", "log", "reject", "error"]),
        "text": pd.array([log.text for log in logs], dtype="str"),
    }
    return pd.DataFrame(columns, index=_index(marks[np.minimum(seq, len(marks)) - 1]))


def equity_frame(recording: Recording, initial_cash: float) -> pd.DataFrame:
    """Return a column of equity per account and ``total``, a row per tick and one for the end."""
    import pandas as pd  # noqa: PLC0415

    time, price = _marks(recording)
    curves = {name: _curve(fills, price, initial_cash)[1] for name, fills in account_fills(recording).items()}
    if curves:
        everyone = combined_equity(list(curves.values()), [initial_cash] * len(curves))
        curves["total"] = everyone
    return pd.DataFrame(curves, index=_index(time))


def positions_frame(recording: Recording) -> pd.DataFrame:
    """Return a column of the signed quantity held per account, a row per tick and one for the end."""
    import pandas as pd  # noqa: PLC0415

    time, price = _marks(recording)
    held = {name: _curve(fills, price, 0.0)[0] for name, fills in account_fills(recording).items()}
    return pd.DataFrame(held, index=_index(time))
