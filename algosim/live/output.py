"""How much of what a strategy says is shown: what is beyond that is counted, and changes nothing else."""

from __future__ import annotations

from typing import NamedTuple

from algosim.events import Level

__all__ = ["SILENCE", "Allowance", "Output", "cut"]

Lines = list[tuple[Level, str]]

LINE = 32
"""Characters that a line costs beside its own, so that a million empty ones are too many, too."""


class Output(NamedTuple):
    """What a strategy said: lines, and how many more there were."""

    lines: Lines
    more: int = 0


SILENCE = Output([])


def cut(lines: Lines, most: int) -> Output:
    """Return the lines that fit into `most` characters, and count the others.

    Errors are kept whatever their length.
    """
    room, kept = most, []
    for level, text in lines:
        room -= LINE + len(text)
        if room >= 0 or level == "error":
            kept.append((level, text))
    return Output(kept, len(lines) - len(kept))


class Allowance:
    """What a strategy may say per second of wall time; a line tells how many others there were.

    Parameters
    ----------
    most : int
        Characters.

    Attributes
    ----------
    more : int
        How many lines were not shown and not told of yet.
    """

    def __init__(self, most: int) -> None:
        self.more = 0
        self._most = self._room = most
        self._second = 0

    def admit(self, said: Output, now: float) -> Lines:
        """Return what of it is shown at the time `now` [s].

        The lines that are not shown are told of in the next second, and before an error at once.
        """
        told: Lines = []
        if int(now) != self._second:
            told = self.rest()
            self._second, self._room = int(now), self._most
        shown, more = cut(said.lines, self._room)
        self._room -= sum(LINE + len(text) for _, text in said.lines)
        self.more += more + said.more
        errors = [line for line in shown if line[0] == "error"]
        if errors:
            return [*told, *(line for line in shown if line not in errors), *self.rest(), *errors]
        return told + shown

    def rest(self) -> Lines:
        """Return the line that tells of those that were not shown, if there were any."""
        more, self.more = self.more, 0
        return [("log", f"... {more:,} more lines are not shown (limits.output_kb)")] if more else []

    def last(self, said: Output) -> Lines:
        """Return all of the last that is said, which comes once, and the line that tells of what is not."""
        before = self.rest()
        self.more = said.more
        return [*before, *said.lines, *self.rest()]
