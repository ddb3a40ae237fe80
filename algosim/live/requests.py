"""What those who hold a run's keys may ask of its supervisor."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from algosim.config import Id, PathText

__all__ = [
    "Add",
    "End",
    "Order",
    "Pause",
    "Prepare",
    "Reload",
    "Remove",
    "Request",
    "Resume",
    "RunUntil",
    "Set",
    "Settings",
    "Start",
    "Status",
    "Step",
    "Wait",
    "decode_request",
    "number_of",
]

Count = Annotated[int, msgspec.Meta(ge=1, le=1 << 53)]


class _Request(msgspec.Struct, tag_field="op", tag=str.lower, forbid_unknown_fields=True, kw_only=True):
    """What all share: the word that gives the right to ask, and the number of the answer."""

    token: str
    rid: int


class Status(_Request):
    """Tell how the run does."""


class Settings(_Request, tag="config"):
    """Ask what the settings are now."""


class Start(_Request):
    """Begin, or go on; answered once the first tick may come."""


class Prepare(_Request):
    """Answer once the run stands before its first tick."""


class Resume(_Request):
    """Go on after a pause."""


class Pause(_Request):
    """Answer once all that was released is done."""


class Step(_Request):
    """Release `n` ticks of a paused run."""

    n: Count


class RunUntil(_Request, tag="run_until"):
    """Run to a tick or a simulated time [ns] and pause there."""

    ticks: Count | None = None
    time: Count | None = None


class Wait(_Request):
    """Answer at a tick or a simulated time [ns]; without one, at the end."""

    ticks: Count | None = None
    time: Count | None = None


class Set(_Request):
    """Change a setting."""

    key: str
    value: Any


class Order(_Request):
    """Place an order by hand."""

    side: Any
    qty: Any
    id: Id = "manual"
    tag: Any = ""


class Add(_Request):
    """Add a strategy."""

    id: Id
    path: PathText
    params: dict[str, Any] = {}


class Remove(_Request):
    """Take a strategy out."""

    id: str


class Reload(_Request):
    """Load a strategy's files again, with these parameters over its own."""

    id: str
    params: dict[str, Any] = {}
    keep_state: bool = False


class End(_Request, tag="stop"):
    """End the run."""


Request = (
    Status
    | Settings
    | Start
    | Prepare
    | Resume
    | Pause
    | Step
    | RunUntil
    | Wait
    | Set
    | Order
    | Add
    | Remove
    | Reload
    | End
)

decode_request = msgspec.json.Decoder(Request).decode


class _Numbered(msgspec.Struct):
    rid: int


def number_of(body: bytes) -> int | None:
    """Return the number of what is no request, if it has one at least."""
    try:
        return msgspec.json.decode(body, type=_Numbered).rid
    except (msgspec.MsgspecError, RecursionError):
        return None
