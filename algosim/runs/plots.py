"""What strategies drew, kept as plain numbers: a run may have a point of every indicator at every tick."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from algosim.events import Plot

if TYPE_CHECKING:
    from algosim.core.lines import Lines

__all__ = ["Plots"]


class Plots(Sequence[Plot]):
    """A sequence of plots that takes a tenth of the memory of a list of them.

    Reading one makes it anew, without the mark of a block's end.
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, ...], int] = {}
        self._names: list[tuple[str, ...]] = []  # by kind: the strategy's id, then the names of its lines
        self._latest = 0
        self._kind = array("L")
        self._seq = array("q")
        self._stop = array("q")
        self._values = array("d")

    def append(self, plot: Plot) -> None:
        """Take one more."""
        self._choose((plot.id, *plot.values))
        for value in plot.values.values():
            self._values.append(math.nan if value is None else value)
        self._kind.append(self._latest)
        self._seq.append(plot.seq)
        self._stop.append(len(self._values))

    def _choose(self, names: tuple[str, ...]) -> None:
        if not self._names or names != self._names[self._latest]:
            self._latest = self._kinds.setdefault(names, len(self._names))
            if self._latest == len(self._names):
                self._names.append(names)

    def add(self, several: Sequence[Lines]) -> None:
        """Take what indicators showed; where there are several strategies, one after the other."""
        for lines in several:
            self._choose((lines.id, *lines.names))
            n, width, first = len(lines.seq), len(lines.names), len(self._values)
            self._kind.extend(array("L", [self._latest]) * n)
            self._seq.frombytes(lines.seq.tobytes())
            self._values.frombytes(lines.values.tobytes())
            self._stop.extend(range(first + width, first + width * n + 1, width))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._seq)

    def __eq__(self, other: object) -> bool:
        """Say whether another sequence of plots has the same ones."""
        return list(self) == list(other) if isinstance(other, Plots) else NotImplemented

    def __iter__(self) -> Iterator[Plot]:
        """Yield one after the other."""
        return map(self._plot, range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Plot: ...
    @overload
    def __getitem__(self, index: slice) -> list[Plot]: ...
    def __getitem__(self, index: int | slice) -> Plot | list[Plot]:
        """Return one by its place, or a list of several."""
        if isinstance(index, slice):
            return [self._plot(i) for i in range(*index.indices(len(self)))]
        return self._plot(range(len(self))[index])

    def _plot(self, i: int) -> Plot:
        name, *lines = self._names[self._kind[i]]
        values = self._values[self._stop[i] - len(lines) : self._stop[i]]
        points = {
            line: None if math.isnan(value) else value for line, value in zip(lines, values, strict=True)
        }
        return Plot(seq=self._seq[i], id=name, values=points)
