"""The text of ``events.jsonl`` for many ticks at once.

Most blocks are a tick and what indicators showed. Their lines differ in numbers alone, so the text between
the numbers is taken from events that the encoder wrote, and the numbers are written column by column, which
is less work than to make an object for each line.
"""

from __future__ import annotations

from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from algosim.core.blocks import close, in_blocks
from algosim.events import Plot, Tick

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from algosim.core.lines import Lines
    from algosim.core.market import Ticks
    from algosim.events import Event

__all__ = ["event_text"]

_encoder = msgspec.json.Encoder()
_seq = attrgetter("seq")

_HOLE: Any = msgspec.Raw(b"\0")
"""Stands for a number where text is cut; the encoder never writes this byte."""


def event_text(ticks: Ticks, events: Sequence[Event], lines: Sequence[Lines]) -> bytes:
    """Return the blocks of consecutive ticks as lines of text; marks the last event of each block.

    Parameters
    ----------
    ticks : Ticks
    events : sequence of Event
        Of these ticks, ordered by `seq`; within a tick in any order.
    lines : sequence of Lines
        Of these ticks.
    """
    n = len(ticks.time)
    at_all = sorted((part for part in lines if len(part.seq) == n), key=attrgetter("id"))
    at_some = [plot for part in lines if len(part.seq) < n for plot in part.plots()]
    texts = _alike(ticks, at_all)
    written = set()
    for block in in_blocks(sorted(chain(events, at_some), key=_seq) if at_some else events):
        i = block[0].seq - ticks.first
        written.add(i)
        texts[i] = _one(ticks, i, at_all, block)
    for i in np.flatnonzero(ticks.x == 0.0).tolist():  # the encoder leaves out what is a default
        if i not in written:
            texts[i] = _one(ticks, i, at_all, [])
    return b"".join(texts)


def _one(ticks: Ticks, i: int, lines: Iterable[Lines], others: Iterable[Event]) -> bytes:
    """Return the text of the block of one tick."""
    tick = Tick(seq=ticks.first + i, ts_sim=ticks.time.item(i), price=ticks.price.item(i), x=ticks.x.item(i))
    return _encoder.encode_lines(close([tick, *(part.plot(i) for part in lines), *others]))


def _alike(ticks: Ticks, lines: Sequence[Lines]) -> list[bytes]:
    """Return the texts of blocks that are a tick and a point of each line, and nothing else."""
    numbers = _written(np.arange(ticks.first, ticks.first + len(ticks.time)))
    like: list[Event] = [Tick(seq=_HOLE, ts_sim=_HOLE, price=_HOLE, x=_HOLE)]
    columns = [numbers, _written(ticks.time), _written(ticks.price), _written(ticks.x)]
    for part in lines:
        like.append(Plot(seq=_HOLE, id=part.id, values=dict.fromkeys(part.names, _HOLE)))
        columns += [numbers, *map(_written, part.values.T)]
    *before, last = _encoder.encode_lines(close(like)).split(b"\0")
    fields = chain.from_iterable(zip(map(repeat, before), columns, strict=True))
    return list(map(b"".join, zip(*fields, repeat(last), strict=False)))


def _written(numbers: NDArray[Any]) -> list[bytes]:
    return _encoder.encode(numbers.tolist())[1:-1].split(b",")
