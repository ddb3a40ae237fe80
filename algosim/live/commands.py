"""What those who hold a run's keys ask of its supervisor, carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from algosim import settings
from algosim.config import RESERVED_IDS
from algosim.core.orders import clean_quantity, clean_side, clean_tag, exposure_fault, signed
from algosim.errors import ConfigError
from algosim.live import requests as ask
from algosim.live.roster import Roster
from algosim.live.run import outcome
from algosim.live.waits import Asker

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.live.barrier import Barrier
    from algosim.live.report import Report
    from algosim.live.run import Run
    from algosim.live.switchboard import Said

    Document = dict[str, Any]

__all__ = ["Commands"]


class Commands:
    """Answers requests. The observer's key may ask for status and settings, and for nothing else.

    Parameters
    ----------
    run : Run
    barrier : Barrier
    report : Report
    """

    def __init__(self, run: Run, barrier: Barrier, report: Report) -> None:
        self._run = run
        self._barrier = barrier
        self._report = report
        self._committed: dict[str, float] = {}
        roster = Roster(run, barrier)
        self._handlers: dict[type, Callable[[Asker, Any], None]] = {
            ask.Start: self._start,
            ask.Prepare: self._prepare,
            ask.Resume: self._resume,
            ask.Pause: self._pause,
            ask.Step: self._step,
            ask.RunUntil: self._run_until,
            ask.Wait: self._wait,
            ask.Set: self._set,
            ask.Order: self._order,
            ask.Add: roster.add,
            ask.Remove: roster.remove,
            ask.Reload: roster.reload,
            ask.End: self._end,
        }

    def take(self, said: Said) -> None:
        """Act on one request; what is none is answered, if it can be, and counted."""
        run = self._run
        try:
            request = ask.decode_request(said.body)
        except (msgspec.MsgspecError, RecursionError) as error:
            run.board.foreign += 1
            rid = ask.number_of(said.body)
            if rid is not None:
                run.board.refuse(Asker(said.address, rid), f"no such request: {error}")
            return
        asker = Asker(said.address, request.rid)
        if isinstance(request, ask.Status):
            self._report.ask(asker)
        elif isinstance(request, ask.Settings):
            run.board.answer(asker, config=run.config)
        elif said.party.name != "controller":
            run.board.foreign += 1
            run.board.refuse(asker, "this key may watch, not command")
        elif run.closing_at is not None and not isinstance(request, ask.Wait | ask.End):
            run.board.refuse(asker, f"the run crashed: {run.reason}")
        else:
            self._handlers[type(request)](asker, request)

    def _relay(self, asker: Asker, op: str, **fields: object) -> None:
        """Pass a command to the simulator and answer with its stamp."""
        board = self._run.board
        self._run.ask("simulator", op, lambda answer: board.answer(asker, **outcome(answer)), **fields)

    # The course of the run

    def _start(self, asker: Asker, _: ask.Start) -> None:
        self._barrier.start(asker)

    def _prepare(self, asker: Asker, _: ask.Prepare) -> None:
        self._barrier.prepare(asker)

    def _resume(self, asker: Asker, _: ask.Resume) -> None:
        run = self._run
        if run.started:
            run.paused, run.state = False, "running"
            self._relay(asker, "resume")
        else:
            self._barrier.start(asker)

    def _pause(self, asker: Asker, _: ask.Pause) -> None:
        run = self._run
        if not run.started:
            run.board.answer(asker)
            return

        def paused(answer: Document) -> None:
            if "error" in answer:
                run.board.answer(asker, **outcome(answer))
            else:
                run.waits.until_done(asker, tick=answer["tick"])
                run.has_paused(answer["tick"])

        run.ask("simulator", "pause", paused)

    def _step(self, asker: Asker, request: ask.Step) -> None:
        if self._run.paused:
            self._travel(asker, step=request.n, action="step")
        else:
            self._run.board.refuse(asker, "pause the run before you step it")

    def _run_until(self, asker: Asker, request: ask.RunUntil) -> None:
        self._travel(asker, ticks=request.ticks, time=request.time, action="run_until")

    def _travel(self, asker: Asker, **target: object) -> None:
        """Run to a point and pause there; the answer comes when it is done."""
        run = self._run
        if not run.started:
            run.board.refuse(
                asker, f"the market has not started: it waits for {', '.join(self._barrier.missing())}"
            )
            return

        def started(answer: Document) -> None:
            if "error" in answer:
                run.waits.stay(asker)
                run.board.answer(asker, **outcome(answer))
            else:
                run.paused, run.state = False, "running"

        run.waits.travel(asker)
        run.ask("simulator", "resume", started, **target)

    def _wait(self, asker: Asker, request: ask.Wait) -> None:
        self._run.waits.until_done(asker, tick=request.ticks, time=request.time)
        self._run.arrive()

    def _end(self, asker: Asker, _: ask.End) -> None:
        self._run.waits.until_done(asker)
        self._barrier.stop()

    # What is traded

    def _set(self, asker: Asker, request: ask.Set) -> None:
        run = self._run
        try:
            key = settings.resolve(request.key)
            value = settings.coerce(key, request.value)
            config = settings.with_settings(run.config, {key: value})
        except ConfigError as error:
            run.board.refuse(asker, str(error))
            return
        if settings.applies(key) != "now":
            run.board.refuse(asker, f"{key} can only change at a reset")
            return
        run.config = config
        if key == "ui.hot_reload":
            for name in run.strategies:
                run.tell(name, "watch", on=value)
        self._relay(asker, "set", key=key, value=value)

    def _order(self, asker: Asker, request: ask.Order) -> None:
        try:
            side, qty = clean_side(request.side), clean_quantity(request.qty)
            tag = clean_tag(request.tag)
        except ValueError as error:
            self._run.board.refuse(asker, str(error))
            return
        if request.id in {*self._run.strategies, *RESERVED_IDS} - {"manual"}:
            message = f"{request.id!r} is no account of its own; give manual orders another id"
            self._run.board.refuse(asker, message)
            return
        fault = self._commit(request.id, signed(side, qty))
        if fault:
            self._run.board.refuse(asker, f"order refused: {fault}")
            return
        self._run.outside.add(request.id)
        self._relay(asker, "order", id=request.id, side=side, qty=qty, tag=tag)

    def _commit(self, id: str, change: float) -> str:
        """Take note of an order by hand as the broker will; return why it would refuse it, or ``""``.

        What raw clients have ordered on an account of theirs is the broker's to know alone.
        """
        config, committed = self._run.config, self._committed.get(id, 0.0)
        if id in config.transport.external:
            return ""
        fault = exposure_fault(committed, change, config.portfolio.max_position)
        if not fault:
            self._committed[id] = committed + change
        return fault
