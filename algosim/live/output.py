"""How much of what a strategy says is shown: what is beyond that is counted, and changes nothing else."""

from __future__ import annotations

__all__ = ["Allowance", "cut"]

from algosim.events import Level

Lines = list[tuple[Level, str]]

LINE = 32
"""Characters that a line costs beside its own, so that a million empty ones are too many, too."""


def cut(lines: Lines, most: int) -> Lines:
    """Return the lines that fit into `most` characters; the others become one line that counts them.

    Errors are kept whatever their length.
    """
    room, kept = most, []
    for level, text in lines:
        room -= LINE + len(text)
        if room >= 0 or level == "error":
            kept.append((level, text))
    dropped = len(lines) - len(kept)
    if dropped:
        kept.append(("log", f"... {dropped:,} more lines are not shown (limits.output_kb)"))
    return kept


class Allowance:
    """What a strategy may say per second of wall time.

    Parameters
    ----------
    most : int
        Characters.
    """

    def __init__(self, most: int) -> None:
        self._most = self._room = most
        self._second = 0

    def admit(self, lines: Lines, now: float) -> Lines:
        """Return what of these lines is shown at the time `now` [s]."""
        if int(now) != self._second:
            self._second, self._room = int(now), self._most
        if self._room < 0:  # which has been said
            return [line for line in lines if line[0] == "error"]
        shown = cut(lines, self._room)
        self._room -= sum(LINE + len(text) for _, text in lines)
        return shown
