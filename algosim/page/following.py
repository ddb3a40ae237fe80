"""Finds the run that follows one that has ended: the one its launcher has begun since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from algosim.live.connection import connection_files

if TYPE_CHECKING:
    from algosim.live.connection import Connection

__all__ = ["Trail"]


class Trail:
    """A run that another process started, and what comes after it.

    Parameters
    ----------
    connection : Connection
        Of the run, while it is there.
    anyone : bool
        Whether a later market of any launcher will do.
    """

    def __init__(self, connection: Connection, *, anyone: bool) -> None:
        self._connection = connection
        self._anyone = anyone
        self._launcher = _launcher(connection.pid)

    def next(self) -> Connection | None:
        """Return the newest run that was started later, None if there is none."""
        later = [found for found in connection_files() if found.started > self._connection.started]
        for found in reversed(later):
            if self._anyone or (self._launcher is not None and _launcher(found.pid) == self._launcher):
                return found
        return None

    def after(self, connection: Connection) -> Trail:
        """Return the trail of a run that followed."""
        return Trail(connection, anyone=self._anyone)


def _launcher(supervisor: int) -> psutil.Process | None:
    """Return the process that started a supervisor; equal only if it is the same, not its id alone."""
    try:
        return psutil.Process(supervisor).parent()
    except psutil.Error:
        return None
