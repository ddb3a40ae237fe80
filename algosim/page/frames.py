"""How messages look on the page's websocket."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from algosim.charts.point_messages import Message

__all__ = ["packed", "text"]


def packed(message: Message) -> bytes:
    """Return a message about points as one binary frame.

    Four bytes with the length of the header (little-endian), the header as JSON, zeros up to a multiple of
    eight, so that a browser can look at the doubles where they stand, and the numbers.
    """
    header = msgspec.json.encode(message.header)
    start = struct.pack("<I", len(header)) + header
    return start + bytes(-len(start) % 8) + message.numbers


def text(kind: str, **content: Any) -> str:  # noqa: ANN401  (whatever JSON can carry)
    """Return any other message as a text frame."""
    return msgspec.json.encode({"kind": kind, **content}).decode()
