"""The market of a headless run, drawn block by block, and how it reaches a strategy that has no seed."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from algosim.core.engine import Loop
from algosim.core.market import CHUNK, Market, Ticks
from algosim.runs.launch import read_exactly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.engine import Emit
    from algosim.runs.plan import Plan

__all__ = ["Drawing", "receive_ticks", "send_ticks"]

_COUNT = 4
"""Bytes that say how many ticks a block has; none is the end."""


class Drawing:
    """The ticks of a plan's market up to tick `last`, or to the end of the run's duration.

    Iterating gives them block by block, once.

    Attributes
    ----------
    loop : Loop
        The market alone.
    """

    def __init__(self, plan: Plan, last: int) -> None:
        self._plan = plan
        self._last = last
        self._blocks: deque[Ticks] = deque()
        emit: Emit = lambda ticks, _: self._blocks.append(ticks)  # noqa: E731  (typed here, not three times)
        market = Market(plan.config.model, plan.config.schedule, plan.seed)
        self.loop = Loop(plan.config, market, None, plan.controls, emit)

    def __iter__(self) -> Iterator[Ticks]:
        seq = 0
        while seq < self._last:
            self.loop.run(min(self._last, seq + CHUNK), self._plan.t_end)
            if not self._blocks:
                return
            while self._blocks:
                ticks = self._blocks.popleft()
                seq = ticks.first + len(ticks.time) - 1
                yield ticks


def send_ticks(to: int, drawing: Drawing) -> None:
    """Write all ticks to a descriptor, waiting where the reader takes its time.

    Raises
    ------
    OSError
        If the reader is gone.
    """
    for ticks in drawing:
        count = len(ticks.time)
        columns = (column.tobytes() for column in (ticks.time, ticks.price, ticks.x))
        _write(to, b"".join([count.to_bytes(_COUNT, "little"), *columns]))
    _write(to, bytes(_COUNT))


def _write(to: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(to, view) :]


def receive_ticks(descriptor: int) -> Iterator[Ticks]:
    """Yield what `send_ticks` writes.

    Raises
    ------
    EngineError
        If the sender is gone.
    """
    first = 1
    while count := int.from_bytes(read_exactly(descriptor, _COUNT), "little"):
        size = 8 * count
        data = read_exactly(descriptor, 3 * size)
        price = np.frombuffer(data, np.float64, count, size)
        yield Ticks(
            first,
            np.frombuffer(data, np.int64, count),
            price,
            np.frombuffer(data, np.float64, count, 2 * size),
        )
        first += count
