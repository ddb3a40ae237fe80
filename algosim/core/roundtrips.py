"""Round trips: how the fills of one account pair up into entries and exits, from flat to flat."""

from __future__ import annotations

from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from algosim.core.orders import signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from algosim.events import Fill

__all__ = ["FillColumns", "RoundTrip", "TripColumns", "fill_columns", "round_trips", "trip_columns"]


class RoundTrip(NamedTuple):
    """One closed round trip of an account.

    `number` counts up per account from 1. `qty` is the largest absolute position; prices are averages
    over the quantities entered and left, slippage included; `pnl` is net of `commission`; times are
    those of the first and the last fill, and `hold_s` is the simulated time between them.
    """

    id: str
    number: int
    side: Literal["LONG", "SHORT"]
    qty: float
    entry_ns: int
    exit_ns: int
    entry_price: float
    exit_price: float
    pnl: float
    commission: float
    hold_s: float


class FillColumns(NamedTuple):
    """Fills of one account as arrays, one entry a fill. `signed` is the quantity, negative for a sale."""

    seq: NDArray[np.int64]
    ts_sim: NDArray[np.int64]
    at: NDArray[np.int64]
    signed: NDArray[np.float64]
    price: NDArray[np.float64]
    commission: NDArray[np.float64]
    realized: NDArray[np.float64]
    position: NDArray[np.float64]
    cash: NDArray[np.float64]


class TripColumns(NamedTuple):
    """Closed round trips as arrays, one entry a trip; `exit_fill` indexes the fill that closed it."""

    exit_fill: NDArray[np.int64]
    long: NDArray[np.bool_]
    qty: NDArray[np.float64]
    entry_ns: NDArray[np.int64]
    exit_ns: NDArray[np.int64]
    entry_price: NDArray[np.float64]
    exit_price: NDArray[np.float64]
    pnl: NDArray[np.float64]
    commission: NDArray[np.float64]


def fill_columns(fills: Sequence[Fill]) -> FillColumns:
    """Return the fields of `fills` as arrays."""

    def numbers(name: str, kind: type[np.int64 | np.float64]) -> NDArray[Any]:
        return np.fromiter(map(attrgetter(name), fills), kind, len(fills))

    return FillColumns(
        seq=numbers("seq", np.int64),
        ts_sim=numbers("ts_sim", np.int64),
        at=numbers("at", np.int64),
        signed=np.fromiter((signed(fill.side, fill.qty) for fill in fills), np.float64, len(fills)),
        price=numbers("price", np.float64),
        commission=numbers("commission", np.float64),
        realized=numbers("realized", np.float64),
        position=numbers("position", np.float64),
        cash=numbers("cash", np.float64),
    )


def trip_columns(fills: FillColumns) -> TripColumns:
    """Return the closed round trips among `fills`, which start from a flat account.

    A fill that takes the position through zero closes one trip and opens the next; its commission is
    split by quantity. The account is flat where `position` is exactly zero. The profit of the closed trips
    and what the fills of a still open one realised add up to what all fills realised.
    """
    opened, closed, begins, ends = _legs(fills)
    entry_fill, exit_fill = np.flatnonzero(begins), np.flatnonzero(ends)
    n = exit_fill.size
    first = entry_fill[:n]
    # The trip that what a fill opens belongs to, and that of what it closes; they differ where it ends one.
    opening = np.cumsum(ends, dtype=np.int64)
    closing = opening - ends
    carried = np.where(ends, fills.commission * opened / (opened + closed), 0.0)
    return TripColumns(
        exit_fill=exit_fill,
        long=fills.position[first] > 0.0,
        qty=np.maximum.reduceat(np.abs(fills.position), entry_fill)[:n],
        entry_ns=fills.ts_sim[first],
        exit_ns=fills.ts_sim[exit_fill],
        entry_price=_average(opening, opened, fills.price, first),
        exit_price=_average(closing, closed, fills.price, exit_fill),
        pnl=_sums(closing, fills.realized + carried, n) - _sums(opening, carried, n),
        commission=_sums(closing, fills.commission - carried, n) + _sums(opening, carried, n),
    )


def _legs(
    fills: FillColumns,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what each fill opened and closed, and whether it began and ended a round trip."""
    after, size = fills.position, np.abs(fills.signed)
    before = np.zeros_like(after)
    before[1:] = after[:-1]
    flips = np.sign(before) * np.sign(after) < 0.0
    reduces = np.sign(before) * np.sign(fills.signed) < 0.0
    opened = np.where(flips, np.abs(after), np.where(reduces, 0.0, size))
    closed = np.where(flips, np.abs(before), np.where(reduces, size, 0.0))
    begins = ((before == 0.0) & (after != 0.0)) | flips
    ends = ((before != 0.0) & (after == 0.0)) | flips
    return opened, closed, begins, ends


def _sums(trip: NDArray[np.int64], amount: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.bincount(trip, amount, n)[:n].astype(np.float64, copy=False)


def _average(
    trip: NDArray[np.int64],
    qty: NDArray[np.float64],
    price: NDArray[np.float64],
    one_fill: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the average price of each trip, weighted by `qty`.

    Averages the distances from the price of `one_fill` of each trip, so that equal prices average to
    exactly that price.
    """
    n = one_fill.size
    near = np.zeros(n + 1)
    near[:n] = price[one_fill]
    return near[:n] + _sums(trip, qty * (price - near[trip]), n) / _sums(trip, qty, n)


def round_trips(fills: Sequence[Fill]) -> list[RoundTrip]:
    """Return the closed round trips of one account.

    Parameters
    ----------
    fills : sequence of Fill
        All fills of the account, in their order.
    """
    trips = trip_columns(fill_columns(fills))
    hold_s = (trips.exit_ns - trips.entry_ns) / 1e9
    sides = ["LONG" if long else "SHORT" for long in trips.long.tolist()]
    rest = (column.tolist() for column in (*trips[2:], hold_s))
    # One account: every fill has its id. There are no more trips than fills, and map ends with the trips.
    return list(map(RoundTrip, (fill.id for fill in fills), count(1), sides, *rest))
