"""What a strategy's host and its worker say to each other over two pipes."""

from __future__ import annotations

import os
from typing import IO, Any

import msgspec

from algosim.core.desk import Books, Request
from algosim.events import Fill
from algosim.live.output import Output

__all__ = [
    "ANSWERS",
    "Acted",
    "Began",
    "Begin",
    "Broke",
    "Finish",
    "Finished",
    "FrameBuffer",
    "Kept",
    "Load",
    "Loaded",
    "Tell",
    "Tick",
    "decode_reply",
    "framed",
    "read_question",
    "send",
]

MAX_FRAME = 8 << 20


class Load(msgspec.Struct, tag="load"):
    """To the worker, once: where the code is, and the process id of the host that asks.

    Of `params`, those in `inherited` were given to an earlier version: one that this version has no longer is
    dropped.
    """

    folder: str
    label: str
    rng_seed: str
    params: dict[str, Any]
    max_position: float
    max_orders: int
    max_output: int
    inherited: list[str] = []
    host: int = 0


class Begin(msgspec.Struct, tag="begin"):
    """Call ``init``: the version takes over the account at this time."""

    now: int
    books: Books
    prices: list[float]
    kept: dict[str, Any]


class Tick(msgspec.Struct, tag="tick"):
    """Call ``on_tick``. `tick` is what the strategy gets."""

    tick: dict[str, Any]
    fills: list[Fill]


class Finish(msgspec.Struct, tag="finish"):
    """Call ``on_stop``."""

    now: int
    fills: list[Fill]


class Tell(msgspec.Struct, tag="tell"):
    """Say what ``set_state`` kept."""


Question = Load | Begin | Tick | Finish | Tell


class Loaded(msgspec.Struct, tag="loaded"):
    """The code is imported. `params` are ``PARAMS`` with the run's values over them; some were `dropped`."""

    name: str
    params: dict[str, Any]
    dropped: list[str] = []


class Began(msgspec.Struct, tag="began"):
    """``init`` has returned."""

    said: Output


class Acted(msgspec.Struct, tag="acted"):
    """``on_tick`` has returned."""

    orders: list[Request]
    plots: dict[str, float | None]
    said: Output
    warmup: str = ""


class Finished(msgspec.Struct, tag="finished"):
    """``on_stop`` has returned."""

    said: Output


class Kept(msgspec.Struct, tag="kept"):
    """What ``set_state`` kept."""

    state: dict[str, Any]


class Broke(msgspec.Struct, tag="broke"):
    """A hook raised."""

    message: str
    file: str | None
    line: int | None
    source: str | None
    frames: str
    said: Output


Reply = Loaded | Began | Acted | Finished | Kept | Broke

ANSWERS: dict[type[Question], type[Reply]] = {
    Load: Loaded,
    Begin: Began,
    Tick: Acted,
    Finish: Finished,
    Tell: Kept,
}
"""What answers each question, if the learner's code does not raise."""

_encoder = msgspec.msgpack.Encoder()
_questions = msgspec.msgpack.Decoder(Question)
_replies = msgspec.msgpack.Decoder(Reply)


def framed(message: Question | Reply) -> bytes:
    """Return a message as it goes through a pipe, its length before it."""
    data = _encoder.encode(message)
    return len(data).to_bytes(4, "little") + data


def send(stream: IO[bytes], message: Question | Reply) -> None:
    """Write one message."""
    view = memoryview(framed(message))
    while view:
        view = view[stream.write(view) :]


class FrameBuffer:
    """Cuts the bytes of a pipe into messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes that were read."""
        self._data += data

    def __bool__(self) -> bool:
        """Whether there is more than was taken."""
        return bool(self._data)

    def next(self) -> memoryview | None:
        """Return the next whole frame, or None.

        Raises
        ------
        ValueError
            If the frame is longer than 8 MB.
        """
        if len(self._data) < 4:
            return None
        size = int.from_bytes(self._data[:4], "little")
        if size > MAX_FRAME:
            msg = f"the worker sent a frame of {size / 1e6:.0f} MB"
            raise ValueError(msg)
        if len(self._data) < 4 + size:
            return None
        frame = memoryview(bytes(self._data[4 : 4 + size]))
        del self._data[: 4 + size]
        return frame


def read_question(stdin: int, buffer: FrameBuffer) -> Question | None:
    """Return the host's next question, or None when it is gone."""
    while (frame := buffer.next()) is None:
        data = os.read(stdin, 1 << 16)
        if not data:
            return None
        buffer.feed(data)
    question: Question = _questions.decode(frame)
    return question


def decode_reply(frame: memoryview) -> Reply:
    """Read a worker's reply, strictly."""
    reply: Reply = _replies.decode(frame)
    return reply
