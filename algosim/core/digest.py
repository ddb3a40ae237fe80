"""The digest of a run: one SHA-256 over what happened, and over nothing else.

In it: ticks, commands (without pacing), strategies and their versions, orders, fills with the books after
them, the end. Not in it: wall time, the run's id, configuration, speed, pauses, logs, plots, reasons. So
a paced, a paused, a live and a headless run of the same session have the same digest.
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

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
    RunStart,
    Snapshot,
    Tick,
    Version,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from algosim.events import Event

__all__ = ["PACING", "Digest"]

PACING = frozenset({"pause", "resume", "step", "speed", "run_until"})
"""Commands that decide when ticks are released, and nothing else."""

_PARTS = ("ticks", "controls", "members", "orders", "fills", "end")

_LEFT_OUT = frozenset({RunStart, Tick, Snapshot, Plot, Log})

# Adding 0.0 to what goes in turns -0.0 into 0.0.
_ORDER = struct.Struct("<3qd")
_FILL = struct.Struct("<4q5d")


def _integers(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


@lru_cache(maxsize=1024)  # ids, sides and tags come again and again
def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<q", len(data)) + data


def _json(value: object) -> bytes:
    """Write a JSON value in one way only: keys sorted, shortest floats."""
    return _text(msgspec.json.encode(value, order="sorted").decode())


def _order(event: Order) -> bytes:
    return (
        _ORDER.pack(event.seq, event.number, event.due, event.qty + 0.0)
        + _text(event.id)
        + _text(event.side)
        + _text(event.tag)
        + _text(event.origin)
    )


def _fill(event: Fill) -> bytes:
    return (
        _FILL.pack(
            event.seq,
            event.number,
            event.ts_sim,
            event.at,
            event.qty + 0.0,
            event.price + 0.0,
            event.commission + 0.0,
            event.position + 0.0,
            event.cash + 0.0,
        )
        + _text(event.id)
        + _text(event.side)
    )


def _member(event: Attach | Version | Detach | Remove) -> bytes:
    head = _integers(event.seq) + _text(event.id)
    if isinstance(event, Attach):
        return b"a" + head + _integers(event.version) + _text(event.code) + _json(event.params)
    if isinstance(event, Version):
        body = _integers(event.version) + _text(event.code) + _json(event.params)
        return b"v" + head + body + (b"\1" if event.keep_state else b"\0")
    if isinstance(event, Detach):
        return b"d" + head + _integers(event.last_ack, event.version)
    return b"r" + head


class Digest:
    """Takes ticks and events in order and says what they add up to."""

    def __init__(self) -> None:
        self._parts = {part: hashlib.sha256() for part in _PARTS}

    def ticks(self, time: NDArray[np.int64], price: NDArray[np.float64]) -> None:
        """Take consecutive ticks; arrays of shape (n,)."""
        rows = np.empty((len(time), 2), dtype="<i8")
        rows[:, 0] = time
        rows[:, 1] = (price + 0.0).astype("<f8").view("<i8")
        self._parts["ticks"].update(rows.tobytes())

    def event(self, event: Event) -> None:
        """Take one event; kinds that are not part of the digest are passed over."""
        if type(event) in _LEFT_OUT:
            return
        if isinstance(event, Order):
            self._parts["orders"].update(_order(event))
        elif isinstance(event, Fill):
            self._parts["fills"].update(_fill(event))
        elif isinstance(event, Attach | Version | Detach | Remove):
            self._parts["members"].update(_member(event))
        elif isinstance(event, Control) and event.action not in PACING:
            data = _integers(event.seq) + _text(event.action) + _text(event.key) + _json(event.value)
            self._parts["controls"].update(data)
        elif isinstance(event, End):
            self._parts["end"].update(_integers(event.ts_sim, event.unfilled))

    def hexdigest(self) -> str:
        """Return the digest so far, as 64 hexadecimal digits."""
        whole = hashlib.sha256()
        for part in _PARTS:
            whole.update(_text(part) + self._parts[part].digest())
        return whole.hexdigest()
