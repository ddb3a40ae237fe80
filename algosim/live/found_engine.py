"""The supervisor of a run that another process started, as a handle in this one holds it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from algosim.errors import EngineError
from algosim.live.client import Client
from algosim.live.connection import is_alive
from algosim.live.family import crash_reason
from algosim.live.own_engine import Outcome
from algosim.live.sockets import Security

if TYPE_CHECKING:
    from algosim.live.connection import Connection

__all__ = ["FoundEngine"]

LEAVE_S = 3.0
"""How long a supervisor may take to end once it is told to."""


class FoundEngine:
    """The supervisor of a run that another process started."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        security = Security(connection.security == "curve", connection.controller, connection.server_public)
        endpoint = connection.endpoints["control"]
        self.client = Client(endpoint, security, connection.controller_token, self.gone)

    def gone(self) -> bool:
        """Whether it has ended."""
        return not is_alive(self._connection)

    def let_go(self) -> None:
        """Leave it alone: it belongs to another."""

    def end(self, within_s: float = LEAVE_S) -> None:
        """Wait until it has ended.

        Raises
        ------
        EngineError
            If it takes longer.
        """
        deadline = time.monotonic() + within_s
        while not self.gone():
            if time.monotonic() > deadline:
                known = self._connection
                msg = f"run {known.run_id} does not end: its supervisor, process {known.pid}, stands still"
                raise EngineError(msg)
            time.sleep(0.02)

    def outcome(self) -> Outcome | None:
        """Return why the run crashed, if its supervisor could say; else what is recorded tells the end."""
        reason = crash_reason(Path(self._connection.folder))
        return Outcome("crashed", reason) if reason else None
