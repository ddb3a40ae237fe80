"""Says in words what a strategy may not do, at its own line. No boundary: a strategy can get around this.

Where the kernel keeps a limit it does so whatever happens here; where it does not, this is all there is.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["tell"]

_NETWORK = "a strategy has no network"
_PROCESSES = "a strategy cannot start processes"
_THREADS = "a strategy cannot start threads: its hooks are called one after another"
_SIGNALS = "a strategy cannot signal other processes"
_FILES = "a strategy may write plain files in its working folder, and change nothing else"
_LIMITS = "a strategy cannot change its limits"

_REFUSED = {
    event: message
    for message, events in {
        _NETWORK: "socket.__new__ socket.getaddrinfo socket.gethostbyname socket.gethostbyaddr",
        _PROCESSES: "subprocess.Popen os.system os.fork os.forkpty os.exec os.posix_spawn os.spawn pty.spawn "
        "os.startfile os.startfile/2",
        _THREADS: "_thread.start_new_thread _thread.start_joinable_thread",
        _SIGNALS: "os.killpg",
        _FILES: "os.chmod os.chown os.chflags os.link os.symlink os.mkdir os.utime os.setxattr os.truncate",
        _LIMITS: "resource.setrlimit resource.prlimit",
    }.items()
    for event in events.split()
}
_MODULES = ("zmq",)
"""Modules that end the process when they are refused a socket or a thread."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def tell(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Raise `PermissionError` from now on, with the reason, where this process tries what it may not."""
    places = _Places(readable, writable)
    checks: dict[str, Callable[..., str]] = {
        "open": places.opened,
        "os.listdir": places.listed,
        "os.scandir": places.listed,
        "os.kill": _killed,
        "import": _imported,
    }

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        message = _REFUSED.get(event)
        if message is None:
            check = checks.get(event)
            message = check(*arguments) if check is not None else ""
        if message:
            raise PermissionError(message)

    sys.addaudithook(hook)
    for name in ("_exit", "abort"):
        setattr(os, name, _told(getattr(os, name), f"os.{name}"))


class _Places:
    """The files that a strategy may open."""

    def __init__(self, readable: Iterable[str], writable: Iterable[str]) -> None:
        self._writable = tuple(map(os.path.realpath, writable))
        self._readable = (*self._writable, *map(os.path.realpath, readable))

    def opened(self, path: object, _: object, flags: object) -> str:
        """Return why a file may not be opened, or ``""``."""
        writing = isinstance(flags, int) and flags & _WRITING
        if not isinstance(path, str | bytes) or _inside(path, self._writable if writing else self._readable):
            return ""
        if writing:
            return f"a strategy may write files in its working folder only, not {os.fsdecode(path)!r}"
        return f"a strategy may read files in its own folder only, not {os.fsdecode(path)!r}"

    def listed(self, path: object) -> str:
        """Return why a folder may not be listed, or ``""``."""
        if not isinstance(path, str | bytes) or _inside(path, self._readable):
            return ""
        return f"a strategy may look into its own folder only, not into {os.fsdecode(path)!r}"


def _killed(pid: int, _: object) -> str:
    return "" if pid == os.getpid() else _SIGNALS


def _imported(module: str, *_: object) -> str:
    return f"{_NETWORK}, so {module} is of no use to it" if module in _MODULES else ""


def _inside(path: str | bytes, folders: tuple[str, ...]) -> bool:
    place = os.path.realpath(os.fsdecode(path))
    return any(place == folder or place.startswith(folder + os.sep) for folder in folders)


def _told(leave: Callable[..., object], name: str) -> Callable[..., object]:
    """Return what leaves as before, and tells where a strategy did so."""

    def leaving(*arguments: object) -> object:
        frame = sys._getframe(1)  # noqa: SLF001  (the documented way to see who calls)
        if not str(frame.f_globals.get("__name__")).startswith("algosim."):
            os.write(2, f"{name} at {frame.f_code.co_filename}, line {frame.f_lineno}\n".encode())
        return leave(*arguments)

    return leaving
