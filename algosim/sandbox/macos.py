"""sandbox-exec: files and network, kept by the kernel (macOS). Written from documentation, not tested.

Apple calls it deprecated and uses it still, as do Chromium and Bazel.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["fault", "wrapped"]

_PROGRAM = "/usr/bin/sandbox-exec"
_TEST_S = 5.0

_SYSTEM = ("/System", "/usr/lib", "/usr/share/zoneinfo", "/private/var/db/timezone", "/Library/Apple")

_PROFILE = """(version 1)
(allow default)
(deny network*)
(deny process-fork)
(deny signal)
(allow signal (target self))
(deny file-write*)
(deny file-read*)
(allow file-read-metadata)
(allow file-read* file-map-executable {readable})
(allow file-read* file-write* {writable})
(allow file-read* file-write-data (literal "/dev/null") (literal "/dev/zero"))
(allow file-read* (literal "/dev/urandom") (literal "/"))
"""


@cache
def fault() -> str:
    """Return why sandbox-exec cannot be used, ``""`` if it can: it is tried once."""
    import subprocess  # noqa: PLC0415  (a strategy's process starts without it)

    probe = "(version 1)(allow default)(deny network*)"
    try:
        subprocess.run([_PROGRAM, "-p", probe, "/usr/bin/true"], check=True, timeout=_TEST_S, stderr=-3)
    except (OSError, subprocess.SubprocessError) as error:
        return f"sandbox-exec does not work here ({type(error).__name__})"
    return ""


def wrapped(command: list[str], readable: Iterable[str], writable: Iterable[str]) -> list[str]:
    """Return a command line that runs another one confined."""
    read = " ".join(_subpath(path) for path in (*_SYSTEM, *readable))
    write = " ".join(_subpath(path) for path in writable)
    return [_PROGRAM, "-p", _PROFILE.format(readable=read, writable=write), *command]


def _subpath(path: str) -> str:
    text = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'(subpath "{text}")'
