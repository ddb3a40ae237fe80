"""What a strategy is asked next: its ticks and its account's clearings, in order, every hole found."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from algosim.events import Attach, Remove

if TYPE_CHECKING:
    from algosim.live.wire import Clear, Stamped, State, TickMessage

__all__ = ["Feed", "Hole"]


class Hole(Exception):  # noqa: N818  (says what is missing)
    """A message that must have come has not; an answer that was computed without it would be wrong."""


class Feed:
    """The part of the stream that is one strategy's.

    Parameters
    ----------
    id : str
        The strategy's.

    Attributes
    ----------
    attached : bool
        Whether ticks are for it.
    acked : int
        The last tick that it answered.
    """

    def __init__(self, id: str) -> None:
        self.attached = False
        self.acked = 0
        self._id = id
        self._commands: int | None = None
        self._joins = self._upcoming = 0
        self._leave_before: int | None = None
        self._ticks: deque[TickMessage] = deque()
        self._clears: deque[Clear] = deque()
        self._state: State | None = None
        self._taken = False

    def __len__(self) -> int:
        """Return the number of ticks that wait to be asked."""
        return len(self._ticks)

    @property
    def left(self) -> bool:
        """Whether it was removed and has answered all ticks before that."""
        return self._leave_before is not None and self.acked >= self._leave_before - 1

    @property
    def calm(self) -> bool:
        """Whether nothing is to be asked before the account's next clearing, whatever the stream brings."""
        return self._taken and not self._clears

    @property
    def lacks_tick(self) -> bool:
        """Whether a clearing is there before its tick."""
        return bool(self._clears) and not self._ticks

    def command(self, stamped: Stamped, version: int) -> None:
        """Take the next command of the stream.

        Parameters
        ----------
        stamped : Stamped
        version : int
            The one that may be attached; an attach of another is of one that has gone since.

        Raises
        ------
        Hole
            If it is not the next one.
        """
        before, self._commands = self._commands, stamped.seq
        if before is not None and stamped.seq != before + 1:
            msg = f"command {before + 1}"
            raise Hole(msg)
        event = stamped.event
        if isinstance(event, Attach) and (event.id, event.version) == (self._id, version):
            self.attached, self._leave_before = True, None
            self.acked = event.seq - 1
            self._joins = self._upcoming = event.seq
        elif isinstance(event, Remove) and event.id == self._id:
            self._leave_before = event.seq

    def tick(self, tick: TickMessage) -> None:
        """Take the next tick of the stream.

        Raises
        ------
        Hole
            If it, or a command before it, is not the next one.
        """
        commands, self._commands = self._commands, tick.controls
        if commands is not None and tick.controls != commands:
            msg = f"a command before tick {tick.seq}"
            raise Hole(msg)
        if not self.attached or (self._leave_before is not None and tick.seq >= self._leave_before):
            return
        if tick.seq != self._upcoming:
            msg = f"tick {self._upcoming}"
            raise Hole(msg)
        self._upcoming += 1
        self._ticks.append(tick)

    def state(self, state: State) -> None:
        """Take the account as it is when a strategy is attached; which one, the stream tells."""
        if not self._taken:
            self._state = state
            self._clears.clear()

    def clear(self, clear: Clear) -> None:
        """Take the account's next clearing; before it has told its state they are not for the strategy."""
        if self._state is not None:
            self._clears.append(clear)

    def take_over(self) -> State | None:
        """Return the account as it is for the version that is attached; once, when both have come."""
        state = self._state
        if self._taken or not self.attached or state is None or state.seq != self._joins - 1:
            return None
        self._taken = True
        return state

    def detach(self) -> None:
        """Take no tick until the strategy is attached again."""
        self.attached = self._taken = False
        self._state = None
        self._ticks.clear()
        self._clears.clear()

    def due(self) -> tuple[TickMessage, Clear] | None:
        """Return the oldest tick that is not answered with its clearing, once both are there.

        Raises
        ------
        Hole
            If they do not belong together.
        """
        if not self._ticks or not self._clears or not self._taken:
            return None
        tick, clear = self._ticks[0], self._clears[0]
        if tick.seq != clear.seq:
            msg = f"the clearing of tick {tick.seq}"
            raise Hole(msg)
        return tick, clear

    def take(self) -> None:
        """Drop what `due` returned: the strategy is being asked."""
        self._ticks.popleft()
        self._clears.popleft()
