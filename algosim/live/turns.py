"""What the broker's sequencer and a strategy's host say to each other, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.events import Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.core.desk import Books, Request
    from algosim.events import Fill, Level

__all__ = ["Answer", "Cleared", "Ended", "ProtocolFault", "Started"]


class ProtocolFault(Exception):  # noqa: N818  (it says whose error it is)
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
    logs: Sequence[tuple[Level, str]]

    def reload(self, id: str) -> Version:
        """Return the event that this answer is, if it is the first one of its version."""
        return Version(
            seq=self.seq,
            id=id,
            version=self.version,
            code=self.code,
            params=self.params,
            keep_state=self.keep_state,
        )


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
