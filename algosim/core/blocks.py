"""The order of what happens at one tick, which is the order of the lines in ``events.jsonl``."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from algosim.events import (
    Attach,
    Control,
    Detach,
    End,
    Fill,
    Log,
    Order,
    Plot,
    Remove,
    Snapshot,
    Tick,
    Version,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from algosim.core.market import Ticks
    from algosim.events import Event

__all__ = ["block_order", "close", "interleave"]

_TICK = 3


def block_order(event: Event) -> tuple[int | str, ...]:
    """Return the sort key of an event within its block.

    Detaches, raw orders from the wire, commands in the order of their stamps, the tick, fills by due time,
    account and number, snapshots by account, then each strategy's answer: version, orders, points, lines.
    Events of equal key keep the order in which they came.
    """
    if isinstance(event, Fill):
        return (4, event.ts_sim, event.id, event.number)
    if isinstance(event, Snapshot):
        return (5, event.id)
    if isinstance(event, Order):
        return (6, event.id, 1) if event.origin == "strategy" else _ORIGINS[event.origin]
    if isinstance(event, Version):
        return (6, event.id, 0)
    if isinstance(event, Plot):
        return (6, event.id, 2)
    if isinstance(event, Log):
        return (6, event.id, 3)
    return _RANKS[type(event)]


_RANKS: dict[type, tuple[int | str, ...]] = {
    Detach: (0,),
    Control: (2,),
    Attach: (2,),
    Remove: (2,),
    Tick: (_TICK,),
    End: (7,),
}
_ORIGINS: dict[str, tuple[int | str, ...]] = {"wire": (1,), "manual": (2,)}


def close(block: list[Event]) -> list[Event]:
    """Put the events of one block in order and mark the last one as its end."""
    block.sort(key=block_order)
    block[-1].end = True
    return block


def interleave(ticks: Ticks, events: Iterable[Event]) -> list[Event]:
    """Return the blocks of consecutive ticks as one list of events.

    Parameters
    ----------
    ticks : Ticks
    events : iterable of Event
        Of these ticks, ordered by `seq`; within a tick in any order.
    """
    plain: list[Event] = [
        Tick(seq=n, ts_sim=t, price=p, x=x, end=True)
        for n, t, p, x in zip(
            range(ticks.first, ticks.first + len(ticks.time)),
            ticks.time.tolist(),
            ticks.price.tolist(),
            ticks.x.tolist(),
            strict=True,
        )
    ]
    merged: list[Event] = []
    done = 0
    for seq, group in groupby(events, attrgetter("seq")):
        i = seq - ticks.first
        merged += plain[done:i]
        plain[i].end = False
        merged += close([plain[i], *group])
        done = i + 1
    return merged + plain[done:]
