"""What goes over the wire: every message, its topic, and how strictly it is read.

One frame per message. Published messages are ``topic``, one space, JSON: libzmq's ``CONFLATE`` drops
messages of several parts, and the space keeps topic ``X`` from matching ``X2``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import zmq

from algosim.core.desk import Books, Request
from algosim.errors import EngineError
from algosim.events import Attach, Control, End, Fill, Level, Order, Remove

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CONTROL_TOPIC",
    "MAX_FRAME",
    "Ack",
    "Clear",
    "Confirm",
    "LogLines",
    "RawOrder",
    "Stamped",
    "State",
    "Stop",
    "Stopped",
    "TickMessage",
    "Upstream",
    "arrived",
    "arrived_frames",
    "credit_frame",
    "document",
    "encode",
    "published",
    "ready_topic",
    "wall_ns",
]

CONTROL_TOPIC = "@control"
MAX_FRAME = 1 << 20
"""Largest frame that a socket takes, in bytes; whoever sends more is cut off."""

SUBSCRIBE, CREDIT = b"\x01", b"\x02"

_EVENTS, _READABLE = zmq.EVENTS, int(zmq.POLLIN)  # of two flags, & would make a third: a slow call


def wall_ns() -> int:
    """Return the wall clock, ns since 1970; for people, no logic reads it."""
    return time.time_ns()


class _Message(msgspec.Struct, tag_field="type", forbid_unknown_fields=True, kw_only=True, gc=False):
    """What all messages share."""

    seq: int
    ts_sim: int
    ts_wall: int
    run_id: str


class TickMessage(_Message, tag="tick"):
    """Simulator to all: one tick. `controls` counts the stamped commands before it, to show a hole."""

    ts: int
    price: float
    asset_id: str
    model_state: dict[str, float] | None
    controls: int


class Stamped(_Message, tag="control"):
    """Simulator to all: a command, stamped. `seq` counts commands, ``event.seq`` is the tick it acts before.

    `ts_sim` is the time of the tick before that one.
    """

    event: Control | Attach | Remove | Order | End


class Clear(_Message, tag="clear"):
    """Broker to one host: its account has been cleared at tick `seq`."""

    id: str
    fills: list[Fill]
    position: float
    cash: float


class State(_Message, tag="state"):
    """Broker to one host: the account as it stands after tick `seq`, as a strategy is attached."""

    id: str
    books: Books


class Stop(_Message, tag="stop"):
    """Broker to one host: the run has ended at `ts_sim`, after these fills; call ``on_stop``."""

    id: str
    fills: list[Fill]
    position: float
    cash: float


class Ack(_Message, tag="ack"):
    """Host to broker: ``on_tick(seq)`` has returned; all that it did, in one frame."""

    token: str
    version: int
    code: str
    params: dict[str, Any]
    keep_state: bool
    orders: list[Request]
    plots: dict[str, float | None]
    logs: list[tuple[Level, str]]


class LogLines(_Message, tag="log"):
    """Host to broker: lines that belong to no acknowledged tick, such as an error."""

    token: str
    logs: list[tuple[Level, str]]


class Stopped(_Message, tag="stopped"):
    """Host to broker: ``on_stop`` has returned."""

    token: str
    logs: list[tuple[Level, str]]


class RawOrder(_Message, tag="order"):
    """A raw client to the broker, with ``security: none``: a market order of an external account."""

    strategy_id: str
    side: str
    qty: float
    tag: str = ""
    ts: int = 0


class Confirm(_Message, tag="confirm"):
    """Recorder to broker: block `seq` is on disk. `fresh` is a recorder that has just started."""

    token: str
    fresh: bool = False


Upstream = Ack | LogLines | Stopped | RawOrder | Confirm

encode = msgspec.json.Encoder().encode


def document(**fields: object) -> bytes:
    """Return a document for the supervisor, as JSON.

    Raises
    ------
    EngineError
        If it is longer than the supervisor takes, which would count it and say nothing.
    """
    data = encode(fields)
    if len(data) > MAX_FRAME:
        size = len(data) / 1e6
        msg = f"{fields.get('op')}: names and parameters of {size:.1f} MB do not fit into a message"
        raise EngineError(msg)
    return data


def published(topic: str, message: msgspec.Struct) -> bytes:
    """Return the frame of a published message."""
    return topic.encode() + b" " + encode(message)


def ready_topic(name: str, nonce: str) -> str:
    """Return the topic whose subscription tells that a party is there, with all its earlier subscriptions."""
    return f"@ready/{name}/{nonce}"


def credit_frame(nonce: str, seq: int) -> bytes:
    """Return the upstream frame by which the broker says that block `seq` is done."""
    return CREDIT + nonce.encode() + seq.to_bytes(8, "little")


def arrived(socket: zmq.Socket[bytes], most: int) -> Iterator[bytes]:
    """Yield the messages that are at a socket, at most so many."""
    for left in range(most - 1, -1, -1):
        try:
            yield socket.recv(zmq.NOBLOCK)
        except zmq.Again:
            return
        if left and not _has_more(socket):
            return


def arrived_frames(socket: zmq.Socket[bytes], most: int) -> Iterator[zmq.Frame]:
    """Yield what `arrived` does, as frames that know their sender."""
    for left in range(most - 1, -1, -1):
        try:
            yield socket.recv(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return
        if left and not _has_more(socket):
            return


def _has_more(socket: zmq.Socket[bytes]) -> bool:
    """Return whether another message is there; to ask costs a third of a `recv` that fails."""
    return bool(int(socket.get(_EVENTS)) & _READABLE)
