"""Which dashboards a cell has shown: the ones whose output it has replaced need not go on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from IPython import get_ipython

from algosim.errors import AlgosimError
from algosim.live.simulation import Simulation
from algosim.notebook import current

if TYPE_CHECKING:
    from algosim.notebook.dashboard import Dashboard

__all__ = ["shown"]


class _Execution(NamedTuple):
    """One time that a cell was run; `message` is the request's id."""

    cell: str
    message: str


_shown: dict[str, tuple[str, list[Dashboard]]] = {}


def shown(dashboard: Dashboard) -> None:
    """Note that the cell that runs now shows a dashboard, and end those that it showed when it last ran.

    A market that was on one of them and that nobody can reach any more is stopped: run again and again, a
    cell with the three lines of the README would have one more market each time, which nobody sees.
    """
    now = _execution()
    if now is None:
        return
    message, before = _shown.get(now.cell, (now.message, []))
    if message == now.message:
        _shown[now.cell] = (now.message, [*before, dashboard])
        return
    _shown[now.cell] = (now.message, [dashboard])
    for gone in before:
        if gone.source is not dashboard.source:  # the same market's leaves its place by itself
            threading.Thread(target=_end, args=(gone,), name="algosim replaced", daemon=True).start()


def _end(gone: Dashboard) -> None:
    gone.close()
    source = gone.source
    if isinstance(source, Simulation) and not _reachable(source):
        try:
            source.stop()
        except AlgosimError:
            return  # it had not begun, or has ended


def _reachable(sim: Simulation) -> bool:
    """Whether magics act on a market, a variable of the notebook has it, or another dashboard shows it."""
    if sim is current.peek():
        return True
    shell: Any = get_ipython()
    names = {name: value for name, value in tuple(shell.user_ns.items()) if not name.startswith("_")}
    if any(value is sim or _inside(sim, value) for value in names.values()):
        return True
    return any(board.source is sim for _, boards in tuple(_shown.values()) for board in boards)


def _inside(sim: Simulation, value: object) -> bool:
    """Whether a market is in a list, tuple, set or dict that a variable has."""
    if isinstance(value, dict):
        return any(each is sim for each in tuple(value.values()))
    return isinstance(value, (list, tuple, set)) and any(each is sim for each in tuple(value))


def _execution() -> _Execution | None:
    """Return which cell runs now; None where there is no telling, as in a terminal."""
    kernel = getattr(get_ipython(), "kernel", None)
    parent = kernel.get_parent("shell") if kernel is not None else {}
    cell = parent.get("metadata", {}).get("cellId")
    return _Execution(cell, parent["header"]["msg_id"]) if cell else None
