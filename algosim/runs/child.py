"""The child process of a headless run: ``python -m algosim.runs.child`` takes a Job and runs one version."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from algosim.core.broker import Account
from algosim.core.desk import HISTORY
from algosim.core.engine import Failure, Loop, Turn, spoken
from algosim.core.lines import Pen
from algosim.core.market import GivenMarket
from algosim.core.strategy import Runner, explain, seed_globals
from algosim.errors import EngineError, StrategyError
from algosim.events import Event, Fill
from algosim.runs.drawing import receive_ticks
from algosim.runs.frames import Alive, Block, Columns, Ended, Failed, Job, Reached, Started, write_frame
from algosim.runs.guard import die_with_launcher, tell_where
from algosim.runs.launch import check_start, receive, take_stdin, take_stdout
from algosim.runs.printed import Printed
from algosim.runs.quota import Quota
from algosim.runs.source import load
from algosim.runs.watchdog import Watchdog
from algosim.sandbox.enter import seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from algosim.core.context import Context
    from algosim.core.market import Ticks
    from algosim.runs.frames import Frame
    from algosim.runs.source import Loaded

__all__ = ["main", "perform"]


def main() -> None:
    """Read a Job from standard input, perform it, write frames to standard output."""
    check_start()
    die_with_launcher()  # the thread that carries out the run; the learner's code may let none of ours run
    tell_where()
    out = take_stdout()
    job = msgspec.json.decode(receive(), type=Job)
    market = receive_ticks(take_stdin())
    lock = threading.Lock()

    def send(frame: Frame) -> None:
        with lock:
            write_frame(out, frame)

    def give_up(error: StrategyError) -> None:
        send(watchdog.last_words(error))
        os._exit(0)

    watchdog = Watchdog(job.config.limits)
    watchdog.last_words = lambda error: _overrun(0, error)
    watchdog.start(give_up, lambda: send(Alive()))
    seal()
    try:
        perform(job, market, send, watchdog, alone=True)
    except EngineError:  # the run's process is gone, and whoever would read of it
        os._exit(86)
    except BaseException as error:  # noqa: BLE001  (an interrupt that the learner's code has raised)
        give_up(explain(error, watchdog.sources, watchdog.at))
    os._exit(0)  # all is said; taking the interpreter down takes longer, and waits for a learner's threads


def perform(
    job: Job,
    market: Iterator[Ticks],
    send: Callable[[Frame], None],
    watchdog: Watchdog,
    *,
    alone: bool = False,
) -> None:
    """Run one version of a strategy on its account and send what happens.

    In a process that is `alone` with the strategy, an interrupt at its import is an error of its own.
    """
    limits = job.config.limits
    rng_seed = int(job.rng_seed)
    printed = Printed()
    sys.stdout = printed
    seed_globals(rng_seed)
    try:
        with watchdog.hook("import", limits.init_s):
            loaded = load(Path(job.folder), job.label, alone=alone)
        watchdog.sources = loaded.sources
        stint = _Stint(job, market, send, watchdog)
        runner = Runner(
            loaded.hooks,
            stint.loop.desk(stint.prices, job.books),
            params=job.params,
            rng_seed=rng_seed,
            kept=job.kept,
        )
        printed.attach(runner.desk)
        with watchdog.hook("init", limits.init_s):
            _call(runner.start, stint.loop.quote.time, loaded, "init")
    except StrategyError as error:
        send(failed(job.first - 1, error))
        return
    send(Started(loaded.hooks.name, runner.params))
    stint.run(runner, loaded)


def failed(seq: int, error: StrategyError) -> Failed:
    """Return the frame that tells of an error."""
    return Failed(seq, str(error), error.file, error.line, error.source, error.frames)


def _overrun(seq: int, error: StrategyError) -> Failed:
    frame = failed(seq, error)
    frame.overrun = True
    return frame


def _cut_off(ended: Ended, id: str, block: int, error: StrategyError) -> Ended:
    """Return the end of a strategy that does not return from ``on_stop``: it has stopped all the same."""
    ended.events += spoken(id, block, {}, [("error", str(error))])
    return ended


def _call(hook: Callable[[int], None], now: int, loaded: Loaded, name: str) -> None:
    """Call a hook and explain what it raises."""
    try:
        hook(now)
    except (Exception, SystemExit) as error:
        raise explain(error, loaded.sources, name) from error


class _Stint:
    """The loop of one job, from the first tick of the market to where the job ends."""

    def __init__(
        self, job: Job, market: Iterator[Ticks], send: Callable[[Frame], None], watchdog: Watchdog
    ) -> None:
        self.job = job
        self.watchdog = watchdog
        self.prices: list[float] = []
        self.pen: Pen | None = None
        self._send = send
        self._quota = Quota(job.config.limits.output_kb)  # the run cuts again; this spares the way there
        given = GivenMarket(job.config.model, self._waited_for(market))
        self.loop = Loop(job.config, given, None, job.script, self._before)
        self.loop.run(last=job.first - 1)
        self.loop.account = (
            Account(job.id, job.config.portfolio.initial_cash)
            if job.account is None
            else Account.resume(job.id, job.account)
        )
        self.loop.emit = self._emit
        self.loop.mark()

    def _waited_for(self, market: Iterator[Ticks]) -> Iterator[Ticks]:
        """Yield the market; the strategy does not pay for the wait."""
        while True:
            with self.watchdog.off():
                ticks = next(market, None)
            if ticks is None:
                return
            yield ticks

    def _before(self, ticks: Ticks, _: list[Event]) -> None:
        """Keep the prices that ``ctx.history`` may be asked for."""
        skip = max(0, self.job.since - ticks.first)
        self.prices = (self.prices + ticks.price[skip:].tolist())[-HISTORY:]

    def _emit(self, ticks: Ticks, events: list[Event]) -> None:
        lines = [Columns.of(part) for part in self.pen.take()] if self.pen is not None else []
        with self.watchdog.off():  # the reader may take its time
            self._send(Block(ticks.first + len(ticks.time) - 1, self._quota.cut(events), lines))

    def run(self, runner: Runner, loaded: Loaded) -> None:
        """Run the strategy to its last tick, the account to the end of the job."""
        job, loop = self.job, self.loop
        stop = job.last if job.stop is None else job.stop
        active = stop if job.active is None else min(stop, job.active)
        failures: list[Failure] = []
        self.pen = Pen(job.id, runner) if job.record_lines else None

        def tell(failure: Failure) -> None:
            failures.append(failure)
            self._send(failed(failure.seq, explain(failure.error, loaded.sources, "on_tick")))

        desk, limits = runner.desk, job.config.limits
        self.watchdog.last_words = lambda error: _overrun(int(desk.tick["seq"]), error)
        if job.traced is not None:
            runner.hooks = runner.hooks._replace(on_tick=self._traced(runner, job.traced))
        with self.watchdog.hook("on_tick", limits.on_tick_s, lambda: desk.now):
            loop.run(active, job.t_end, Turn(runner, tell, self.pen))
        if active < stop:
            loop.mark()
            loop.run(stop, job.t_end)
        unfilled, events = 0, list[Event]()
        if job.stop is None:
            unfilled, events = self._finish(runner, loaded, alive=not failures and job.active is None)
        assert loop.account is not None
        self._send(Ended(loop.account.state, runner.desk.books, runner.desk.state, unfilled, events))

    def _traced(self, runner: Runner, after: int) -> Callable[[Context, dict[str, Any]], object]:
        """Return ``on_tick`` so that it is told of before it is called."""
        on_tick, desk = runner.hooks.on_tick, runner.desk

        def told(ctx: Context, tick: dict[str, Any]) -> object:
            seq = int(desk.tick["seq"])
            if seq > after:
                self._send(Reached(seq))
            return on_tick(ctx, tick)

        return told

    def _finish(self, runner: Runner, loaded: Loaded, *, alive: bool) -> tuple[int, list[Event]]:
        """End the run for the account; a strategy that is still there gets its ``on_stop``."""
        job, loop = self.job, self.loop
        t_end = loop.end_time(job.last, job.t_end, job.ends_at)
        unfilled, events = loop.finish(t_end)
        if alive:
            assert loop.account is not None
            runner.desk.forget()
            block = loop.quote.seq + 1
            ended = Ended(loop.account.state, runner.desk.books, {}, unfilled, [*events])
            self.watchdog.last_words = lambda error: _cut_off(ended, job.id, block, error)
            fills = [event for event in events if isinstance(event, Fill)]
            if fills:
                runner.desk.filled(fills)
            if job.traced is not None:
                self._send(Reached(block))
            try:
                with self.watchdog.hook("on_stop", job.config.limits.on_stop_s):
                    _call(runner.stop, t_end, loaded, "on_stop")
            except StrategyError as error:
                runner.desk.say("error", str(error))
            events += spoken(job.id, block, {}, runner.desk.logs)
        return unfilled, events


if __name__ == "__main__":
    main()
