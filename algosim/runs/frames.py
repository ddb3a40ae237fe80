"""What a run's process and a strategy's child say to each other when a run is headless."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import msgspec
import numpy as np

from algosim.config import Config
from algosim.core.broker import AccountState
from algosim.core.desk import Books
from algosim.core.lines import Lines
from algosim.events import Control, Event, Order

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "UNKNOWN",
    "Alive",
    "Block",
    "Ended",
    "Failed",
    "Frame",
    "Job",
    "Reached",
    "Started",
    "read_frames",
    "write_frame",
]


UNKNOWN = -1


MAX_FRAME = 1 << 28
"""Bytes; a block of ticks with all the orders and output that there may be has less."""


class Job(msgspec.Struct, kw_only=True):
    """One version of a strategy, from its first tick until the next version takes over, or the end.

    Attributes
    ----------
    rng_seed : str
        Of the version's own random numbers, in decimal (it has more than 64 bits). The run's seed stays
        where the market is drawn: who has it knows the prices to come.
    script : list
        Commands that move the market and conditions, and the account's own manual and wire orders.
    folder, label : str
        Where its files are, and what errors call the entry file.
    first : int
        Its first tick.
    active : int or None
        Its last tick, where it was detached or removed; the account then goes on without it.
    stop : int or None
        The last tick before the next version, None if there is none.
    last, t_end : int
        The run ends with tick `last`, or with the last one at or before `t_end` [ns].
    ends_at : int or None
        The end of simulated time [ns], where it is known beforehand.
    since : int
        The tick at which the strategy was last attached; ``ctx.history`` begins there.
    books : Books or None
        The account as the version before knew it, where it hands over while it runs.
    account : AccountState or None
        The account as the version before left it; None for a new one.
    traced : int or None
        After this tick every call of a hook is told of beforehand: the process died here the last time.
    """

    config: Config
    rng_seed: str
    id: str
    script: list[Control | Order]
    folder: str
    label: str
    params: dict[str, Any]
    version: int
    first: int
    active: int | None
    stop: int | None
    last: int
    t_end: int
    ends_at: int | None
    since: int
    account: AccountState | None
    books: Books | None
    kept: dict[str, Any]
    record_lines: bool
    traced: int | None = None


class Started(msgspec.Struct, tag="started"):
    """``init`` returned. `params` are ``PARAMS`` with the run's values."""

    name: str
    params: dict[str, Any]


class Alive(msgspec.Struct, tag="alive"):
    """A sign of life while a strategy takes its time."""


class Reached(msgspec.Struct, tag="reached"):
    """The hook of tick `seq` is about to be called; ``on_stop``'s is one after the last."""

    seq: int


class Columns(msgspec.Struct):
    """Lines as they are sent: `seq` and `values` are the bytes of int64 and float64 arrays."""

    names: tuple[str, ...]
    seq: bytes
    values: bytes

    @classmethod
    def of(cls, lines: Lines) -> Columns:
        """Return lines as they are sent."""
        return cls(lines.names, lines.seq.tobytes(), lines.values.tobytes())

    def lines(self, id: str) -> Lines:
        """Return them as they were, as those of an account."""
        seq = np.frombuffer(self.seq, dtype=np.int64)
        values = np.frombuffer(self.values, dtype=np.float64).reshape(len(seq), len(self.names))
        return Lines(id, self.names, seq, values)


class Block(msgspec.Struct, tag="block"):
    """The account's events up to tick `last`, ordered by tick, and what its indicators showed."""

    last: int
    events: list[Event]
    lines: list[Columns] = []


class Failed(msgspec.Struct, tag="failed"):
    """The strategy failed at tick `seq` (in ``init`` if that is before its first).

    After `overrun`, a hook over its budget, nothing more comes: the child has ended. If it is `gone` by
    itself, who waited for it says so, and may not know the tick (`UNKNOWN`).
    """

    seq: int
    message: str
    file: str | None = None
    line: int | None = None
    source: str | None = None
    frames: str = ""
    overrun: bool = False
    gone: bool = False

    @property
    def leaves(self) -> bool:
        """Whether the strategy's process is no more."""
        return self.overrun or self.gone


class Ended(msgspec.Struct, tag="ended"):
    """The child is done: the account, the account as the strategy knows it, what it kept, orders unfilled."""

    account: AccountState
    books: Books
    kept: dict[str, Any]
    unfilled: int
    events: list[Event]


Frame = Started | Alive | Reached | Block | Failed | Ended

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Frame)


def write_frame(stream: IO[bytes], frame: Frame) -> None:
    """Write one frame, with its length before it."""
    data = _encoder.encode(frame)
    view = memoryview(len(data).to_bytes(4, "little") + data)
    while view:
        view = view[stream.write(view) :]


def read_frames(stream: IO[bytes]) -> Iterator[Frame]:
    """Yield frames until the stream ends.

    Raises
    ------
    EOFError
        If it ends within a frame.
    ValueError
        If what comes is no frame.
    """
    while head := stream.read(4):
        size = int.from_bytes(head, "little")
        if size > MAX_FRAME:
            msg = f"the strategy's process sent a frame of {size / 1e6:.0f} MB"
            raise ValueError(msg)
        data = stream.read(size)
        if len(data) < size:
            msg = "the child's answer ends within a frame"
            raise EOFError(msg)
        try:
            frame = _decoder.decode(data)
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            msg = f"what the strategy's process sent cannot be read: {error}"
            raise ValueError(msg) from error
        yield frame
