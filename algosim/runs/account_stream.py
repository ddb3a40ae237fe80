"""One account of a headless run: its events in order of ticks, whoever makes them."""

from __future__ import annotations

from bisect import bisect_right, insort
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from algosim.core.broker import Account
from algosim.core.engine import Loop
from algosim.core.market import GivenMarket
from algosim.core.strategy import strategy_seed
from algosim.errors import StrategyError
from algosim.events import Detach, Log, Order
from algosim.runs.children import Child, Here
from algosim.runs.drawing import Drawing
from algosim.runs.frames import UNKNOWN, Block, Ended, Failed, Job, Started
from algosim.runs.quota import Quota

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from algosim.config import Config
    from algosim.core.lines import Lines
    from algosim.core.market import Ticks
    from algosim.events import Control, Event
    from algosim.runs.plan import AccountPlan, Plan

__all__ = ["BY_SEQ", "AccountStream"]

BY_SEQ = attrgetter("seq")


class AccountStream:
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
        self._worker: Child | Here | None = None
        self._quota = Quota(plan.config.limits.output_kb)
        self._blocks = self._all_blocks()
        self._waiting: list[Event] = []
        self._drawn: list[Lines] = []
        self._upto = 0
        self._yielded = 0

    def events(self, last: int) -> list[Event]:
        """Return the events up to tick `last` that were not returned before."""
        while self._upto < last:
            block = next(self._blocks, None)
            if block is None:
                break
            self._keep(block)
        cut = bisect_right(self._waiting, last, key=BY_SEQ)
        taken, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return taken

    def lines(self, last: int) -> list[Lines]:
        """Return what its indicators showed up to tick `last`, of what `events` has read."""
        parts = [lines.cut(last) for lines in self._drawn]
        self._drawn = [rest for _, rest in parts if len(rest.seq)]
        return [first for first, _ in parts if len(first.seq)]

    def _keep(self, block: Block) -> None:
        self._waiting.extend(block.events)
        self._drawn += [columns.lines(self.id) for columns in block.lines]
        self._upto = block.last

    def drain(self) -> None:
        """Read to the end, where the account's last figures are."""
        for block in self._blocks:
            self._waiting.extend(block.events)

    def begin(self) -> None:
        """Start the first child, so that several start at once."""
        if self._account.versions:
            self._worker = self._work(0, None)

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
                self._keep(first)

    def close(self) -> None:
        """End the child at work."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _all_blocks(self) -> Iterator[Block]:
        if not self._account.versions:
            yield from self._alone()
            return
        before: Ended | None = None
        for i in range(len(self._account.versions)):
            if i > 0 or self._worker is None:
                self._worker = self._work(i, before)
            before = yield from self._version(i, before, self._worker)
            self.unfilled, self.end_events = before.unfilled, before.events

    def _version(self, i: int, before: Ended | None, worker: Child | Here) -> Generator[Block, None, Ended]:
        """Yield the blocks of one version and return what it ended with.

        Where its process is gone, another one does the same up to the tick before. If nobody can say which
        tick that was, one that tells of every tick comes first.
        """
        started, failures = len(self.started), len(self.failures)
        active: int | None = None
        traced: int | None = None
        while True:
            end = yield from self._attempt(worker)
            self.close()
            if isinstance(end, Ended):
                if active is not None and active >= self._yielded:  # it was gone in on_stop
                    gone = self.failures[-1]
                    end.events.append(Log(seq=gone.seq, id=self.id, text=gone.message, level="error"))
                return end
            if not end.leaves or len(self.started) == started or active is not None or self._on_record(end):
                raise self._error(end)
            del self.started[started:], self.failures[failures:]
            if end.seq != UNKNOWN:
                active = end.seq - 1
                self.failures.append(end)
            elif traced is None:
                traced = self._yielded
            else:
                raise self._error(end)
            worker = self._worker = self._work(i, before, active, traced)

    def _on_record(self, end: Failed) -> bool:
        """Whether it is a record that says at which tick the strategy stopped; of ``on_stop`` none does."""
        return self._plan.recorded and UNKNOWN < end.seq <= self._plan.last

    def _attempt(self, worker: Child | Here) -> Generator[Block, None, Ended | Failed]:
        """Yield the blocks of one process that were not yielded before; return how it ended."""
        failed: Failed | None = None
        for frame in worker:
            if isinstance(frame, Block):
                if frame.last > self._yielded:
                    self._yielded = frame.last
                    frame.events = self._quota.cut(frame.events)
                    yield self._with_detach(frame)
            elif isinstance(frame, Started):
                self.started.append(frame)
            elif isinstance(frame, Failed):
                failed = frame
                self.failures.append(frame)
            elif isinstance(frame, Ended):
                frame.events = self._quota.cut(frame.events)
                return frame
        assert failed is not None  # a worker says how it ended
        return failed

    def _error(self, failed: Failed) -> StrategyError:
        """Return why this account cannot go on."""
        slow = "the replay is too slow: " if failed.overrun and self._plan.recorded else ""
        return StrategyError(
            f"{self._account.id}: {slow}{failed.message}",
            file=failed.file,
            line=failed.line,
            source=failed.source,
            frames=failed.frames,
        )

    def _with_detach(self, block: Block) -> Block:
        """Add the detach of a strategy that failed in this block, and the line that says so."""
        for failure in self.failures:
            if self._upto < failure.seq <= block.last:
                error = failure.frames or failure.message
                detach = Detach(
                    seq=failure.seq,
                    id=self.id,
                    last_ack=failure.seq - 1,
                    version=self._account.versions[len(self.started) - 1].ordinal,
                    reason="error",
                    error=error,
                )
                insort(block.events, detach, key=BY_SEQ)
                insort(block.events, Log(seq=failure.seq, id=self.id, text=error, level="error"), key=BY_SEQ)
        return block

    def _work(
        self, i: int, before: Ended | None, active: int | None = None, traced: int | None = None
    ) -> Child | Here:
        plan, account = self._plan, self._account
        version = account.versions[i]
        following = account.versions[i + 1].first if i + 1 < len(account.versions) else None
        job = Job(
            config=_unseeded(plan.config),
            rng_seed=str(strategy_seed(plan.seed, account.id, version.ordinal)),
            id=account.id,
            script=_script(plan.controls, account.orders),
            folder=str(self._folders[version.source.code]),
            label=version.source.label,
            params=version.params,
            version=version.ordinal,
            first=version.first,
            active=version.active if active is None else active,
            stop=None if following is None else following - 1,
            last=plan.last,
            t_end=plan.t_end,
            ends_at=plan.ends_at,
            since=version.since,
            account=None if before is None else before.account,
            books=before.books if before is not None and version.since < version.first else None,
            kept=before.kept if before is not None and version.keep_state else {},
            record_lines=plan.record_lines,
            traced=traced,
        )
        drawing = Drawing(plan, plan.last if job.stop is None else job.stop)
        return Child(job, drawing) if plan.isolate else Here(job, drawing)

    def _alone(self) -> Iterator[Block]:
        """Run an account that no strategy trades."""
        plan = self._plan
        blocks: list[Block] = []

        def emit(ticks: Ticks, events: list[Event]) -> None:
            blocks.append(Block(ticks.first + len(ticks.time) - 1, events))

        account = Account(self.id, plan.config.portfolio.initial_cash)
        given = GivenMarket(plan.config.model, iter(Drawing(plan, plan.last)))
        loop = Loop(plan.config, given, account, _script(plan.controls, self._account.orders), emit)
        loop.run(plan.last, plan.t_end)
        self.unfilled, self.end_events = loop.finish(loop.end_time(plan.last, plan.t_end, plan.ends_at))
        yield from blocks


def _unseeded(config: Config) -> Config:
    """Return a run's settings without its seed."""
    return msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, seed=None))


def _script(controls: Sequence[Control], orders: Sequence[Order]) -> list[Control | Order]:
    """Put an account's outside orders among the commands, as they stand in a block."""
    rank = {"wire": 0, "manual": 1}
    script: list[Control | Order] = [*controls, *orders]
    script.sort(key=lambda item: (item.seq, rank[item.origin] if isinstance(item, Order) else 1))
    return script
