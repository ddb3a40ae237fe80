"""The connection file of a running market: where it is, and the keys to it."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path

import msgspec
import platformdirs
import psutil

from algosim.errors import ConfigError, EngineError, did_you_mean
from algosim.live.sockets import KeyPair

__all__ = [
    "Connection",
    "connection_files",
    "find_connection",
    "is_alive",
    "remove_connection",
    "write_connection",
]

PROTOCOL = 1


class Connection(msgspec.Struct, kw_only=True):
    """What a handle, an observer or a lesson needs to reach a run.

    `observer` may see, `controller` may also command; each is a key pair and a token.
    """

    protocol: int = PROTOCOL
    run_id: str
    pid: int
    started: float
    folder: str
    security: str
    asset_id: str
    endpoints: dict[str, str]
    server_public: str
    observer: KeyPair
    observer_token: str
    controller: KeyPair
    controller_token: str


def _folder() -> Path:
    with warnings.catch_warnings():
        # Where the system names no runtime folder (a container, cron), platformdirs warns and takes one
        # below the temporary folder; 0700 and 0600 keep others out there too.
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_dir("algosim", appauthor=False))


def _path(run_id: str) -> Path:
    return _folder() / f"algosim-{run_id}.json"


def write_connection(connection: Connection) -> Path:
    """Write the file, readable by its owner only, whole or not at all."""
    path = _path(connection.run_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".tmp")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(connection), indent=2))
    fresh.replace(path)
    return path


def remove_connection(run_id: str) -> None:
    """Remove a run's file."""
    with contextlib.suppress(OSError):
        _path(run_id).unlink()


class _Process(msgspec.Struct):
    """The supervisor of a run of any version."""

    pid: int
    started: float


def is_alive(connection: Connection) -> bool:
    """Whether the run is still there."""
    process = _Process(connection.pid, connection.started)
    return _path(connection.run_id).exists() and _lives(process)


def _lives(process: _Process) -> bool:
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.started) < 1.0
        # One that its launcher has not taken note of yet has ended all the same.
        return same and found.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def connection_files() -> list[Connection]:
    """Return the runs that are there, the newest last; files that a killed run left behind are removed."""
    found = []
    for path in _folder().glob("algosim-*.json"):
        try:
            data = path.read_bytes()
            process = msgspec.json.decode(data, type=_Process)
        except (OSError, msgspec.MsgspecError):
            continue  # none of ours, or just being removed
        if not _lives(process):
            with contextlib.suppress(OSError):
                path.unlink()
            continue
        with contextlib.suppress(msgspec.ValidationError):  # another version's
            found.append(msgspec.json.decode(data, type=Connection))
    return sorted(found, key=lambda connection: connection.started)


def find_connection(run: str | None = None) -> Connection:
    """Return the newest running market, or the one with this id.

    Raises
    ------
    EngineError
        If there is none.
    """
    if run is not None and not isinstance(run, str):
        msg = f"a running market is found by the text of its run_id, got {run!r}"
        raise ConfigError(msg)
    found = connection_files()
    if run is None:
        if not found:
            msg = "no market is running; start one with algosim.Simulation(...).start() or `algosim run`"
            raise EngineError(msg)
        return found[-1]
    for connection in found:
        if connection.run_id == run:
            return connection
    ids = [connection.run_id for connection in found]
    msg = f"no running market {run!r}{did_you_mean(run, ids)}; running: {', '.join(ids) or 'none'}"
    raise EngineError(msg)
