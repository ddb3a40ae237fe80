"""How much of what a headless strategy says is kept: a long run may print more than a disk has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from algosim.events import Log

if TYPE_CHECKING:
    from algosim.events import Event

__all__ = ["Quota"]

SECONDS = 64
"""A headless run has no seconds; it may say what a live one may in so many."""

LINE = 32
"""Characters that a line costs beside its own."""


class Quota:
    """What one account may say in a run. Which lines are kept does not depend on the machine.

    Parameters
    ----------
    output_kb : int
        As ``limits.output_kb``.
    """

    def __init__(self, output_kb: int) -> None:
        self._room = SECONDS * 1024 * output_kb
        self._told = False

    def cut(self, events: list[Event]) -> list[Event]:
        """Return events without the lines that are too many; errors stay, and one line tells of it."""
        if not any(isinstance(event, Log) for event in events):
            return events
        return [event for each in events if (event := self._admitted(each)) is not None]

    def _admitted(self, event: Event) -> Event | None:
        if not isinstance(event, Log) or event.level == "error":
            return event
        self._room -= LINE + len(event.text)
        if self._room >= 0:
            return event
        if self._told:
            return None
        self._told = True
        return msgspec.structs.replace(
            event, text="... no more lines are kept (limits.output_kb)", level="log"
        )
