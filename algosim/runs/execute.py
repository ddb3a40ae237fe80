"""Carries out a run headless: the market here, each strategy in a child process, merged block by block."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import tempfile
from bisect import insort
from collections import deque
from operator import attrgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import msgspec

from algosim.core.broker import Account, AccountState
from algosim.core.engine import NO_LIMIT, Loop
from algosim.core.market import CHUNK
from algosim.errors import StrategyError
from algosim.events import Detach, End, Event, Order
from algosim.runs.frames import Block, Failed, Frame, Job, Started, read_frames
from algosim.runs.imports import visiting
from algosim.runs.launch import hand_over, start
from algosim.runs.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from algosim.config import Config
    from algosim.core.market import Ticks
    from algosim.events import Control

__all__ = ["AccountPlan", "Execution", "Plan", "Version"]


class Version(msgspec.Struct, kw_only=True):
    """One version of a strategy in a plan.

    `first` is its first tick; `active` its last one where it was detached or removed before the next
    version or the end; `keep_state` offers it what the version before kept.
    """

    first: int
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
    """All that determines a run."""

    config: Config
    seed: int
    controls: list[Control]
    accounts: list[AccountPlan]
    last: int = NO_LIMIT
    t_end: int = NO_LIMIT
    ends_at: int | None = None
    record_lines: bool = False
    isolate: bool = True


class _Child:
    """A child process at one job; iterating gives its frames."""

    def __init__(self, job: Job) -> None:
        self._scratch = tempfile.mkdtemp(prefix="algosim-")
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the child)
        self._process = start(
            "algosim.runs.child", stdout=subprocess.PIPE, stderr=self._complaints, cwd=self._scratch
        )
        hand_over(self._process, msgspec.json.encode(job))

    def __iter__(self) -> Iterator[Frame]:
        assert self._process.stdout is not None
        with contextlib.suppress(EOFError):
            yield from read_frames(self._process.stdout)
        status = self._process.wait()
        if status != 0:
            self._complaints.seek(0)
            said = self._complaints.read().decode("utf-8", "replace").strip().splitlines()
            reason = f": {said[-1]}" if said else ""
            msg = f"the strategy's process ended with status {status}{reason}"
            raise StrategyError(msg)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._complaints.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


class _Here:
    """The same job in this process, for debuggers."""

    def __init__(self, job: Job) -> None:
        self._frames: deque[Frame] = deque()
        self._job = job

    def __iter__(self) -> Iterator[Frame]:
        from algosim.runs.child import perform  # noqa: PLC0415  (only for debuggers)

        with contextlib.redirect_stdout(io.StringIO()), visiting(Path(self._job.folder)):
            perform(self._job, self._frames.append)
        yield from self._frames

    def close(self) -> None:
        self._frames.clear()


class _AccountStream:
    """One account's events in order of ticks, whoever makes them."""

    def __init__(self, plan: Plan, account: AccountPlan, folders: dict[str, Path]) -> None:
        self.id = account.id
        self.started: list[Started] = []
        self.failures: list[Failed] = []
        self.end_events: list[Event] = []
        self.unfilled = 0
        self._plan = plan
        self._account = account
        self._folders = folders
        self._worker: _Child | _Here | None = None
        self._blocks = self._all_blocks()
        self._waiting: deque[Event] = deque()
        self._upto = 0

    def events(self, last: int) -> list[Event]:
        """Return the events up to tick `last` that were not returned before."""
        while self._upto < last:
            block = next(self._blocks, None)
            if block is None:
                break
            self._waiting.extend(block.events)
            self._upto = block.last
        taken = []
        while self._waiting and self._waiting[0].seq <= last:
            taken.append(self._waiting.popleft())
        return taken

    def drain(self) -> None:
        """Read to the end, where the account's last figures are."""
        for block in self._blocks:
            self._waiting.extend(block.events)

    def begin(self) -> None:
        """Start the first child, so that several start at once."""
        if self._account.versions:
            self._worker = self._work(0, None, {})

    def await_start(self) -> None:
        """Wait until the first version's ``init`` is done.

        Raises
        ------
        StrategyError
            With the learner's line, if it failed.
        """
        if self._account.versions:
            first = next(self._blocks, None)
            if first is not None:
                self._waiting.extend(first.events)
                self._upto = first.last

    def close(self) -> None:
        """End the child at work."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _all_blocks(self) -> Iterator[Block]:
        account, plan = self._account, self._plan
        if not account.versions:
            yield from self._alone()
            return
        state: AccountState | None = None
        kept: dict[str, Any] = {}
        for i in range(len(account.versions)):
            worker = self._worker if i == 0 and self._worker else self._work(i, state, kept)
            self._worker = worker
            ended = None
            for frame in worker:
                if isinstance(frame, Block):
                    yield self._with_detach(frame)
                elif isinstance(frame, Started):
                    self.started.append(frame)
                elif isinstance(frame, Failed):
                    self.failures.append(frame)
                else:
                    ended = frame
            self.close()
            if ended is None:
                message = self.failures[-1].message if self.failures else "the strategy's process ended early"
                raise _as_error(self.failures[-1] if self.failures else None, f"{account.id}: {message}")
            state, kept = ended.account, ended.kept
            self.unfilled, self.end_events = ended.unfilled, ended.events

    def _with_detach(self, block: Block) -> Block:
        """Add the detach of a strategy that failed in this block."""
        for failure in self.failures:
            if self._upto < failure.seq <= block.last:
                detach = Detach(
                    seq=failure.seq,
                    id=self.id,
                    last_ack=failure.seq - 1,
                    version=self._account.versions[len(self.started) - 1].ordinal,
                    reason="error",
                    error=failure.frames or failure.message,
                )
                insort(block.events, detach, key=_by_seq)
        return block

    def _work(self, i: int, state: AccountState | None, kept: dict[str, Any]) -> _Child | _Here:
        plan, account = self._plan, self._account
        version = account.versions[i]
        following = account.versions[i + 1].first if i + 1 < len(account.versions) else None
        job = Job(
            config=plan.config,
            seed=str(plan.seed),
            id=account.id,
            script=_script(plan.controls, account.orders),
            folder=str(self._folders[version.source.code]),
            label=version.source.label,
            params=version.params,
            version=version.ordinal,
            first=version.first,
            active=version.active,
            stop=None if following is None else following - 1,
            last=plan.last,
            t_end=plan.t_end,
            ends_at=plan.ends_at,
            since=account.versions[0].first,
            account=state,
            kept=kept if version.keep_state else {},
            record_lines=plan.record_lines,
        )
        return _Child(job) if plan.isolate else _Here(job)

    def _alone(self) -> Iterator[Block]:
        """Run an account that no strategy trades."""
        plan = self._plan
        blocks: list[Block] = []

        def emit(ticks: Ticks, events: list[Event]) -> None:
            blocks.append(Block(ticks.first + len(ticks.time) - 1, events))

        account = Account(self.id, plan.config.portfolio.initial_cash)
        loop = Loop(plan.config, plan.seed, account, _script(plan.controls, self._account.orders), emit)
        loop.run(plan.last, plan.t_end)
        self.unfilled, self.end_events = loop.finish(loop.end_time(plan.last, plan.t_end, plan.ends_at))
        yield from blocks


def _as_error(failed: Failed | None, message: str) -> StrategyError:
    if failed is None:
        return StrategyError(message)
    return StrategyError(
        message, file=failed.file, line=failed.line, source=failed.source, frames=failed.frames
    )


def _script(controls: Sequence[Control], orders: Sequence[Order]) -> list[Control | Order]:
    """Put an account's outside orders among the commands, as they stand in a block."""
    rank = {"wire": 0, "manual": 1}
    script: list[Control | Order] = [*controls, *orders]
    script.sort(key=lambda item: (item.seq, rank[item.origin] if isinstance(item, Order) else 1))
    return script


class Execution:
    """A plan being carried out.

    Use as a context manager: entering starts the children and waits until each strategy's ``init`` is done,
    leaving ends them.

    Attributes
    ----------
    loop : Loop
        The market.
    streams : list
        One per account: what its strategy was called, its failures, and after the last block the events
        and unfilled orders of the end.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._blocks: deque[Ticks] = deque()
        self._given: deque[Event] = deque()
        self.loop = Loop(
            plan.config, plan.seed, None, plan.controls, lambda ticks, _: self._blocks.append(ticks)
        )
        self._code = tempfile.mkdtemp(prefix="algosim-code-")
        folders = self._write_sources()
        self.streams = [_AccountStream(plan, account, folders) for account in plan.accounts]

    def __enter__(self) -> Self:
        try:
            for stream in self.streams:
                stream.begin()
            for stream in self.streams:
                stream.await_start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the children and remove what they were given."""
        for stream in self.streams:
            stream.close()
        shutil.rmtree(self._code, ignore_errors=True)

    def _write_sources(self) -> dict[str, Path]:
        folders = {}
        for account in self.plan.accounts:
            for version in account.versions:
                folder = Path(self._code) / version.source.code
                version.source.write(folder)
                folders[version.source.code] = folder
        return folders

    def blocks(self, inputs: Sequence[Event]) -> Iterator[tuple[Ticks, list[Event]]]:
        """Yield ticks and the events of their blocks, ordered by tick.

        Parameters
        ----------
        inputs : sequence of Event
            Events that are given rather than computed (commands, attaches, detaches), ordered by tick. Those
            stamped after the last tick are part of the end.
        """
        plan, seq = self.plan, 0
        given = self._given = deque(inputs)
        while seq < plan.last:
            self.loop.run(min(plan.last, seq + CHUNK), plan.t_end)
            if not self._blocks:
                break
            while self._blocks:
                ticks = self._blocks.popleft()
                seq = ticks.first + len(ticks.time) - 1
                events: list[Event] = []
                while given and given[0].seq <= seq:
                    events.append(given.popleft())
                for stream in self.streams:
                    events += stream.events(seq)
                events.sort(key=_by_seq)
                yield ticks, events
        for stream in self.streams:
            stream.drain()

    def end(self) -> list[Event]:
        """Return the events of the end block, the last of them an End."""
        plan, loop = self.plan, self.loop
        t_end = loop.end_time(plan.last, plan.t_end, plan.ends_at)
        unfilled = sum(stream.unfilled for stream in self.streams)
        events = [event for stream in self.streams for event in stream.end_events]
        return [*self._given, *events, End(seq=loop.quote.seq + 1, ts_sim=t_end, unfilled=unfilled)]


_by_seq = attrgetter("seq")
