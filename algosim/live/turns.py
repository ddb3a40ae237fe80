"""What the broker's sequencer and a strategy's host say to each other, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.core.desk import Books, Request
    from algosim.events import Fill

__all__ = ["Answer", "Cleared", "Ended", "ProtocolFault", "Started"]


class ProtocolFault(Exception):
    """A party broke the protocol: a hole in a numbering, an answer to a question not asked."""


class Answer(NamedTuple):
    """A strategy's acknowledgement of one tick."""

    seq: int
    version: int
    code: str
    params: dict[str, Any]
    keep_state: bool
    orders: Sequence[Request]
    plots: dict[str, float | None]
    logs: Sequence[tuple[str, str]]


class Started(NamedTuple):
    """To a host: its account after tick `seq`, as its strategy is attached."""

    id: str
    seq: int
    time: int
    books: Books


class Cleared(NamedTuple):
    """To a host: its account has been cleared at tick `seq`."""

    id: str
    seq: int
    time: int
    fills: list[Fill]
    position: float
    cash: float


class Ended(NamedTuple):
    """To a host: the run is over; its account after the last fills."""

    id: str
    seq: int
    time: int
    fills: list[Fill]
    position: float
    cash: float
