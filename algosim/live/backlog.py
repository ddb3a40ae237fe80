"""Blocks on their way to disk: kept until the recorder has confirmed them, sent to it in bundles."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec
import zmq

from algosim.events import End, Event, Tick

if TYPE_CHECKING:
    from algosim.live.wire import Confirm

__all__ = ["BUNDLE_S", "Backlog"]

BUNDLE_S = 0.002
"""How long a block waits for others to share its frame; the strategies have the first turn."""

ROOM = 256 << 10
"""Bytes of blocks in one frame; a block that alone is longer goes alone."""

_encoder = msgspec.json.Encoder()


class Backlog:
    """The broker's blocks that are not on disk yet.

    Parameters
    ----------
    recorder : zmq.Socket
    window : int
        Ticks that may be open at once. Before a quarter of them waits here, all of it is sent.

    Attributes
    ----------
    done : int
        The last block on disk.
    done_time : int
        Its simulated time [ns].
    """

    def __init__(self, recorder: zmq.Socket[bytes], window: int) -> None:
        self.done = 0
        self.done_time = 0
        self._recorder = recorder
        self._enough = max(1, window // 4)
        self._unconfirmed: deque[tuple[int, int, bytes]] = deque()
        self._waiting: deque[bytes] = deque()
        self._due: float | None = None
        self._listens = False

    def __len__(self) -> int:
        """Return the number of blocks that are not confirmed."""
        return len(self._unconfirmed)

    @property
    def waiting(self) -> bool:
        """Whether blocks are still to be sent."""
        return bool(self._waiting)

    def keep(self, block: list[Event]) -> None:
        """Take the next block."""
        time = next((event.ts_sim for event in block if isinstance(event, Tick | End)), self.done_time)
        data = _encoder.encode(block)
        self._unconfirmed.append((block[0].seq, time, data))
        if self._listens:
            self._waiting.append(data)

    def send(self, now: float) -> None:
        """Send what waits, if that has lasted or is much; `now` in seconds of a monotonic clock."""
        if not self._waiting:
            return
        if self._due is None:
            self._due = now + BUNDLE_S
        if now < self._due and len(self._waiting) < self._enough:
            return
        self._due = None
        while self._waiting:
            try:
                self._recorder.send(self._bundle(), zmq.NOBLOCK)
            except zmq.Again:  # it is gone or stuck, and asks for what it has not when it is back
                self._listens = False
                self._waiting.clear()

    def _bundle(self) -> bytes:
        """Return a frame of as many blocks as it has room for, in order."""
        blocks = [self._waiting.popleft()]
        size = len(blocks[0])
        while self._waiting and size + len(self._waiting[0]) <= ROOM:
            size += len(self._waiting[0])
            blocks.append(self._waiting.popleft())
        return b"[" + b",".join(blocks) + b"]"

    def confirmed(self, confirm: Confirm) -> bool:
        """Drop what is on disk, send a fresh recorder the rest; return whether more is done than before."""
        if confirm.fresh:
            self._listens = True
            self._waiting = deque(data for seq, _, data in self._unconfirmed if seq > confirm.seq)
        while self._unconfirmed and self._unconfirmed[0][0] <= confirm.seq:
            self.done_time = self._unconfirmed.popleft()[1]
        before, self.done = self.done, max(self.done, confirm.seq)
        return self.done > before
