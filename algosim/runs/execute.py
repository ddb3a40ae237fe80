"""Carries out a run headless: the market here, each strategy in a child process, merged block by block."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self

from algosim.events import End
from algosim.runs.account_stream import BY_SEQ, AccountStream
from algosim.runs.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from algosim.core.lines import Lines
    from algosim.core.market import Ticks
    from algosim.events import Event
    from algosim.runs.plan import Plan

__all__ = ["Execution"]


class Execution:
    """A plan being carried out.

    Use as a context manager: entering starts the children and waits until each strategy's ``init`` is done,
    leaving ends them.

    Attributes
    ----------
    first_price : float
        Before tick 1.
    streams : list
        One per account: what its strategy was called, its failures, and after the last block the events
        and unfilled orders of the end.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._given: deque[Event] = deque()
        self._drawing = Drawing(plan, plan.last)
        self.first_price = self._drawing.loop.quote.price
        self._code = tempfile.mkdtemp(prefix="algosim-code-")
        folders = self._write_sources()
        self.streams = [AccountStream(plan, account, folders) for account in plan.accounts]

    def __enter__(self) -> Self:
        try:
            for stream in self.streams:
                stream.begin()
            for stream in self.streams:
                stream.await_start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the children and remove what they were given."""
        for stream in self.streams:
            stream.close()
        shutil.rmtree(self._code, ignore_errors=True)

    def _write_sources(self) -> dict[str, Path]:
        folders = {}
        for account in self.plan.accounts:
            for version in account.versions:
                folder = Path(self._code) / version.source.code
                version.source.write(folder)
                folders[version.source.code] = folder
        return folders

    def blocks(self, inputs: Sequence[Event]) -> Iterator[tuple[Ticks, list[Event], list[Lines]]]:
        """Yield ticks, the events of their blocks, ordered by tick, and what indicators showed.

        Parameters
        ----------
        inputs : sequence of Event
            Events that are given rather than computed (commands, attaches, detaches), ordered by tick. Those
            stamped after the last tick are part of the end.
        """
        given = self._given = deque(inputs)
        for ticks in self._drawing:
            seq = ticks.first + len(ticks.time) - 1
            told: list[Event] = []
            while given and given[0].seq <= seq:
                told.append(given.popleft())
            parts = [told] * bool(told) + [stream.events(seq) for stream in self.streams]
            events = parts[0] if len(parts) == 1 else sorted(chain(*parts), key=BY_SEQ)
            yield ticks, events, [lines for stream in self.streams for lines in stream.lines(seq)]
        for stream in self.streams:
            stream.drain()

    def end(self) -> list[Event]:
        """Return the events of the end block, the last of them an End."""
        plan, loop = self.plan, self._drawing.loop
        t_end = loop.end_time(plan.last, plan.t_end, plan.ends_at)
        unfilled = sum(stream.unfilled for stream in self.streams)
        events = [event for stream in self.streams for event in stream.end_events]
        return [*self._given, *events, End(seq=loop.quote.seq + 1, ts_sim=t_end, unfilled=unfilled)]
