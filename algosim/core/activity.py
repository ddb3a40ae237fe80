"""Activity: what one account, or several on one market, did in a span of simulated time."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from algosim.core.equity import combined_equity, equity_curve
from algosim.core.roundtrips import FillColumns, fill_columns, trip_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from algosim.events import Fill

__all__ = ["Activity", "Flows", "Ledger", "Span", "activity", "held_ns", "holdings", "together"]

_block = attrgetter("seq")


class Ledger(NamedTuple):
    """An account as the metrics need it.

    `fills` are all its fills, in order. `last_seq` is the last tick at which a removed account was marked;
    None for one that stayed.
    """

    fills: Sequence[Fill]
    initial_cash: float
    last_seq: int | None = None


class Span(NamedTuple):
    """Simulated time after `start_ns` and up to `end_ns`."""

    start_ns: int
    end_ns: int


class Flows(NamedTuple):
    """Sums over the fills of a span, all but the number in currency.

    `notional` is fill price times quantity, `slippage` the distance of the fill's price from the tick's
    times quantity.
    """

    fills: int
    realized: float
    commission: float
    slippage: float
    notional: float


class Activity(NamedTuple):
    """What happened in a span, in parts that can be put together over accounts.

    `time_ns` and `equity` have one entry for each tick of the span and a last one for its end; `base` is
    the equity at its start. `flat` says that there was no position at either end. A position was held
    from each entry of `held_from` to that of `held_to`.
    """

    time_ns: NDArray[np.int64]
    equity: NDArray[np.float64]
    base: float
    flat: bool
    flows: Flows
    trip_pnl: NDArray[np.float64]
    trip_hold_ns: NDArray[np.int64]
    held_from: NDArray[np.int64]
    held_to: NDArray[np.int64]


def activity(time_ns: NDArray[np.int64], price: NDArray[np.float64], ledger: Ledger, span: Span) -> Activity:
    """Return what an account did in a span.

    A fill belongs to the span if the tick that cleared it does (one of the end block always does), and
    a round trip if the fill that closed it does.
    """
    fills = ledger.fills
    first = int(np.searchsorted(time_ns, span.start_ns, side="right"))
    done = bisect_right(fills, first, key=_block) if first else 0
    held, cash = (fills[done - 1].position, fills[done - 1].cash) if done else (0.0, ledger.initial_cash)
    skip = _opening(fills, done)
    known = fill_columns(fills[skip:])
    now = FillColumns._make(column[done - skip :] for column in known)
    marks = _marks(price, first, ledger.last_seq)
    position, _, equity = equity_curve(
        now.seq - first, now.position, now.cash, marks[1:], cash, initial_position=held
    )
    trips = trip_columns(known)
    closed = trips.exit_fill >= done - skip
    return Activity(
        np.append(time_ns[first:], span.end_ns),
        equity,
        cash + held * float(marks[0]),
        held == 0.0 and position[-1] == 0.0,
        _flows(now, price),
        trips.pnl[closed],
        (trips.exit_ns - trips.entry_ns)[closed],
        *holdings(known, _while_marked(span, time_ns, ledger.last_seq)),
    )


def _flows(fills: FillColumns, price: NDArray[np.float64]) -> Flows:
    size = np.abs(fills.signed)
    return Flows(
        fills=size.size,
        realized=float(fills.realized.sum()),
        commission=float(fills.commission.sum()),
        slippage=float((np.abs(fills.price - price[fills.at - 1]) * size).sum()),
        notional=float((fills.price * size).sum()),
    )


def _opening(fills: Sequence[Fill], done: int) -> int:
    """Return an index that leaves out fills before the round trip that is open after `done` fills.

    A fill that took the position through zero needs the one before it, to be seen as such.
    """
    if done == 0 or fills[done - 1].position == 0.0:
        return done
    opening = done - 1
    long = fills[opening].position > 0.0
    while opening and (before := fills[opening - 1].position) != 0.0:
        if (before > 0.0) != long:
            return opening - 1
        opening -= 1
    return opening


def _marks(price: NDArray[np.float64], first: int, last_seq: int | None) -> NDArray[np.float64]:
    """Return the price that marks the account after `first` ticks, at each later tick, and at the end.

    Before tick 1 there is none; the account is flat then, and any number will do.
    """
    if price.size == 0:
        return np.zeros(2)
    last = price.size if last_seq is None else max(last_seq, 1)
    marks = np.full(price.size - first + 2, price[last - 1])
    marks[0] = price[max(min(first, last) - 1, 0)]
    marks[1 : 1 + max(last - first, 0)] = price[first:last]
    return marks


def _while_marked(span: Span, time_ns: NDArray[np.int64], last_seq: int | None) -> Span:
    if last_seq is None:
        return span
    removed_ns = int(time_ns[last_seq - 1]) if last_seq else 0
    return Span(span.start_ns, min(span.end_ns, removed_ns))


def holdings(fills: FillColumns, span: Span) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when within the span the account began and ceased to have a position, fill by fill."""
    held = fills.position != 0.0
    until = np.append(fills.ts_sim[1:], span.end_ns)[: held.size]
    begin = np.maximum(fills.ts_sim[held], span.start_ns)
    return begin, np.maximum(np.minimum(until[held], span.end_ns), begin)


def held_ns(held_from: NDArray[np.int64], held_to: NDArray[np.int64]) -> int:
    """Return how long at least one of the intervals lasted; they may overlap."""
    if held_from.size == 0:
        return 0
    order = np.argsort(held_from, kind="stable")
    begin, end = held_from[order], np.maximum.accumulate(held_to[order])
    gaps = np.maximum(begin[1:] - end[:-1], 0).sum()
    return int(end[-1] - begin[0] - gaps)


def together(parts: Sequence[Activity]) -> Activity:
    """Return what several accounts, at least one, did in the same span."""
    bases = [part.base for part in parts]
    return Activity(
        parts[0].time_ns,
        combined_equity([part.equity for part in parts], bases),
        sum(bases),
        all(part.flat for part in parts),
        Flows(*(sum(column) for column in zip(*(part.flows for part in parts), strict=True))),
        np.concatenate([part.trip_pnl for part in parts]),
        np.concatenate([part.trip_hold_ns for part in parts]),
        np.concatenate([part.held_from for part in parts]),
        np.concatenate([part.held_to for part in parts]),
    )
