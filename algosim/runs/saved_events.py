"""Reads ``events.jsonl`` back: whole blocks only, in order, with a word on what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from algosim.errors import RunError
from algosim.events import End, RunStart, Tick, decode_line
from algosim.runs.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

    from algosim.events import Event

__all__ = ["FORMAT", "SavedEvents", "read_events"]

FORMAT = 1
"""The format of ``events.jsonl`` that this version reads."""

BATCH = 4096


class SavedEvents(NamedTuple):
    """What a file of events has: its whole blocks, their size in bytes, and what was dropped after them."""

    recording: Recording
    size: int
    dropped: str


def read_events(path: Path) -> SavedEvents:
    """Read the whole blocks of a file of events.

    A file whose writer was killed may end within a block, or within a line; that end is dropped.

    Raises
    ------
    RunError
        If a line before the last whole block is not an event, or a block is missing or out of order.
    OSError
        If the file cannot be read.
    """
    reader = _Reader(path)
    with path.open("rb") as lines:
        for line in lines:
            reader.take(line)
    return reader.result()


class _Reader:
    """Sorts lines into blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recording = Recording()
        self._ready: list[Event] = []
        self._block: list[Event] = []
        self._fault = ""
        self._upcoming = 0
        self._ended = False
        self._lines = self._whole_lines = 0
        self._bytes = self._whole_bytes = 0

    def take(self, line: bytes) -> None:
        """Take the next line."""
        self._lines += 1
        self._bytes += len(line)
        if not line.endswith(b"\n"):
            return
        try:
            event = decode_line(line)
        except msgspec.MsgspecError as error:
            self._fault = self._fault or f"line {self._lines}: not an event that this version knows ({error})"
            return
        self._block.append(event)
        if event.end:
            self._close()

    def _close(self) -> None:
        """Take the lines so far as a whole block, after a look at whether they are one."""
        fault = self._fault or self._wrong(self._block)
        if fault:
            msg = f"{self._path}, {fault}"
            raise RunError(msg)
        self._upcoming += 1
        self._ready += self._block
        self._block = []
        self._whole_lines, self._whole_bytes = self._lines, self._bytes
        if len(self._ready) >= BATCH:
            self._flush()

    def _wrong(self, block: list[Event]) -> str:
        """Return what is wrong with a block, or ``""``."""
        seq = self._upcoming
        if self._ended:
            return f"line {self._lines}: the run goes on after its end"
        for event in block:
            if event.seq != seq:
                return f"line {self._lines}: block {seq} is missing or not whole, before block {event.seq}"
        closing = [event for event in block if isinstance(event, Tick | End | RunStart)]
        kinds = (RunStart,) if seq == 0 else (Tick, End)
        if len(closing) != 1 or not isinstance(closing[0], kinds):
            what = "a first line of type run" if seq == 0 else f"one tick or end in block {seq}"
            return f"line {self._lines}: {what} is missing"
        start = closing[0]
        if isinstance(start, RunStart) and start.format != FORMAT:
            return f"line 1: format {start.format} of algosim {start.algosim}; this version reads {FORMAT}"
        self._ended = isinstance(start, End)
        return ""

    def _flush(self) -> None:
        self._recording.add(self._ready)
        self._ready = []

    def result(self) -> SavedEvents:
        """Return what was read."""
        self._flush()
        lost = self._lines - self._whole_lines
        lines = "line was" if lost == 1 else "lines were"
        dropped = f"{self._path.name}: {lost} {lines} dropped after the last complete block" if lost else ""
        return SavedEvents(self._recording, self._whole_bytes, dropped)
