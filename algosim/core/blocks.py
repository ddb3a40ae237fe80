"""The order of what happens at one tick, which is the order of the lines in ``events.jsonl``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    from collections.abc import Callable, Iterable, Iterator

    from algosim.events import Event

__all__ = ["block_order", "close", "in_blocks"]

Key = tuple[int | str, ...]

_TICK = 3


def block_order(event: Event) -> Key:
    """Return the sort key of an event within its block.

    Detaches, raw orders from the wire, commands in the order of their stamps, the tick, fills by due time,
    account and number, snapshots by account, then each strategy's answer: version, orders, points, lines.
    Events of equal key keep the order in which they came.
    """
    return _KEYS[type(event)](event)


def _order_key(order: Order) -> Key:
    return (6, order.id, 1) if order.origin == "strategy" else _ORIGINS[order.origin]


_ORIGINS: dict[str, Key] = {"wire": (1,), "manual": (2,)}
_KEYS: dict[type, Callable[[Any], Key]] = {
    Detach: lambda _: (0,),
    Control: lambda _: (2,),
    Attach: lambda _: (2,),
    Remove: lambda _: (2,),
    Tick: lambda _: (_TICK,),
    Fill: lambda fill: (4, fill.ts_sim, fill.id, fill.number),
    Snapshot: lambda snapshot: (5, snapshot.id),
    Version: lambda version: (6, version.id, 0),
    Order: _order_key,
    Plot: lambda plot: (6, plot.id, 2),
    Log: lambda log: (6, log.id, 3),
    End: lambda _: (7,),
}


def close(block: list[Event]) -> list[Event]:
    """Put the events of one block in order and mark the last one as its end."""
    if len(block) > 1:
        block.sort(key=block_order)
    block[-1].end = True
    return block


def in_blocks(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Yield events that are ordered by `seq` as one list for each block."""
    block: list[Event] = []
    for event in events:
        if block and event.seq != block[0].seq:
            yield block
            block = []
        block.append(event)
    if block:
        yield block
