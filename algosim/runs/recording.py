"""A run as it was recorded, in memory: its ticks as arrays and its events by kind."""

from __future__ import annotations

import threading
from array import array
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from algosim.core.digest import Digest
from algosim.core.market import Ticks
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
from algosim.runs.plots import Plots

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from algosim.events import Event, Member


__all__ = ["Recording"]


class Recording:
    """Everything that a run's events say; grows block by block.

    Attributes
    ----------
    start, end : RunStart, End or None
    orders, fills, snapshots, controls, members, logs : list
    plots : Plots
        Events in the order of the file. `members` has Attach, Version, Detach and Remove.
    lock : RLock
        Held while events are added: who holds it finds whole blocks only.
    """

    def __init__(self) -> None:
        self.start: RunStart | None = None
        self.end: End | None = None
        self._time = array("q")
        self._price = array("d")
        self._x = array("d")
        self.orders: list[Order] = []
        self.fills: list[Fill] = []
        self.snapshots: list[Snapshot] = []
        self.controls: list[Control] = []
        self.members: list[Member] = []
        self.plots = Plots()
        self.logs: list[Log] = []
        self.lock = threading.RLock()

    def __len__(self) -> int:
        """Return the number of ticks."""
        return len(self._time)

    @property
    def time(self) -> NDArray[np.int64]:
        """Simulated time of the ticks [ns], shape (n,); a copy, as the recording may grow."""
        with self.lock:  # it cannot grow while it is copied
            return np.array(self._time, dtype=np.int64)

    @property
    def price(self) -> NDArray[np.float64]:
        """Prices of the ticks, shape (n,)."""
        with self.lock:
            return np.array(self._price, dtype=np.float64)

    @property
    def x(self) -> NDArray[np.float64]:
        """States of the model at the ticks, shape (n,)."""
        with self.lock:
            return np.array(self._x, dtype=np.float64)

    @property
    def last_time(self) -> int:
        """Simulated time of the last tick [ns]; 0 before the first."""
        return self._time[-1] if self._time else 0

    @property
    def last_price(self) -> float:
        """Price of the last tick; NaN before the first."""
        return self._price[-1] if self._price else float("nan")

    @property
    def t_end(self) -> int:
        """End of simulated time [ns], or the last tick's time while the run goes on."""
        return self.end.ts_sim if self.end is not None else self.last_time

    def ticks_between(self, first: int, last: int) -> Ticks:
        """Return the ticks `first` to `last`, both included, counted from 1."""
        cut = slice(first - 1, last)
        return Ticks(
            first,
            np.array(self._time[cut], dtype=np.int64),
            np.array(self._price[cut], dtype=np.float64),
            np.array(self._x[cut], dtype=np.float64),
        )

    def still(self) -> Recording:
        """Return a copy that does not grow; its plots are those of the growing one."""
        copy = Recording()
        with self.lock:
            copy.start, copy.end, copy.plots = self.start, self.end, self.plots
            copy._time, copy._price, copy._x = self._time[:], self._price[:], self._x[:]
            copy.orders, copy.fills, copy.snapshots = self.orders[:], self.fills[:], self.snapshots[:]
            copy.controls, copy.members, copy.logs = self.controls[:], self.members[:], self.logs[:]
        return copy

    def add_ticks(self, ticks: Ticks) -> None:
        """Take consecutive ticks."""
        with self.lock:
            self._time.frombytes(ticks.time.tobytes())
            self._price.frombytes(ticks.price.tobytes())
            self._x.frombytes(ticks.x.tobytes())

    def add(self, events: Iterable[Event]) -> None:
        """Take events, ticks among them."""
        kinds = {
            Order: self.orders,
            Fill: self.fills,
            Snapshot: self.snapshots,
            Control: self.controls,
            Attach: self.members,
            Version: self.members,
            Detach: self.members,
            Remove: self.members,
            Plot: self.plots,
            Log: self.logs,
        }
        with self.lock:
            for event in events:
                kind = kinds.get(type(event))
                if kind is not None:
                    kind.append(event)  # type: ignore[attr-defined]
                elif isinstance(event, Tick):
                    self._time.append(event.ts_sim)
                    self._price.append(event.price)
                    self._x.append(event.x)
                elif isinstance(event, RunStart):
                    self.start = event
                elif isinstance(event, End):
                    self.end = event

    def between_ticks(self) -> list[Event]:
        """Return all events but ticks, start and end, ordered by `seq` and within it as they came."""
        kinds = (self.members, self.controls, self.orders, self.fills, self.snapshots, self.plots, self.logs)
        return sorted((event for events in kinds for event in events), key=attrgetter("seq"))

    @property
    def digest(self) -> str:
        """The digest of everything recorded so far."""
        digest = Digest()
        digest.ticks(self.time, self.price)
        for events in (self.controls, self.members, self.orders, self.fills):
            for event in events:
                digest.event(event)
        if self.end is not None:
            digest.event(self.end)
        return digest.hexdigest()

    def accounts(self) -> list[str]:
        """Return the ids of all accounts, strategies first, in the order in which they appeared."""
        ids = [member.id for member in self.members if isinstance(member, Attach)]
        ids += [order.id for order in self.orders if order.origin != "strategy"]
        return list(dict.fromkeys(ids))
