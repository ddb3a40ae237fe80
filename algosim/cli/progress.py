"""A bar on standard error that says how far a long computation is and when it will be done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from algosim.cli.outcome import Session

__all__ = ["Bar"]


class Bar:
    """A progress bar with the time that remains; use as a context manager.

    Its object is the ``progress`` callable of `algosim.runs.evaluate`. Only a terminal shows it. The first
    call also tells the session that the run has begun.
    """

    def __init__(self, what: str, session: Session) -> None:
        self._session = session
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task(what, total=None)

    def __call__(self, done: int, total: int) -> None:
        """Show how much of all is done."""
        self._session.begun = True
        self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
