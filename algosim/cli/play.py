"""The command ``sim play``: a recorded run, watched again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from algosim.cli.displays import Picture, Plain, watch
from algosim.cli.outcome import example
from algosim.cli.summary import print_result
from algosim.cli.tables import on_terminal
from algosim.runs.player import Player
from algosim.runs.result import Result
from algosim.settings import parse_assignment

if TYPE_CHECKING:
    from algosim.cli.outcome import Session

__all__ = ["play"]


def _speed(_context: click.Context, _parameter: click.Parameter, text: str | None) -> object:
    return None if text is None else parse_assignment(f"schedule.speed={text}")[1]


@click.command("play", epilog=example("sim play last", "sim play runs/20250101-120000-ab12 --speed 10"))
@click.argument("run")
@click.option(
    "--speed",
    metavar="X|max",
    callback=_speed,
    help="Simulated seconds per second, or max. Without it, as the run was set to begin with.",
)
@click.option("--headless", is_flag=True, help="Print plain lines also on a terminal.")
@click.pass_obj
def play(session: Session, run: str, *, speed: Any, headless: bool) -> None:  # noqa: ANN401  (of `_speed`)
    """Watch a recorded run again, at any speed.

    RUN is a run's folder, its id, or last. Nothing is computed again and nothing is written: every tick,
    trade and log line comes from the record, at the pace of --speed. Ends with the run's metrics and digest,
    or with Ctrl-C. To check a run instead: sim replay.
    """
    player = Player(run, speed=speed)
    drawn = on_terminal() and not headless
    try:
        with (Picture if drawn else Plain)(player) as display:
            player.play()
            watch(player, display, session)
    except KeyboardInterrupt:
        click.echo(f"left at tick {player.tick:,} of {player.last_tick:,}", err=True)
        return
    recording = player.recording
    assert player.folder is not None
    result = Result(
        recording, player.config, player.run_id, player.folder, digest=recording.digest, note=player.note
    )
    print_result(result, crash=player.status["reason"] if player.state == "crashed" else "")
