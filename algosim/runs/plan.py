"""All that determines a headless run, as a value: evaluate makes one from arguments, replay from a record."""

from __future__ import annotations

from typing import Any

import msgspec

from algosim.config import Config
from algosim.core.engine import NO_LIMIT
from algosim.events import Control, Order
from algosim.runs.source import Source

__all__ = ["AccountPlan", "Plan", "Version"]


class Version(msgspec.Struct, kw_only=True):
    """One version of a strategy in a plan.

    `first` is its first tick; `active` its last one where it was detached or removed before the next
    version or the end; `since` the tick at which its strategy was last attached, from where
    ``ctx.history`` reaches back; `keep_state` offers it what the version before kept.
    """

    first: int
    since: int
    ordinal: int
    source: Source
    params: dict[str, Any]
    active: int | None = None
    keep_state: bool = False


class AccountPlan(msgspec.Struct, kw_only=True):
    """One account: the versions that trade it, in order, and orders that come from outside."""

    id: str
    versions: list[Version]
    orders: list[Order]


class Plan(msgspec.Struct, kw_only=True):
    """All that determines a run.

    In a `recorded` one a strategy over its budget ends the run: the record says when strategies stopped.
    """

    config: Config
    seed: int
    controls: list[Control]
    accounts: list[AccountPlan]
    last: int = NO_LIMIT
    t_end: int = NO_LIMIT
    ends_at: int | None = None
    record_lines: bool = False
    recorded: bool = False
    isolate: bool = True
