"""From a plan to the session that it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from algosim.live.connection import connection_files, find_connection
from algosim.live.simulation import Simulation
from algosim.page.following import Trail
from algosim.page.session import Session
from algosim.runs.player import Player

if TYPE_CHECKING:
    from algosim.live.connection import Connection
    from algosim.page.plan import Plan
    from algosim.page.roles import Access

__all__ = ["open_session"]


def open_session(plan: Plan) -> Session:
    """Return the session that a plan asks for; nothing starts yet.

    Raises
    ------
    AlgosimError
        If there is no such run, or a market cannot be started as is said.
    """
    if plan.play:
        return Session(Player(plan.play, speed=plan.speed), plan.access)  # type: ignore[arg-type]  # it checks
    if plan.run:
        return _attached(find_connection(plan.run), plan.access, anyone=False)
    if plan.market is not None:
        return Session(Simulation(**msgspec.structs.asdict(plan.market)), plan.access)
    running = connection_files()
    if running:
        return _attached(running[-1], plan.access, anyone=True)
    return Session(Simulation(), plan.access)


def _attached(connection: Connection, access: Access, *, anyone: bool) -> Session:
    trail = Trail(connection, anyone=anyone)
    return Session(Simulation([]).follow(connection), access, trail)
