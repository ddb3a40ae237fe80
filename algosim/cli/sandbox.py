"""``algosim sandbox``: what holds a strategy on this machine, tried out."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from algosim.cli.outcome import example
from algosim.cli.tables import print_table
from algosim.config import Config
from algosim.errors import EngineError
from algosim.runs.evaluate import evaluate
from algosim.runs.launch import end_session, start_strategy
from algosim.sandbox.probe import ACTS
from algosim.sandbox.standing import Row, check, standing
from algosim.sandbox.terms import MODES, Terms

if TYPE_CHECKING:
    from algosim.sandbox.terms import Mode

__all__ = ["sandbox"]

_ENOUGH_S = 30.0
_ENDLESS = "def on_tick(ctx, tick):\n    while True:\n        pass\n"
_TIME = {"limits.on_tick_s": 0.2}


class _Found(NamedTuple):
    """One kind of limit: what should hold, what was tried, and whether it succeeded."""

    row: Row
    tried: str
    succeeded: bool

    @property
    def word(self) -> str:
        if not self.succeeded:
            return f"enforced by {self.row.by}" if self.row.by else f"held here, but {self.row.missing}"
        return (
            f"not enforced: {self.row.missing or 'it succeeded, though ' + self.row.by + ' should keep it'}"
        )


@click.command("sandbox", epilog=example("sim sandbox", "sim sandbox --mode strict --json"))
@click.option(
    "--mode", type=click.Choice(MODES), default="standard", show_default=True, help="As limits.sandbox."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def sandbox(mode: Mode, *, as_json: bool) -> int:
    """Try out what keeps a strategy from this machine.

    A real worker tries one forbidden act for each kind of limit. Ends with 1 if one succeeds that should not.
    """
    check(mode)
    found = _probe(mode)
    broken = any(each.succeeded and each.row.by and not each.row.missing for each in found)
    if as_json:
        click.echo(
            json.dumps({"mode": mode, "limits": {each.row.limit: _told(each) for each in found}}, indent=2)
        )
    else:
        print_table(
            [["limit", "tried", mode], *([each.row.limit, each.tried, each.word] for each in found)], left=3
        )
    return 1 if broken else 0


def _told(found: _Found) -> dict[str, object]:
    row = found.row
    return {"enforced": not found.succeeded, "by": row.by, "missing": row.missing, "tried": found.tried}


def _probe(mode: Mode) -> list[_Found]:
    rows = {row.limit: row for row in standing(mode)}
    with tempfile.TemporaryDirectory(prefix="algosim-") as place:
        succeeded = _worker(mode, Path(place))
        found = [_Found(rows[limit], act, succeeded[limit]) for limit, act in ACTS.items()]
        return [*found, _Found(rows["time"], "never return from on_tick", not _is_stopped(mode, Path(place)))]


def _worker(mode: Mode, place: Path) -> dict[str, bool]:
    """Return which acts of a worker succeed."""
    outside = place / "outside.txt"
    outside.write_text("not for strategies")
    for name in ("code", "scratch"):
        (place / name).mkdir()
    memory_mb = Config().limits.memory_mb
    terms = Terms(mode, memory_mb, str(place / "code"), str(place / "scratch"))
    process = start_strategy("algosim.sandbox.probe", terms, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    target = {"file": str(outside), "pid": os.getpid(), "memory_mb": memory_mb + 256}
    try:
        said, complaints = process.communicate(json.dumps(target).encode() + b"\n", _ENOUGH_S)
        succeeded: dict[str, bool] = json.loads(said)
    except (ValueError, subprocess.TimeoutExpired) as error:
        words = (
            complaints.decode("utf-8", "replace") if isinstance(error, ValueError) else "it takes too long"
        )
        msg = f"the worker that tries out the sandbox failed: {words.strip() or error}"
        raise EngineError(msg) from error
    finally:
        end_session(process)
    return succeeded


def _is_stopped(mode: Mode, place: Path) -> bool:
    """Whether a strategy that never returns is stopped."""
    path = place / "endless.py"
    path.write_text(_ENDLESS)
    result = evaluate(path, seed=1, ticks=1, settings={**_TIME, "limits.sandbox": mode})
    return "on_tick used more than" in "".join(result.errors)
