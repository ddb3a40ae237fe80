"""Where things are kept: the workspace, the shipped strategies, the runs."""

from __future__ import annotations

import contextlib
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import algosim
from algosim.errors import ConfigError, RunError, did_you_mean
from algosim.runs.source import ENTRY, Source, read_source
from algosim.setting_values import show

__all__ = [
    "find_run",
    "find_strategy",
    "new_run_id",
    "path_of",
    "runs_folder",
    "shipped_folder",
    "strategy_names",
    "wanted_folder",
    "workspace",
]

EVENTS = "events.jsonl"


def workspace() -> Path:
    """Return the nearest folder, from the working folder up, that has ``strategies/``; else that one."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "strategies").is_dir() and not (folder / EVENTS).exists():  # a run has one too
            return folder
    return here


def shipped_folder() -> Path:
    """Return the folder of the strategies that come with algosim."""
    package = Path(algosim.__file__).parent
    installed = package / "strategies"
    return installed if installed.is_dir() else package.parent / "strategies"


def runs_folder() -> Path:
    """Return the workspace's folder of runs."""
    return workspace() / "runs"


def strategy_names() -> dict[str, Path]:
    """Return the entry file of every strategy that has a name: the workspace's over the shipped ones."""
    found: dict[str, Path] = {}
    for folder in (shipped_folder(), workspace() / "strategies"):
        for path in sorted(folder.glob(f"*/{ENTRY}")):
            found[path.parent.name] = path
    return found


def path_of(what: object, demand: str) -> Path:
    """Return a path that a person gave, with ``~`` expanded; there need be nothing.

    Parameters
    ----------
    what : str or path
    demand : str
        What it must be, for the message: ``"out must be a path"``.

    Raises
    ------
    ConfigError
        If it is no path, or none that can be.
    """
    got = f"{demand}, got {show(what)}"
    if not isinstance(what, str | os.PathLike):
        raise ConfigError(got)
    try:
        path = Path(what).expanduser()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()  # which a NUL, too long a name and a closed folder do not survive
    except OSError as error:
        msg = f"{got}: {error.strerror}"
        raise ConfigError(msg) from error
    except (TypeError, ValueError, RuntimeError) as error:
        msg = f"{got}: {error}"
        raise ConfigError(msg) from error
    return path


def find_strategy(what: str | os.PathLike[str], base: Path | None = None) -> Source:
    """Find a strategy by shipped name, file or folder.

    Parameters
    ----------
    what : str or path
    base : Path, optional
        Folder that relative paths are also looked up from; the configuration file's, say.

    Raises
    ------
    ConfigError
        If there is none, with the nearest name.
    """
    given = path_of(what, "a strategy is a name or a path")
    names = strategy_names()
    text = os.fspath(what)
    if text in names:
        return read_source(names[text].resolve(), workspace())
    for folder in (Path.cwd(), workspace(), *([base] if base else []), shipped_folder().parent):
        path = (folder / given).resolve()
        if path.is_dir() and (path / ENTRY).is_file():
            return read_source(path / ENTRY, workspace())
        if path.is_file():
            if path.suffix != ".py":
                msg = f"strategy {text!r} is not a Python file"
                raise ConfigError(msg)
            return read_source(path, workspace())
    if given.is_dir():
        msg = f"the folder {text!r} has no {ENTRY}"
        raise ConfigError(msg)
    msg = f"no strategy {text!r}{did_you_mean(text, names)}; known: {', '.join(sorted(names)) or 'none'}"
    raise ConfigError(msg)


def new_run_id() -> str:
    """Return a fresh run id: UTC date and time and four random characters, fit for any file system."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def wanted_folder(out: str | os.PathLike[str] | None, run_id: str) -> Path | None:
    """Return the folder that a run is to be written to, or None for none.

    ``runs/last`` names the newest run; written to, it stands for a new folder below ``runs/``.
    """
    if out in (None, ""):
        return None
    path = path_of(out, "out must be a path")
    pointer = runs_folder() / "last"
    if path.absolute() == pointer:
        return runs_folder() / run_id
    return path.resolve()


def find_run(what: str | os.PathLike[str]) -> Path:
    """Return the folder of a run, given its folder, its id, or ``"last"``.

    Raises
    ------
    RunError
        If there is none.
    """
    given = path_of(what, 'a run is its folder, its id or "last"')
    text = os.fspath(what)
    for path in (given, runs_folder() / text):
        if (path / EVENTS).is_file():
            return path.resolve()
    pointer = runs_folder() / "last"
    if text == "last" and pointer.is_file():
        return find_run(runs_folder() / pointer.read_text("utf-8").strip())
    ids = [path.name for path in runs_folder().glob("*") if (path / EVENTS).is_file()]
    msg = f"no run {text!r} here{did_you_mean(text, ids)}; `algosim runs` lists them"
    raise RunError(msg)
