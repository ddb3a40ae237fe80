"""Replay: a recorded run made again from its inputs alone, and compared with the record event by event."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import msgspec

from algosim.errors import ReplayDiverged, RunError, StrategyError
from algosim.runs.causes import changed_sources, likely_causes
from algosim.runs.compare import Difference, digest_of, first_difference
from algosim.runs.execute import Execution
from algosim.runs.folder import DIGEST, STRATEGIES, read_run
from algosim.runs.inputs import read_inputs
from algosim.runs.progress import reporting
from algosim.runs.recorder import Recorder
from algosim.runs.result import Result
from algosim.runs.workspace import EVENTS, find_run

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from algosim.events import End, Event
    from algosim.runs.folder import SavedRun
    from algosim.runs.inputs import Inputs
    from algosim.runs.progress import Progress

__all__ = ["replay"]


def replay(run: str | os.PathLike[str], *, progress: Progress | None = None) -> Result:
    """Make a recorded run again and check that nothing differs.

    Everything that was done during the run is done again: changed settings, manual orders, strategies
    edited, killed, added and removed. Prices, fills and books are computed anew. The folder is only read.

    Parameters
    ----------
    run : str or path
        The run's folder, its id, or ``"last"``.
    progress : callable, optional
        Called with the number of ticks so far and in all.

    Returns
    -------
    Result
        The replayed run. What strategies drew and said is taken from the record, as are the ticks of
        snapshots. ``Result.note`` says what could not be read of a run that crashed.

    Raises
    ------
    ReplayDiverged
        If any event differs; names the first one and the likely cause.
    RunError
        If the folder cannot be read.
    """
    saved = read_run(find_run(run))
    inputs = read_inputs(saved)
    with reporting("replaying", progress) as told:
        recorder, first_price = _again(saved, inputs, told)
    _verify(saved, inputs, recorder, first_price)
    record, replayed = saved.recording, recorder.recording
    replayed.start, replayed.snapshots = record.start, record.snapshots
    replayed.plots, replayed.logs = record.plots, record.logs
    run_id = record.start.run_id if record.start is not None else ""
    return Result(replayed, saved.config, run_id, saved.folder, digest=recorder.digest, note=saved.dropped)


def _again(saved: SavedRun, inputs: Inputs, progress: Progress | None) -> tuple[Recorder, float]:
    """Carry out a run's inputs; return what came of it, and the price before tick 1."""
    assert saved.recording.start is not None
    recorder = Recorder(saved.config, copy.copy(saved.recording.start))
    execution = Execution(inputs.plan)
    first_price = execution.first_price
    try:
        with execution:
            for ticks, events, _ in execution.blocks(inputs.given):
                recorder.take(ticks, events)
                if progress is not None:
                    progress(ticks.first + len(ticks.time) - 1, inputs.plan.last)
            if saved.recording.end is not None:
                recorder.take_end(_end(execution.end(), saved.recording.end))
    except StrategyError as error:
        raise _not_started(saved, inputs, execution, error) from error
    return recorder, first_price


def _end(events: list[Event], recorded: End) -> list[Event]:
    """Return the events of the end, with the words of the recorded one on why it came."""
    events[-1] = msgspec.structs.replace(events[-1], state=recorded.state, reason=recorded.reason)
    return events


def _verify(saved: SavedRun, inputs: Inputs, recorder: Recorder, first_price: float) -> None:
    """Compare a replay with the record.

    Raises
    ------
    ReplayDiverged
        If they differ, or the folder contradicts itself.
    """
    content, replayed = digest_of(saved.recording), recorder.digest
    cash = saved.config.portfolio.initial_cash
    difference = first_difference(
        saved.recording, recorder.recording, initial_cash=cash, first_price=first_price
    )
    if difference is not None:
        causes = likely_causes(saved, difference, inputs.sources, content=content, replayed=replayed)
        raise _diverged(saved, difference, causes)
    changed = changed_sources(inputs.sources)
    if changed:
        what = f"{STRATEGIES}/{changed[0]} was changed after the run"
        msg = f"{saved.folder}: every event is as recorded, but {what}"
        raise ReplayDiverged(msg)
    if saved.digest not in ("", content):
        what = f"{DIGEST} has {saved.digest[:80]!r} and the events add up to {content!r}"
        why = "it, or a command in the record, was edited after the run"
        if saved.recording.end is None:
            why = f"{EVENTS} was cut after the run, which had an end"
        msg = f"{saved.folder}: every event is as recorded, but {what}: {why}"
        raise ReplayDiverged(msg)


def _diverged(saved: SavedRun, difference: Difference, causes: Sequence[str]) -> ReplayDiverged:
    seq, kind, name, text = difference
    where = f"tick {seq}" if seq <= len(saved.recording) else "the end"
    owner = f" of {name!r}" if name else ""
    lines = [f"{saved.folder}: the replay differs from the record at {where}: {kind}{owner}: {text}"]
    return ReplayDiverged("\n".join([*lines, *(f"likely cause: {cause}" for cause in causes)]))


def _not_started(saved: SavedRun, inputs: Inputs, execution: Execution, error: StrategyError) -> RunError:
    """Return what it means that a strategy's process gave up."""
    for account, stream in zip(inputs.plan.accounts, execution.streams, strict=True):
        if str(error).startswith(f"{account.id}: ") and len(stream.started) < len(account.versions):
            version = account.versions[len(stream.started)]
            text = f"version {version.ordinal} did not start in the replay: {error}"
            difference = Difference(version.first, "strategy", account.id, text)
            content = digest_of(saved.recording)
            causes = likely_causes(saved, difference, inputs.sources, content=content, replayed="")
            return _diverged(saved, difference, causes)
    return RunError(f"{saved.folder}: the replay could not be finished: {error}")
