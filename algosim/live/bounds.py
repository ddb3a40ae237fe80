"""How long a worker's words may be, whatever its code has made of it; its own checks do not bind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from algosim.core.strategy import MAX_NAME
from algosim.live.pipe import Acted, Broke, Kept, Loaded

if TYPE_CHECKING:
    from algosim.live.pipe import Reply

__all__ = ["bounded"]

WORDS = 20_000
"""Characters of an error that are passed on."""

SPARE = 1 << 18
"""Characters of output beyond its limit that an honest worker may come to: errors are not cut there."""


def bounded(reply: Reply, most: int) -> Reply:
    """Return a reply that others can be sent.

    Parameters
    ----------
    reply : Reply
    most : int
        Characters of output in one reply.

    Raises
    ------
    ValueError
        If it has more than an honest worker's.
    """
    if isinstance(reply, Loaded):
        return msgspec.structs.replace(reply, name=reply.name[:MAX_NAME])
    if isinstance(reply, Kept):
        return reply
    if isinstance(reply, Acted) and len(reply.warmup) > MAX_NAME:
        msg = "its worker's word on warming up is too long"
        raise ValueError(msg)
    if sum(len(text) for _, text in reply.said.lines) > most + SPARE:
        msg = "its worker says more than it may"
        raise ValueError(msg)
    if isinstance(reply, Broke):
        source = reply.source and reply.source[:WORDS]
        return msgspec.structs.replace(
            reply, message=reply.message[:WORDS], frames=reply.frames[:WORDS], source=source
        )
    return reply
