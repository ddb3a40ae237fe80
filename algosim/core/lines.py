"""What a strategy's indicators showed, tick after tick: columns, which are a tenth of the work of events."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from algosim.events import Plot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from algosim.core.strategy import Runner

__all__ = ["Lines", "Pen"]


class Lines(NamedTuple):
    """Values of the same lines at ascending ticks; NaN is a gap.

    `seq` has shape (n,), `values` shape (n, number of names).
    """

    id: str
    names: tuple[str, ...]
    seq: NDArray[np.int64]
    values: NDArray[np.float64]

    def cut(self, last: int) -> tuple[Lines, Lines]:
        """Return the part up to tick `last`, and the rest."""
        n = int(np.searchsorted(self.seq, last, side="right"))
        return (
            self._replace(seq=self.seq[:n], values=self.values[:n]),
            self._replace(seq=self.seq[n:], values=self.values[n:]),
        )

    def plot(self, i: int) -> Plot:
        """Return one as an event."""
        values = [None if math.isnan(value) else value for value in self.values[i].tolist()]
        return Plot(seq=self.seq.item(i), id=self.id, values=dict(zip(self.names, values, strict=True)))

    def plots(self) -> list[Plot]:
        """Return them as events."""
        return [self.plot(i) for i in range(len(self.seq))]


class Pen:
    """Notes what a strategy's indicators show.

    Parameters
    ----------
    id : str
        The strategy's account.
    runner : Runner
    """

    def __init__(self, id: str, runner: Runner) -> None:
        self._id = id
        self._runner = runner
        self._names: tuple[str, ...] = ()
        self._seq: list[int] = []
        self._values: list[float | None] = []
        self._full: list[Lines] = []

    def note(self, seq: int) -> None:
        """Note the present values at tick `seq`."""
        row = self._runner.row()
        if len(row) != len(self._names):  # an indicator was made
            self._turn()
            self._names = self._runner.names()
        if row:
            self._seq.append(seq)
            self._values += row

    def take(self) -> list[Lines]:
        """Return what was noted since the last call."""
        self._turn()
        full, self._full = self._full, []
        return full

    def _turn(self) -> None:
        if self._seq:
            seq = np.array(self._seq, dtype=np.int64)
            values = np.array(self._values, dtype=np.float64)  # None becomes NaN
            self._full.append(Lines(self._id, self._names, seq, values.reshape(len(seq), -1)))
            self._seq, self._values = [], []
