"""A run's folder: claimed, filled with what a run starts from, read back, copied."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from algosim import settings as configuration
from algosim.errors import ConfigError, RunError
from algosim.runs.held import is_held
from algosim.runs.launch import LOG
from algosim.runs.provenance import provenance
from algosim.runs.saved_events import read_events
from algosim.runs.source import ENTRY, Source, read_source
from algosim.runs.workspace import EVENTS, path_of, runs_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from algosim.config import Config
    from algosim.runs.recording import Recording

__all__ = ["SavedRun", "claim", "discard", "export", "point_last", "read_run", "save_setup", "saved_source"]

CONFIG, PROVENANCE, DIGEST, STRATEGIES = "config.yaml", "provenance.json", "digest.txt", "strategies"
TICKS, TRADES, TRIPS, METRICS = "ticks.csv", "trades.csv", "roundtrips.csv", "metrics.json"
FILES = (EVENTS, TICKS, TRADES, TRIPS, METRICS, DIGEST, CONFIG, PROVENANCE, LOG)
RELEASE_S = 2.5
"""How long a recorder may go on that closes its books: its supervisor was killed."""

_CODE = re.compile("[0-9a-f]{16}")


def claim(folder: Path) -> None:
    """Make the folder of a new run; one that holds an earlier run is emptied of it.

    Raises
    ------
    RunError
        If the folder holds other things, is being written by another run, or cannot be made.
    """
    deadline = time.monotonic() + RELEASE_S
    while is_held(folder / EVENTS):
        if time.monotonic() > deadline:
            msg = f"{folder} is being written by a run that is still going on; name another folder"
            raise RunError(msg)
        time.sleep(0.02)
    try:
        present = {path.name for path in folder.iterdir()} if folder.exists() else set()
        if present and not present & {EVENTS, PROVENANCE}:
            msg = f"{folder} is not empty and holds no run; name a new folder"
            raise RunError(msg)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        for path in (folder / STRATEGIES).glob("*"):
            if _CODE.fullmatch(path.name):  # someone may keep strategies of their own beside a run
                shutil.rmtree(path, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot write a run to {folder}: {error.strerror}"
        raise RunError(msg) from error


def save_setup(folder: Path, run_id: str, config: Config, seed: int, sources: Iterable[Source]) -> None:
    """Write what the run starts from: configuration, provenance, strategies.

    Raises
    ------
    RunError
        If a file cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(provenance(run_id, seed, config.limits.sandbox)), indent=2)
    try:
        (folder / PROVENANCE).write_bytes(text + b"\n")
        (folder / CONFIG).write_text(configuration.to_yaml(config), "utf-8")
        for source in sources:
            source.write(folder / STRATEGIES / source.code)
    except OSError as error:
        msg = f"cannot write a run to {folder}: {error.strerror}"
        raise RunError(msg) from error


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


def discard(folder: Path) -> None:
    """Remove the folder of a run that has nothing to keep; ``runs/last`` names the newest that is left."""
    shutil.rmtree(folder, ignore_errors=True)
    pointer = folder.parent / "last"
    with contextlib.suppress(OSError):
        named = str(pointer.readlink()) if pointer.is_symlink() else pointer.read_text("utf-8").strip()
        if named == folder.name:
            pointer.unlink()
            left = [path for path in folder.parent.glob(f"*/{PROVENANCE}") if not path.parent.is_symlink()]
            for path in sorted(left, key=lambda path: path.stat().st_mtime_ns)[-1:]:
                point_last(path.parent)


class SavedRun(NamedTuple):
    """A run as its folder has it. `dropped` says what could not be used, or is empty."""

    folder: Path
    config: Config
    recording: Recording
    digest: str
    dropped: str


def read_run(folder: Path) -> SavedRun:
    """Read a run folder.

    Raises
    ------
    RunError
        If it is not a run, or cannot be read.
    """
    try:
        saved = read_events(folder / EVENTS)
        config = configuration.load(folder / CONFIG)
        digest = (folder / DIGEST).read_text("utf-8").strip() if (folder / DIGEST).exists() else ""
    except (OSError, ConfigError, UnicodeDecodeError) as error:
        msg = f"{folder} is not a run that can be read: {error}"
        raise RunError(msg) from error
    if saved.recording.start is None:
        msg = f"{folder}: events.jsonl does not begin with a run"
        raise RunError(msg)
    return SavedRun(folder, config, saved.recording, digest, saved.dropped)


def saved_source(folder: Path, strategy_id: str, code: str) -> Source:
    """Return a version of a strategy as the run kept it.

    Its `code` is the hash of the files as they are now; it differs from the one asked for if they were
    changed after the run.

    Raises
    ------
    RunError
        If the version is missing.
    """
    entry = folder / STRATEGIES / code / ENTRY
    if not entry.is_file():
        msg = f"{folder} has no {STRATEGIES}/{code}/{ENTRY}; the version of {strategy_id} that ran is missing"
        raise RunError(msg)
    return read_source(entry, folder)._replace(id=strategy_id)


def export(run: Path | None, target: str | os.PathLike[str]) -> Path:
    """Copy a run folder and return where it is.

    Raises
    ------
    RunError
        If there is no run folder, or the target holds other things or cannot be written.
    """
    if run is None:
        msg = "this run was not written to a folder; give out=... when it starts"
        raise RunError(msg)
    folder = path_of(target, "the folder to copy a run to must be a path").resolve()
    if folder == run.resolve():
        return folder
    if folder.is_relative_to(run.resolve()):
        msg = f"{folder} is inside the run that would be copied there; name a folder outside of it"
        raise RunError(msg)
    claim(folder)
    try:
        shutil.copytree(run, folder, dirs_exist_ok=True)
    except OSError as error:
        msg = f"cannot copy the run to {folder}: {error}"
        raise RunError(msg) from error
    return folder
