"""A run's folder: claimed, filled with what a run starts from, read back, copied."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from algosim import settings as configuration
from algosim.errors import ConfigError, RunError
from algosim.events import decode_line
from algosim.runs.provenance import provenance
from algosim.runs.recording import Recording
from algosim.runs.source import ENTRY, Source, read_source
from algosim.runs.workspace import EVENTS, runs_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from algosim.config import Config
    from algosim.events import Event

__all__ = ["SavedRun", "claim", "export", "point_last", "read_run", "save_setup"]

CONFIG, PROVENANCE, DIGEST, STRATEGIES = "config.yaml", "provenance.json", "digest.txt", "strategies"
TICKS, TRADES, TRIPS, METRICS = "ticks.csv", "trades.csv", "roundtrips.csv", "metrics.json"
FILES = (EVENTS, TICKS, TRADES, TRIPS, METRICS, DIGEST, CONFIG, PROVENANCE)


def claim(folder: Path) -> None:
    """Make the folder of a new run; one that holds an earlier run is emptied of it.

    Raises
    ------
    RunError
        If the folder holds other things, or cannot be made.
    """
    try:
        present = [path.name for path in folder.iterdir()] if folder.exists() else []
        if present and EVENTS not in present:
            msg = f"{folder} is not empty and holds no run; name a new folder"
            raise RunError(msg)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / STRATEGIES, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot write a run to {folder}: {error.strerror}"
        raise RunError(msg) from error


def save_setup(folder: Path, run_id: str, config: Config, seed: int, sources: Iterable[Source]) -> None:
    """Write what the run starts from: configuration, provenance, strategies."""
    (folder / CONFIG).write_text(configuration.to_yaml(config), "utf-8")
    text = msgspec.json.format(msgspec.json.encode(provenance(run_id, seed)), indent=2)
    (folder / PROVENANCE).write_bytes(text + b"\n")
    for source in sources:
        source.write(folder / STRATEGIES / source.code)


def point_last(folder: Path) -> None:
    """Let ``runs/last`` name this run, if it is one of the workspace's."""
    if folder.parent != runs_folder():
        return
    pointer, fresh = folder.parent / "last", folder.parent / f".last-{os.getpid()}"
    with contextlib.suppress(OSError):
        fresh.unlink(missing_ok=True)
        try:
            fresh.symlink_to(folder.name, target_is_directory=True)
        except OSError:  # Windows without the privilege
            fresh.write_text(folder.name, "utf-8")
        fresh.replace(pointer)


class SavedRun(NamedTuple):
    """A run as its folder has it. `dropped` says what could not be used, or is empty."""

    folder: Path
    config: Config
    recording: Recording
    digest: str
    dropped: str


def read_events(path: Path) -> tuple[list[Event], str]:
    """Read whole blocks; return them and what was dropped after the last one.

    Raises
    ------
    RunError
        If a line before the last block is not an event.
    """
    events: list[Event] = []
    whole = 0
    lines = path.read_bytes().split(b"\n")
    rest = lines.pop()
    for number, line in enumerate(lines, 1):
        try:
            event = decode_line(line)
        except msgspec.MsgspecError as error:
            msg = f"{path}, line {number}: not an event of this version of algosim ({error})"
            raise RunError(msg) from error
        events.append(event)
        if event.end:
            whole = len(events)
    dropped = len(events) - whole + bool(rest)
    note = f"{dropped} lines after the last complete block were dropped" if dropped else ""
    return events[:whole], note


def read_run(folder: Path) -> SavedRun:
    """Read a run folder.

    Raises
    ------
    RunError
        If it is not a run, or cannot be read.
    """
    try:
        events, dropped = read_events(folder / EVENTS)
        config = configuration.load(folder / CONFIG)
        digest = (folder / DIGEST).read_text("utf-8").strip() if (folder / DIGEST).exists() else ""
    except (OSError, ConfigError) as error:
        msg = f"{folder} is not a run that can be read: {error}"
        raise RunError(msg) from error
    recording = Recording()
    recording.add(events)
    if recording.start is None:
        msg = f"{folder}: events.jsonl does not begin with a run"
        raise RunError(msg)
    return SavedRun(folder, config, recording, digest, dropped)


def saved_source(folder: Path, strategy_id: str, code: str) -> Source:
    """Return a version of a strategy as the run kept it."""
    entry = folder / STRATEGIES / code / ENTRY
    if not entry.is_file():
        msg = f"{folder} has no strategies/{code}; the version that ran is missing"
        raise RunError(msg)
    source = read_source(entry, folder)
    if source.code != code:
        msg = f"strategies/{code} in {folder} was changed after the run (its hash is now {source.code})"
        raise RunError(msg)
    return source._replace(id=strategy_id)


def export(run: Path | None, target: str | os.PathLike[str]) -> Path:
    """Copy a run folder and return where it is.

    Raises
    ------
    RunError
        If there is no run folder, or the target holds other things.
    """
    if run is None:
        msg = "this run was not written to a folder; give out=... when it starts"
        raise RunError(msg)
    folder = Path(target).expanduser().resolve()
    claim(folder)
    shutil.copytree(run, folder, dirs_exist_ok=True)
    return folder
