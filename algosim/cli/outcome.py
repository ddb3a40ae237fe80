"""How a command ends: its exit code, the line that says why, and what its help shows as an example."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING

import click

from algosim.cli.text import clean
from algosim.errors import EngineError, ReplayDiverged, StrategyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "FAILED",
    "FINE",
    "LEFT",
    "USAGE",
    "Session",
    "complain",
    "example",
    "is_full",
    "report",
    "unheard",
    "while_read",
]

FINE, FAILED, USAGE = 0, 1, 2
LEFT = 141
"""What a shell sees of a program whose reader has left, ``| head`` say: 128 and the number of SIGPIPE."""


class Session:
    """What one call of the program knows about itself.

    Attributes
    ----------
    begun : bool
        Whether a run has had its first tick: what goes wrong after that is the run's failure, what goes
        wrong before is bad input.
    """

    def __init__(self) -> None:
        self.begun = False


def complain(problem: str, frames: Iterable[str] = ()) -> None:
    """Print one line on standard error, and below it the learner's frames, if it takes them."""
    with contextlib.suppress(OSError):
        click.echo(f"error: {clean(problem)}", err=True)
        for line in frames:
            click.echo(f"  {clean(line)}", err=True)


def report(error: Exception, *, begun: bool) -> int:
    """Say what went wrong and return the exit code."""
    complain(_message(error), error.frames.splitlines() if isinstance(error, StrategyError) else ())
    if isinstance(error, click.UsageError):
        return USAGE
    if isinstance(error, click.Abort | EngineError | ReplayDiverged):
        return FAILED
    return FAILED if begun else USAGE


def is_full(error: OSError) -> bool:
    """Whether this is the error of a write to standard output that finds no room."""
    return error.filename is None and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EIO)


def unheard(error: OSError) -> int:
    """Say that the output cannot be written and return the exit code."""
    complain(f"cannot write the output: {error.strerror}")
    _mute()
    return FAILED


@contextlib.contextmanager
def while_read() -> Iterator[None]:
    """End the program without a word where nobody reads its output any more."""
    try:
        yield
    except OSError as error:
        closed = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)
        if error.filename is not None or error.errno not in closed:
            raise
        _mute()
        raise click.exceptions.Exit(LEFT) from error


def _mute() -> None:
    with contextlib.suppress(OSError):  # what is left in Python's buffer would fail again at its end
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def example(*lines: str) -> str:
    """Return the end of a command's help: lines that a person can type."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def _message(error: Exception) -> str:
    if isinstance(error, click.Abort):
        return "interrupted"
    if not isinstance(error, click.ClickException):
        return str(error)
    said = error.format_message()
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "sim"
    return f"{said if said.endswith(('.', '?')) else said + '.'} See `{path} --help`."
