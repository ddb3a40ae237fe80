"""The worker process: the learner's code and nothing else; two pipes to its host, no socket, no key."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algosim.core.desk import HISTORY, Desk
from algosim.core.strategy import Runner, check_ran, explain, seed_globals
from algosim.errors import StrategyError
from algosim.live.output import SILENCE, Output, cut
from algosim.live.pipe import (
    Acted,
    Began,
    Begin,
    Broke,
    Finish,
    Finished,
    FrameBuffer,
    Kept,
    Load,
    Loaded,
    Tell,
    read_question,
    send,
)
from algosim.runs.guard import die_with_launcher, tell_where, was_launched_by
from algosim.runs.launch import check_start, take_stdin, take_stdout
from algosim.runs.printed import Printed
from algosim.runs.source import load
from algosim.sandbox.enter import seal

if TYPE_CHECKING:
    from algosim.events import Level
    from algosim.live.pipe import Reply, Tick
    from algosim.runs.source import Loaded as Code

__all__ = ["main"]


def main() -> None:
    """Answer the host's questions until it is gone."""
    check_start()
    die_with_launcher()
    tell_where()
    questions, out = take_stdin(), take_stdout()
    seal()
    worker: _Worker | None = None
    buffer = FrameBuffer()
    while (question := read_question(questions, buffer)) is not None:
        if isinstance(question, Load):
            if not was_launched_by(question.host):
                return
            worker = _Worker(question)
            send(out, worker.load())
        elif worker is not None:
            send(out, worker.answer(question))


class _Worker:
    """One version of a strategy, from import to ``on_stop``."""

    def __init__(self, job: Load) -> None:
        self.job = job
        self.printed = Printed()
        self.params: dict[str, Any] = {}
        self.runner: Runner | None = None
        self.code: Code | None = None

    def load(self) -> Reply:
        """Import the code."""
        sys.stdout = self.printed
        seed_globals(int(self.job.rng_seed))
        try:
            self.code = load(Path(self.job.folder), self.job.label, alone=True)
            known, job = self.code.hooks.params, self.job
            dropped = [name for name in job.inherited if name in job.params and name not in known]
            given = {name: value for name, value in job.params.items() if name not in dropped}
            self.params = self.code.parameters(given)
            return Loaded(self.code.hooks.name, self.params, dropped)
        except StrategyError as error:
            return self._broke(error)

    def answer(self, question: Begin | Tick | Finish | Tell) -> Reply:
        """Do what the host asks and say what came of it."""
        hook = {Begin: "init", Finish: "on_stop"}.get(type(question), "on_tick")
        try:
            if isinstance(question, Begin):
                return self._begin(question)
            assert self.runner is not None
            if isinstance(question, Tell):
                return Kept(self.runner.desk.state)
            if isinstance(question, Finish):
                return self._finish(question, self.runner)
            return self._act(question, self.runner)
        except BaseException as error:  # noqa: BLE001  (the learner's code may raise anything)
            assert self.code is not None
            return self._broke(explain(error, self.code.sources, hook))

    def _begin(self, question: Begin) -> Reply:
        assert self.code is not None
        desk = Desk(
            question.books,
            question.prices,
            max_position=self.job.max_position,
            max_orders=self.job.max_orders,
        )
        self.runner = Runner(
            self.code.hooks,
            desk,
            params=self.params,
            rng_seed=int(self.job.rng_seed),
            kept=question.kept,
        )
        self.printed.attach(desk)
        self.runner.start(question.now)
        said = self._shown(desk.logs)
        desk.forget()
        return Began(said)

    def _act(self, question: Tick, runner: Runner) -> Reply:
        desk, tick = runner.desk, question.tick
        if question.fills:
            desk.filled(question.fills)
        if desk.seen >= 2 * HISTORY:
            desk.trim()
        desk.now, desk.price = tick["ts_sim"], tick["price"]
        desk.prices.append(desk.price)
        desk.seen += 1
        check_ran(runner.hooks.on_tick(runner.ctx, tick), "on_tick")
        lines = runner.lines()
        reply = Acted(desk.requests, {**lines, **desk.plots}, self._shown(desk.logs), runner.warmup())
        desk.forget()
        return reply

    def _finish(self, question: Finish, runner: Runner) -> Reply:
        if question.fills:
            runner.desk.filled(question.fills)
        runner.desk.forget()
        runner.stop(question.now)
        return Finished(self._shown(runner.desk.logs))

    def _broke(self, error: StrategyError) -> Broke:
        logs = self.runner.desk.logs if self.runner is not None else self.printed.early()
        return Broke(str(error), error.file, error.line, error.source, error.frames, self._shown(logs))

    def _shown(self, logs: list[tuple[Level, str]]) -> Output:
        """Return what fits into a reply; the host sees to it that it does not come too often."""
        return cut(logs, self.job.max_output) if logs else SILENCE


if __name__ == "__main__":
    main()
