"""Where two recordings of a run first differ, in the words that say it to a person."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from algosim.core.blocks import block_order
from algosim.core.broker import Account
from algosim.core.digest import Digest
from algosim.core.orders import signed
from algosim.events import Fill, Order, Tick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from algosim.events import Event, Snapshot
    from algosim.runs.recording import Recording

__all__ = ["Difference", "digest_of", "first_difference"]

MAX_FIELDS = 3
MAX_VALUE = 300


class Difference(NamedTuple):
    """The first event that is not the same.

    Attributes
    ----------
    seq : int
        Its block.
    kind : str
        The event's type as ``events.jsonl`` writes it: ``tick``, ``order``, ``fill``, ``pnl``, ...
    id : str
        The account; empty for a tick.
    text : str
        What was recorded, what was replayed.
    """

    seq: int
    kind: str
    id: str
    text: str


def digest_of(recording: Recording) -> str:
    """Return the digest of what a recording has."""
    digest = Digest()
    digest.ticks(recording.time, recording.price)
    end = [] if recording.end is None else [recording.end]
    for events in (recording.controls, recording.members, recording.orders, recording.fills, end):
        for event in events:
            digest.event(event)
    return digest.hexdigest()


def first_difference(
    recorded: Recording, replayed: Recording, *, initial_cash: float, first_price: float
) -> Difference | None:
    """Return the first event of two recordings that differs, or None.

    Ticks are compared by time and price; the books that were recorded at any tick with those that the
    replayed fills lead to. What was drawn and said is not compared.

    Parameters
    ----------
    recorded, replayed : Recording
    initial_cash : float
        Of every account.
    first_price : float
        The price before tick 1.
    """
    marks = _Marks(replayed, initial_cash, first_price)
    pairs: list[Iterable[tuple[Event | None, Event | None]]] = [
        _tick_pairs(recorded, replayed),
        zip_longest(recorded.members, replayed.members),
        zip_longest(recorded.fills, replayed.fills),
        ((event, marks.like(event)) for event in recorded.snapshots),
        zip_longest(recorded.orders, replayed.orders),
        [(recorded.end, replayed.end)],
    ]
    found = [pair for pair in map(_first, pairs) if pair is not None]
    return _described(*min(found, key=_place)) if found else None


def _tick_pairs(recorded: Recording, replayed: Recording) -> Iterator[tuple[Tick, Tick]]:
    """Yield the first tick that differs."""
    n = min(len(recorded), len(replayed))
    one, other = recorded.ticks_between(1, n), replayed.ticks_between(1, n)
    differing = np.flatnonzero((one.time != other.time) | (one.price != other.price))
    if differing.size:
        i = int(differing[0])
        times, prices = (one.time, other.time), (one.price, other.price)
        a, b = (
            Tick(seq=i + 1, ts_sim=int(time[i]), price=float(price[i]))
            for time, price in zip(times, prices, strict=True)
        )
        yield a, b


def _first(
    pairs: Iterable[tuple[Event | None, Event | None]],
) -> tuple[Event | None, Event | None] | None:
    """Return the first pair of different events; where one of them is extra, that one alone."""
    for a, b in pairs:
        if a is None or b is None:
            if a is not b:
                return a, b
        elif a != b and _fields(a) != _fields(b):
            if _name(a) == _name(b):
                return a, b
            return (a, None) if _key(a) <= _key(b) else (None, b)
    return None


def _fields(event: Event) -> dict[str, Any]:
    """Return what counts of an event; whether it closes its block depends on its neighbours."""
    fields = msgspec.structs.asdict(event)
    del fields["end"]
    return fields


def _name(event: Event) -> tuple[object, ...]:
    """Return what tells which event this is, whatever its values."""
    number = event.number if isinstance(event, Order | Fill) else 0
    return (type(event), event.seq, getattr(event, "id", ""), number)


def _key(event: Event) -> tuple[int, tuple[int | str, ...]]:
    return (event.seq, block_order(event))


def _place(pair: tuple[Event | None, Event | None]) -> tuple[int, tuple[int | str, ...]]:
    return min(_key(event) for event in pair if event is not None)


def _described(recorded: Event | None, replayed: Event | None) -> Difference:
    if recorded is not None and replayed is not None:
        event, text = recorded, _changes(_fields(recorded), _fields(replayed))
    elif recorded is not None:
        event, text = recorded, f"recorded ({_summary(recorded)}), not replayed"
    else:
        assert replayed is not None
        event, text = replayed, f"replayed ({_summary(replayed)}), not recorded"
    number = f"number {event.number}, " if isinstance(event, Order | Fill) else ""
    kind = str(msgspec.to_builtins(event)["type"])
    return Difference(event.seq, kind, getattr(event, "id", ""), number + text)


def _changes(one: dict[str, Any], other: dict[str, Any]) -> str:
    names = [name for name in one if one[name] != other[name]][:MAX_FIELDS]
    return "; ".join(f"{name} {_short(one[name])} recorded, {_short(other[name])} replayed" for name in names)


def _summary(event: Event) -> str:
    shown = {name: value for name, value in _fields(event).items() if name not in _HEAD and value != ""}
    return ", ".join(f"{name} {_short(value)}" for name, value in shown.items())


_HEAD = ("seq", "id", "number", "params", "origin")


def _short(value: object) -> str:
    text = repr(value)
    if isinstance(value, str):  # of a traceback the end: where, the line, what
        text = ": ".join(line.strip() for line in value.splitlines()[-3:])
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}..."


class _Marks:
    """The books that fills lead to, at any later and later tick."""

    def __init__(self, recording: Recording, initial_cash: float, first_price: float) -> None:
        self._fills: dict[str, list[Fill]] = {}
        for fill in reversed(recording.fills):
            self._fills.setdefault(fill.id, []).append(fill)
        self._time = [0, *recording.time.tolist()]
        self._price = [first_price, *recording.price.tolist()]
        self._end = recording.t_end
        self._cash = initial_cash
        self._accounts: dict[str, Account] = {}

    def like(self, snapshot: Snapshot) -> Snapshot:
        """Return the account's books at the block of a snapshot; blocks must not go back."""
        account = self._accounts.setdefault(snapshot.id, Account(snapshot.id, self._cash))
        coming: Sequence[Fill] = self._fills.get(snapshot.id, [])
        while coming and coming[-1].seq <= snapshot.seq:
            fill = self._fills[snapshot.id].pop()
            account.portfolio.apply(signed(fill.side, fill.qty), fill.price, fill.commission)
        at = min(snapshot.seq, len(self._price) - 1)
        time = self._end if snapshot.seq > at else self._time[at]
        return account.snapshot(snapshot.seq, time, self._price[at])
