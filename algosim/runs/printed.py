"""What a strategy prints, line by line, as lines of its log."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from algosim.core.desk import clean_text

if TYPE_CHECKING:
    from algosim.core.desk import Desk
    from algosim.events import Level

__all__ = ["Printed"]

MAX_LINE = 10_000
"""Characters kept of a line that does not end; its log entry shows fewer."""


class Printed(io.TextIOBase):
    """Stands in for ``sys.stdout`` in a strategy's process."""

    def __init__(self) -> None:
        self._desk: Desk | None = None
        self._early: list[str] = []
        self._line = ""

    def attach(self, desk: Desk) -> None:
        """Send lines to a desk from now on, those printed before (while importing) first."""
        self._desk = desk
        for line in self._early:
            desk.say("print", line)
        self._early = []

    def early(self) -> list[tuple[Level, str]]:
        """Return what was printed while there was no desk."""
        return [("print", clean_text(line)) for line in self._early]

    def writable(self) -> bool:
        """Return True: it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Take text; whole lines go to the log."""
        *lines, rest = (self._line + text).split("\n")
        self._line = rest[:MAX_LINE]
        for line in lines:
            if self._desk is None:
                self._early.append(line)
            else:
                self._desk.say("print", line)
        return len(text)
