"""How every child process starts, live and headless: one command line, one environment, one folder."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import algosim
from algosim.errors import EngineError
from algosim.sandbox import macos
from algosim.sandbox.places import interpreter

if TYPE_CHECKING:
    from algosim.sandbox.terms import Terms

__all__ = [
    "LOG",
    "check_start",
    "end_session",
    "hand_over",
    "how_it_ended",
    "read_exactly",
    "receive",
    "start",
    "start_strategy",
    "take_stdin",
    "take_stdout",
    "widen",
]

PIPE_SIZE = 1 << 20

_COMMAND = (sys.executable, "-s", "-P", "-m")
"""Without user packages and the working folder in the path; ``-I`` and ``-E`` would ignore PYTHONHASHSEED."""

LOG = "engine.log"
"""In the folder of a live run: what its processes wrote to standard error, if they did."""

_PASSED = (
    "PATH",
    "HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "TEMP",
    "TMP",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "XDG_RUNTIME_DIR",  # where connection files are
)
_PINNED = {
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    # A matrix product differs in its last digits between one thread and two.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    # The allocator that pandas' Arrow brings along starts a thread, and complains where it may not.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_FOLDERS = ("HOME", "USERPROFILE", "TEMP", "TMP", "TMPDIR", "MPLCONFIGDIR")
_WITHHELD = ("XDG_RUNTIME_DIR", *_FOLDERS, *(() if sys.platform == "win32" else ("PATH",)))
"""What a strategy has no use for; Windows finds libraries by PATH."""


def environment() -> dict[str, str]:
    """Return the environment of every child: a short list of names, and pinned values."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {**passed, **coverage, **_PINNED, "PYTHONPATH": str(Path(algosim.__file__).parent.parent)}


def start_strategy(
    module: str, terms: Terms, *, stdout: int | IO[Any] | None, stderr: int | IO[Any] | None
) -> subprocess.Popen[bytes]:
    """Start ``python -m module`` for a strategy's code: it enters the sandbox before it imports anything.

    It has its scratch folder for a home, and nothing of coverage measurements, which it could not write.
    """
    command = [*_COMMAND, "algosim.sandbox", module, *terms.arguments()]
    given = environment()
    if terms.mode != "trusted":
        kept = {k: v for k, v in given.items() if k not in _WITHHELD and not k.startswith("COVERAGE_")}
        given = {**kept, **dict.fromkeys(_FOLDERS, terms.scratch)}
        if sys.platform == "darwin" and not macos.fault():
            command = macos.wrapped(command, [*interpreter(), terms.folder], [terms.scratch])
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        cwd=terms.scratch,
        env=given,
        start_new_session=True,
    )


def start(
    module: str,
    *arguments: str,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
    cwd: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``python -m module`` in a session of its own, with a pipe to its standard input."""
    return subprocess.Popen(
        [*_COMMAND, module, *arguments],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        cwd=cwd or tempfile.gettempdir(),
        env=environment(),
        start_new_session=True,
    )


def widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold what its reader needs for a while, where the kernel grants that (Linux)."""
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415  (is not everywhere)

        with contextlib.suppress(OSError):  # the pipes of one user have a limit together
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_SIZE)


def hand_over(process: subprocess.Popen[bytes], document: bytes) -> None:
    """Write a document to a child's standard input, which stays open: its end tells that we died."""
    assert process.stdin is not None
    try:
        process.stdin.write(len(document).to_bytes(8, "little") + document)
        process.stdin.flush()
    except BrokenPipeError:
        return  # the child is gone; whoever waits for it finds out why


def receive() -> bytes:
    """Read the document that `hand_over` wrote, without taking more from standard input."""
    return read_exactly(0, int.from_bytes(read_exactly(0, 8), "little"))


def read_exactly(descriptor: int, size: int) -> bytes:
    """Read so many bytes from a pipe that the process holds which started this one.

    Raises
    ------
    EngineError
        If that process is gone.
    """
    parts = []
    while size > 0:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            msg = "the process that started this one is gone"
            raise EngineError(msg)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def check_start() -> None:
    """Refuse to run with start conditions that would make two runs differ.

    Raises
    ------
    EngineError
        If hash randomisation is on.
    """
    if sys.flags.hash_randomization:
        msg = "this process must be started by algosim, with PYTHONHASHSEED=0"
        raise EngineError(msg)


def end_session(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that `start` made, with what it has started in its session, and wait for it."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
    process.wait()


def how_it_ended(status: int, words: str = "") -> str:
    """Return the way a process ended, in words: its exit status, and what it said last."""
    if status < 0:
        return f"was killed ({signal.Signals(-status).name})"
    return f"gave up: {words}" if words else f"ended with status {status}"


def take_stdin() -> int:
    """Return a descriptor of our own for standard input; others who read there find nothing."""
    ours = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return ours


def take_stdout() -> IO[bytes]:
    """Return standard output as a binary stream of our own; what others write goes to standard error."""
    ours = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return ours
