"""The beginning of a recorded run, as it was read when it had come to a tick; grows towards the whole."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

from algosim.runs.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.events import Event

__all__ = ["Prefix"]

_seq = attrgetter("seq")


class Prefix:
    """Takes block after block of a whole recording over into one that grows.

    Parameters
    ----------
    whole : Recording
        Must not change while it is read from.

    Attributes
    ----------
    recording : Recording
        What had been recorded when block `tick` was done; with the end too, once `grow` was asked for it.
    tick : int
    """

    def __init__(self, whole: Recording) -> None:
        self._whole = whole
        self._kinds: tuple[Sequence[Event], ...] = (
            whole.orders,
            whole.fills,
            whole.snapshots,
            whole.controls,
            whole.members,
            whole.plots,
            whole.logs,
        )
        self._taken = [0] * len(self._kinds)
        self.recording = Recording()
        self.recording.start = whole.start
        self.tick = 0

    @property
    def ended(self) -> bool:
        """Whether the end of the run has been taken over."""
        return self.recording.end is not None

    def grow(self, tick: int, *, end: bool) -> None:
        """Take over the blocks up to a tick, and with `end` the block after the last tick."""
        with self.recording.lock:
            self._grow(tick, end=end)

    def _grow(self, tick: int, *, end: bool) -> None:
        with self.recording.lock:
            for i, events in enumerate(self._kinds):
                first = self._taken[i]
                stop = len(events) if end else bisect_right(events, tick, lo=first, key=_seq)
                self.recording.add(events[first:stop])
                self._taken[i] = stop
            if tick > self.tick:
                self.recording.add_ticks(self._whole.ticks_between(self.tick + 1, tick))
                self.tick = tick
            if end:
                self.recording.end = self._whole.end
