"""The recorded runs of a workspace, a row each, without reading them whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from algosim.events import Attach, End, RunStart, Tick, decode_line
from algosim.runs.folder import METRICS, PROVENANCE
from algosim.runs.held import is_held
from algosim.runs.workspace import EVENTS, runs_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from algosim.events import Event
    from algosim.runs.shown_frames import RunList

__all__ = ["runs"]

END_BYTES = 1 << 20
"""How much of a file's end is looked through for its last whole block, which may have thousands of lines."""

State = Literal["finished", "crashed", "running"]


def runs() -> RunList:
    """Return the runs in the workspace's folder ``runs/``, the newest last.

    Returns
    -------
    DataFrame
        Index ``run_id``. Columns: ``started`` (UTC), ``strategies`` (the ids it began with), ``seed``,
        ``ticks``, ``trades`` (fills), ``pnl`` (of all accounts together), ``state`` (``finished``,
        ``crashed`` or ``running``) and ``folder``. Trades and P/L stand only where the run has been summed
        up.
    """
    import pandas as pd  # noqa: PLC0415  (half of what an import of algosim may cost)

    from algosim.runs.shown_frames import RunList  # noqa: PLC0415

    rows = sorted(_rows(), key=lambda row: (row.started, row.run_id))
    columns: dict[str, object] = {
        "started": pd.to_datetime([row.started for row in rows], utc=True, format="ISO8601", errors="coerce"),
        "strategies": pd.array([row.strategies for row in rows], dtype="str"),
        "seed": pd.array([row.seed for row in rows], dtype="object"),
        "ticks": pd.array([row.ticks for row in rows], dtype="int64"),
        "trades": pd.array([row.trades for row in rows], dtype="Int64"),
        "pnl": pd.array([row.pnl for row in rows], dtype="float64"),
        "state": pd.array([row.state for row in rows], dtype="str"),
        "folder": pd.array([row.folder for row in rows], dtype="str"),
    }
    return RunList(columns, index=pd.Index([row.run_id for row in rows], dtype="str", name="run_id"))


class _Row(NamedTuple):
    run_id: str
    started: str
    strategies: str
    seed: int | None
    ticks: int
    trades: int | None
    pnl: float
    state: State
    folder: str


def _rows() -> Iterator[_Row]:
    for path in runs_folder().glob(f"*/{EVENTS}"):
        if not path.parent.is_symlink():  # runs/last
            try:
                yield _row(path.parent)
            except OSError:
                continue  # removed while we look


def _row(folder: Path) -> _Row:
    known, totals = _read_json(folder / PROVENANCE), _read_json(folder / METRICS).get("total", {})
    beginning = _beginning(folder / EVENTS)
    last = _last_event(folder / EVENTS)
    run_id = next((event.run_id for event in beginning if isinstance(event, RunStart)), folder.name)
    return _Row(
        run_id=run_id,
        started=str(known.get("started", "")),
        strategies=", ".join(event.id for event in beginning if isinstance(event, Attach)),
        seed=known.get("seed"),
        ticks=0 if last is None else last.seq - isinstance(last, End),
        trades=totals.get("fills"),
        pnl=totals.get("pnl", float("nan")),
        state=_state(folder, last),
        folder=str(folder),
    )


def _state(folder: Path, last: Event | None) -> State:
    if isinstance(last, End):
        return last.state
    return "running" if is_held(folder / EVENTS) else "crashed"


def _beginning(path: Path) -> list[Event]:
    """Return the events before the first tick."""
    events: list[Event] = []
    with path.open("rb") as lines:
        for line in lines:
            event = _decoded(line)
            if event is None or isinstance(event, Tick | End):
                break
            events.append(event)
    return events


def _last_event(path: Path) -> Event | None:
    """Return the last event of the last whole block."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - END_BYTES))
        lines = file.read().split(b"\n")[:-1]
    for line in reversed(lines):
        event = _decoded(line)
        if event is not None and event.end:
            return event
    return None


def _decoded(line: bytes) -> Event | None:
    try:
        event: Event = decode_line(line)
    except msgspec.MsgspecError:
        return None
    return event


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return {}
