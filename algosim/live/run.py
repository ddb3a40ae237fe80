"""Where a live run stands: what the parts of its supervisor share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from algosim.config import StrategySpec
from algosim.live.strategies import Strategy
from algosim.live.waits import Waits

if TYPE_CHECKING:
    from algosim.live.child import Birth
    from algosim.live.family import Family
    from algosim.live.switchboard import Switchboard, Then

    Document = dict[str, Any]

__all__ = ["Run", "outcome"]

BOUND = {"ticks_pub", "orders_push", "fills_pub", "blocks"}


class Run:
    """One run.

    Parameters
    ----------
    birth : Birth
        The supervisor's own.
    board : Switchboard
    family : Family

    Attributes
    ----------
    state, reason : str
        As a person sees them.
    started : bool
        Whether the start barrier has been passed.
    paused : bool
    done, done_time : int
        The last block that is done and its simulated time [ns].
    stopped_at : float or None
        When somebody asked for the end (monotonic seconds).
    closing_at : float or None
        When the run was given up (monotonic seconds).
    over : bool
        Whether nothing is left to do but to end the processes.
    outside : set of str
        Accounts that are no strategy's.
    """

    def __init__(self, birth: Birth, board: Switchboard, family: Family) -> None:
        self.birth = birth
        self.board = board
        self.family = family
        self.config = birth.config
        self.state, self.reason = "starting", ""
        self.started, self.paused, self.over = False, True, False
        self.done, self.done_time = 0, 0
        self.stopped_at: float | None = None
        self.closing_at: float | None = None
        self.endpoints = {"control": board.endpoint}
        self.strategies: dict[str, Strategy] = {}
        self.outside = set(birth.config.transport.external)
        self.waits = Waits()
        self.recorder_restarts = 0

    # Processes

    def start(self) -> None:
        """Start the processes that a run begins with."""
        for party in self.family.parties.values():
            self.board.admit(party)
        for name, entry in self.birth.extra["strategies"].items():
            self.strategies[name] = Strategy(entry["path"], entry["params"])
            self.board.admit(self.family.invite(name))
        for role in ("simulator", "broker"):
            self.family.start(role, role, self.birth.parties)
        self.start_recorder(resume=False)
        for name in self.strategies:
            self.start_host(name)

    def start_recorder(self, *, resume: bool) -> None:
        """Start the process that writes the run folder."""
        self.family.start("recorder", "recorder", [], resume=resume)

    def start_host(self, name: str) -> None:
        """Start the process that holds a strategy."""
        strategy = self.strategies[name]
        strategy.begin_again()
        self.family.start(
            name,
            "host",
            [],
            workspace=self.birth.extra["workspace"],
            path=strategy.path,
            params=strategy.params,
            watch=self.config.ui.hot_reload,
            ordinal=max(strategy.version, strategy.joined),
            started=self.started,
        )
        if self.bound:
            self.connect(name)

    @property
    def bound(self) -> bool:
        """Whether every endpoint is known."""
        return set(self.endpoints) >= BOUND

    def connect(self, name: str) -> None:
        """Tell a process where the others are."""
        self.tell(name, "connect", endpoints=self.endpoints)

    def note_on_ports(self) -> str:
        """Return which endpoints are others than those asked for, in words; ``""`` if none."""
        wanted = self.birth.config.transport.endpoints
        moved = [
            f"{name} {at}"
            for name, at in self.endpoints.items()
            if name != "blocks" and getattr(wanted, name) != at and not getattr(wanted, name).endswith(":*")
        ]
        return f"ports taken; this run is at: {', '.join(moved)}" if moved else ""

    def tell(self, name: str, op: str, **fields: object) -> None:
        """Tell a process something, if it is there."""
        self.board.tell(self.family.members.get(name), op, **fields)

    def ask(self, name: str, op: str, then: Then, **fields: object) -> None:
        """Ask a process something; `then` is called with its answer."""
        self.board.ask(self.family.members.get(name), op, then, **fields)

    def kill(self, name: str) -> None:
        """End a process at once, or clean up after one that has ended; whoever asked it something is told."""
        process = self.family.members.get(name)
        self.family.kill(name)
        if process is not None:
            self.board.abandon(process, f"the {process.role} process of {name!r} ended before it answered")

    # Turns of the run

    def arrive(self) -> None:
        """Answer who has waited for what is done by now."""
        for asker in self.waits.arrived(self.done, self.done_time):
            self.board.answer(asker, tick=self.done, time=self.done_time)

    def has_paused(self, tick: int) -> None:
        """Take note that the simulator stands at a tick."""
        self.paused, self.state = True, "paused"
        self.waits.paused(tick)
        self.arrive()

    def lose(self, name: str, reason: str, error: Document) -> None:
        """Go on without a strategy that failed; what it did not acknowledge never happened."""
        strategy = self.strategies[name]
        strategy.fail(error)
        self.tell("broker", "detach", id=name, reason=reason, error=_shown(error), version=strategy.joined)
        if strategy.state == "leaving":
            self.left(name)  # what it was yet to answer will not come
        self.refuse(name, error)

    def left(self, name: str) -> None:
        """Take note that a strategy is out of the market, and tell those who wait for it."""
        strategy = self.strategies[name]
        self.kill(name)
        strategy.state = "removed"
        askers, strategy.leavers = strategy.leavers, []
        for asker in askers:
            self.board.answer(asker)

    def welcome(self, name: str) -> None:
        """Tell those who want a strategy to be attached that it is."""
        strategy = self.strategies[name]
        askers, strategy.askers, strategy.added = strategy.askers, [], False
        for asker in askers:
            self.board.answer(asker)

    def refuse(self, name: str, error: Document) -> None:
        """Tell those who want a strategy to be attached that it will not; one that was only added goes."""
        strategy = self.strategies[name]
        askers, strategy.askers = strategy.askers, []
        if strategy.added:
            self._forget(name)
        for asker in askers:
            self.board.answer(asker, error={"strategy": name, **error})

    def _forget(self, name: str) -> None:
        """Leave nothing of a strategy but, where the market has heard of it, its name and account."""
        strategy = self.strategies[name]
        strategy.added, strategy.error = False, None
        self.left(name)
        self.note(name)
        if not strategy.joined:
            del self.strategies[name]

    def note(self, name: str) -> None:
        """Let the settings name a strategy as it is now, or no longer."""
        strategy, specs = self.strategies[name], dict(self.config.strategies)
        if strategy.leaves:
            specs.pop(name, None)
        else:
            path = specs[name].path if name in specs else strategy.path
            specs[name] = StrategySpec(path=path, params=strategy.params)
        self.config = msgspec.structs.replace(self.config, strategies=specs)

    def crash(self, reason: str) -> None:
        """Give the run up; the recorder gets a moment to close its books."""
        if self.closing_at is None and not self.over:
            self.state, self.reason, self.closing_at = "crashed", reason, time.monotonic()
            self.tell("recorder", "close")
            self.over = "recorder" not in self.family.members

    def finish(self) -> None:
        """Take note that the last block is on disk."""
        if self.closing_at is None:
            self.state, self.over = "finished", True


def outcome(document: Document) -> Document:
    """Return what an asker is told of a process's answer."""
    fields = {key: value for key, value in document.items() if key not in ("op", "token", "rid")}
    if isinstance(fields.get("error"), str):
        fields["error"] = {"message": fields["error"]}
    return fields


def _shown(error: Document) -> str:
    return str(error.get("frames") or error.get("message") or "")
