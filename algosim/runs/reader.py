"""Follows a run's events while they are written, block by block, without gaps."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from algosim.events import Event, decode_line
from algosim.runs.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Tail"]


class Tail:
    """A growing ``events.jsonl`` as a Recording that grows with it.

    A block is on disk before it is done, so what a command has waited for is always there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recording = Recording()
        self._offset = 0
        self._lock = threading.Lock()

    def update(self) -> Recording:
        """Read the whole blocks that were written since the last call."""
        with self._lock:
            try:
                with self.path.open("rb") as file:
                    file.seek(self._offset)
                    data = file.read()
            except FileNotFoundError:
                return self.recording
            block: list[Event] = []
            read = whole = 0
            for line in data.split(b"\n")[:-1]:
                event = decode_line(line)
                block.append(event)
                read += len(line) + 1
                if event.end:
                    self.recording.add(block)
                    block = []
                    whole = read
            self._offset += whole
            return self.recording
