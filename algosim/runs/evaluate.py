"""Evaluate: strategies on a market, headless, from seed and configuration alone."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from algosim.core.engine import NO_LIMIT
from algosim.errors import ConfigError
from algosim.events import Attach, Event, RunStart
from algosim.runs import folder as run_folder
from algosim.runs.execute import Execution
from algosim.runs.plan import AccountPlan, Plan, Version
from algosim.runs.progress import reporting
from algosim.runs.recorder import Recorder
from algosim.runs.result import Result
from algosim.runs.setup import Setup, StrategyArgument, prepare
from algosim.runs.workspace import new_run_id, wanted_folder
from algosim.times import parse_epoch

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path

    from algosim.config import Config
    from algosim.runs.progress import Progress

__all__ = ["evaluate"]

DRAWN = 100_000
"""Ticks up to which a run without a folder keeps what a figure draws; each has a few numbers more."""


def evaluate(
    strategy: StrategyArgument = None,
    *,
    seed: int | None = None,
    duration: str | float | timedelta | None = None,
    ticks: int | None = None,
    config: Config | Mapping[str, object] | str | os.PathLike[str] | None = None,
    settings: Mapping[str, object] | None = None,
    out: str | os.PathLike[str] | None = None,
    isolate: bool = True,
    progress: Progress | None = None,
) -> Result:
    """Run strategies on a simulated market, as fast as the machine can.

    The same seed, configuration and strategies give the same trades and the same digest as a live run.

    Parameters
    ----------
    strategy : name, path, sequence or mapping, optional
        A shipped name, a file, a folder or ``{"path": ..., "params": {...}}``; several of them; or ids
        mapped to any of these. Without it the configuration's strategies run.
    seed : int, optional
        Without one, a fresh one is drawn; the result's configuration has it.
    duration : str or float or timedelta, optional
        Simulated time, ``"60s"``, ``"5m"`` or seconds.
    ticks : int, optional
        Number of ticks. `duration` or `ticks` must be given, here or in the configuration.
    config : Config, mapping, path or preset name, optional
    settings : mapping, optional
        Settings over the configuration, ``{"model.sigma": 0.3}`` or ``{"sigma": 0.3}``.
    out : path, optional
        Folder to write the run to. Without it, and without ``run.export_dir``, nothing is written, and what
        indicators showed is kept of runs of up to 100,000 ticks or so only.
    isolate : bool, optional
        False runs the strategies in this process, for debuggers; the result is not comparable.
    progress : callable, optional
        Called with the simulated time so far and in all [ns], or ticks where only those are limited. A
        notebook shows a bar by itself.

    Returns
    -------
    Result

    Raises
    ------
    ConfigError
        If an argument cannot be used.
    StrategyError
        If a strategy does not load or its ``init`` fails. One that fails later is in ``Result.errors``.
    RunError
        If the folder cannot be written.
    """
    setup = prepare(strategy, seed=seed, duration=duration, ticks=ticks, config=config, settings=settings)
    run_id = new_run_id()
    folder = wanted_folder(out or setup.config.run.export_dir, run_id)
    plan = _plan(setup, record_lines=folder is not None or _is_short(setup.config), isolate=isolate)
    with (
        reporting("evaluating", progress) as told,
        Execution(plan) as execution,
        closing(_recorder(setup, run_id, folder)) as recorder,
    ):
        for block, events, lines in execution.blocks(_attaches(setup, execution)):
            recorder.take(block, events, lines)
            if told is not None:
                _tell(told, plan, block.first + len(block.time) - 1, int(block.time[-1]))
        recorder.take_end(execution.end())
        recorder.finish()
    return Result(
        recorder.recording, setup.config, run_id, folder, digest=recorder.digest, comparable=isolate
    )


def _recorder(setup: Setup, run_id: str, folder: Path | None) -> Recorder:
    """Return a recorder; where it writes to a folder, that has what the run starts from."""
    if folder is not None:
        run_folder.claim(folder)
        sources = [chosen.source for chosen in setup.strategies.values()]
        run_folder.save_setup(folder, run_id, setup.config, setup.seed, sources)
        run_folder.point_last(folder)
    return Recorder(setup.config, start_event(run_id, setup.config), folder)


def start_event(run_id: str, config: Config) -> RunStart:
    """Return the first event of a run."""
    epoch = parse_epoch(config.run.epoch)
    return RunStart(seq=0, run_id=run_id, epoch_ns=epoch, asset_id=config.model.asset_id)


def _is_short(config: Config) -> bool:
    run, schedule = config.run, config.schedule
    gap_ms = schedule.dt_fixed_ms if schedule.mode == "fixed" else schedule.dt_mean_ms
    return any(0 < ticks <= DRAWN for ticks in (run.ticks, run.duration_s * 1e3 / gap_ms))


def _plan(setup: Setup, *, record_lines: bool, isolate: bool) -> Plan:
    run = setup.config.run
    if not run.ticks and not run.duration_s:
        msg = "say how long to run: a duration such as 60s, or a number of ticks"
        raise ConfigError(msg)
    accounts = [
        AccountPlan(
            id=name,
            versions=[Version(first=1, since=1, ordinal=1, source=chosen.source, params=chosen.params)],
            orders=[],
        )
        for name, chosen in setup.strategies.items()
    ]
    return Plan(
        config=setup.config,
        seed=setup.seed,
        controls=[],
        accounts=accounts,
        last=run.ticks or NO_LIMIT,
        t_end=round(run.duration_s * 1e9) or NO_LIMIT,
        record_lines=record_lines,
        isolate=isolate,
    )


def _attaches(setup: Setup, execution: Execution) -> list[Event]:
    return [
        Attach(
            seq=1,
            id=name,
            version=1,
            code=chosen.source.code,
            name=stream.started[0].name,
            params=chosen.params,
        )
        for (name, chosen), stream in zip(setup.strategies.items(), execution.streams, strict=True)
    ]


def _tell(progress: Progress, plan: Plan, seq: int, time: int) -> None:
    if plan.t_end != NO_LIMIT:
        progress(min(time, plan.t_end), plan.t_end)
    else:
        progress(seq, plan.last)
