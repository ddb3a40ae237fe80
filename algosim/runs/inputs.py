"""What went into a recorded run: seed, commands, orders from outside, and who traded when."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from algosim.core.engine import NO_LIMIT
from algosim.errors import ConfigError, RunError
from algosim.events import Attach, Control, Detach, Version
from algosim.runs.folder import saved_source
from algosim.runs.plan import AccountPlan, Plan
from algosim.runs.plan import Version as PlannedVersion
from algosim.settings import coerce

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from algosim.config import Config
    from algosim.events import Event, Member, Remove
    from algosim.runs.folder import SavedRun
    from algosim.runs.source import Source


__all__ = ["Inputs", "read_inputs"]


class Inputs(NamedTuple):
    """What a replay starts from.

    Attributes
    ----------
    plan : Plan
    given : list of Event
        Commands, members and outside orders, ordered by tick.
    sources : dict of str to Source
        The strategies' files as they are now, by the hash that they had in the run.
    """

    plan: Plan
    given: list[Event]
    sources: dict[str, Source]


def read_inputs(saved: SavedRun) -> Inputs:
    """Take from a recorded run what was given to it, and leave what it computed.

    Raises
    ------
    RunError
        If the folder lacks something that ran, or has what no run can have.
    """
    recording, seed = saved.recording, saved.config.run.seed
    if seed is None:
        msg = f"{saved.folder}: config.yaml has no run.seed"
        raise RunError(msg)
    codes = {event.code: event.id for event in recording.members if isinstance(event, Attach | Version)}
    sources = {code: saved_source(saved.folder, name, code) for code, name in codes.items()}
    outside = [order for order in recording.orders if order.origin != "strategy"]
    accounts = [
        AccountPlan(
            id=name,
            versions=_versions([event for event in recording.members if event.id == name], sources),
            orders=[order for order in outside if order.id == name],
        )
        for name in recording.accounts()
    ]
    plan = Plan(
        config=_sandboxed(saved.config),
        seed=seed,
        controls=[_checked(control, saved) for control in recording.controls],
        accounts=accounts,
        last=len(recording),
        t_end=NO_LIMIT,
        ends_at=None if recording.end is None else recording.end.ts_sim,
        recorded=True,
    )
    given: list[Event] = [*recording.members, *recording.controls, *outside]
    given.sort(key=lambda event: event.seq)
    return Inputs(plan, given, sources)


def _sandboxed(config: Config) -> Config:
    """Return a run's settings without its trust in strategies, which a folder from elsewhere may claim."""
    limits = config.limits
    if limits.sandbox != "trusted":
        return config
    return msgspec.structs.replace(config, limits=msgspec.structs.replace(limits, sandbox="standard"))


def _checked(control: Control, saved: SavedRun) -> Control:
    """Return a recorded command, if this version can carry it out."""
    if control.action == "set":
        try:
            coerce(control.key, control.value)
        except ConfigError as error:
            msg = f"{saved.folder}: before tick {control.seq} there is a command that cannot be used: {error}"
            raise RunError(msg) from error
    return control


def _versions(members: Iterable[Member], sources: dict[str, Source]) -> list[PlannedVersion]:
    """Return when which version of one strategy traded.

    One that was detached before its first tick never did; its ``init`` may be what it was detached for.
    """
    line = _Line(sources)
    for _, block in groupby(members, key=lambda event: event.seq):
        line.take(list(block))
    return [version for version in line.versions if version.active is None or version.active >= version.first]


class _Line:
    """The versions of one strategy, in order; at most one of them is alive."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self.versions: list[PlannedVersion] = []
        self._sources = sources
        self._alive: PlannedVersion | None = None

    def take(self, block: Sequence[Member]) -> None:
        """Take what happened to the strategy before one tick.

        Within a block detaches stand first; one of a version that is attached in the same block, and so
        never acted, comes after its attach in fact.
        """
        attached = {event.version for event in block if isinstance(event, Attach)}
        for event in block:
            if isinstance(event, Detach):
                if event.version not in attached:
                    self._end(event, event.last_ack)
            elif isinstance(event, Attach | Version):
                self._begin(event)
                for detach in block:
                    if (
                        isinstance(detach, Detach)
                        and isinstance(event, Attach)
                        and detach.version == event.version
                    ):
                        self._end(detach, detach.last_ack)
            else:
                self._end(event, event.seq - 1)

    def _begin(self, event: Attach | Version) -> None:
        if (self._alive is None) != isinstance(event, Attach):
            self._fail(event)
        version = PlannedVersion(
            first=event.seq,
            ordinal=event.version,
            source=self._sources[event.code],
            params=event.params,
            since=event.seq if self._alive is None else self._alive.since,
            keep_state=isinstance(event, Version) and event.keep_state,
        )
        self.versions.append(version)
        self._alive = version

    def _end(self, event: Detach | Remove, last: int) -> None:
        alive = self._alive
        if alive is None:
            if isinstance(event, Detach):
                self._fail(event)
            return  # a strategy that had stopped was removed
        if last < alive.first - 1:
            self._fail(event)
        alive.active = last
        self._alive = None

    def _fail(self, event: Member) -> None:
        msg = (
            f"events.jsonl: {type(event).__name__.lower()} of {event.id!r} before tick {event.seq} "
            "does not fit what was recorded of it before"
        )
        raise RunError(msg)
