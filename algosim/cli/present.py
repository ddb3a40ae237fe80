"""The command ``algosim present``: a run full-screen in the browser, for the projector."""

from __future__ import annotations

import webbrowser
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console

from algosim.cli.live import termination
from algosim.cli.options import given_options, run_options
from algosim.cli.outcome import example
from algosim.cli.tables import on_terminal
from algosim.errors import ConfigError, EngineError
from algosim.live.connection import find_connection
from algosim.page.plan import Market, Plan
from algosim.page.process import PORT, Page
from algosim.runs.setup import prepare
from algosim.runs.workspace import find_run
from algosim.settings import parse_assignment

if TYPE_CHECKING:
    from algosim.cli.options import RunOptions

__all__ = ["present"]


def _speed(_context: click.Context, _parameter: click.Parameter, text: str | None) -> object:
    return None if text is None else parse_assignment(f"schedule.speed={text}")[1]


@click.command(
    "present",
    epilog=example(
        "sim present",
        "sim present --strategy sma_crossover --strategy momentum --seed 42",
        "sim present --play last --speed 10",
    ),
)
@click.option("--run", metavar="RUN", help="The id of a running market.")
@click.option("--play", metavar="RUN", help="A recorded run: its folder, its id, or last.")
@run_options
@click.option("--speed", metavar="X|max", callback=_speed, help="Simulated seconds per second, or max.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help=f"Where to serve; else {PORT}.")
@click.option("--no-browser", is_flag=True, help="Only print the addresses.")
@click.pass_context
def present(
    context: click.Context,
    *,
    run: str | None,
    play: str | None,
    speed: Any,  # noqa: ANN401  (of `_speed`)
    port: int | None,
    no_browser: bool,
) -> None:
    """Show a run full-screen in the browser.

    Without a run it shows the newest market that is running here. If there is none, or with options of a
    run, it starts one, which ends with the page. Prints two addresses: with one you drive, with the other
    people watch. Ctrl-C ends the page; a market that was started elsewhere goes on.
    """
    plan = _plan(given_options(context), run, play, speed)
    with termination():
        try:
            with Console(stderr=True).status("starting") if on_terminal() else nullcontext():
                page = Page(plan, port)
            with page:
                _show(page, browser=not no_browser)
                page.wait()
                msg = f"the page ended: {page.ended}"
                raise EngineError(msg)
        except KeyboardInterrupt:
            click.echo("closed", err=True)


def _show(page: Page, *, browser: bool) -> None:
    if page.moved:
        click.echo(page.moved, err=True)
    click.echo(f"drive:      {page.address}")
    click.echo(f"to project: {page.view_address}")
    click.echo("Ctrl-C ends the page", err=True)
    if browser:
        webbrowser.open(page.address)


def _plan(options: RunOptions, run: str | None, play: str | None, speed: Any) -> Plan:  # noqa: ANN401
    """Return what to show, once it is known that it can be.

    Raises
    ------
    AlgosimError
        If there is no such run, a market cannot be started so, or several things are asked for.
    """
    settings = options.settings | ({} if speed is None or play is not None else {"schedule.speed": speed})
    market = Market(
        strategy=None if options.strategy is None else list(options.strategy),
        seed=options.seed,
        config=options.config,
        settings=settings,
        duration=options.duration,
        ticks=options.ticks,
        out=options.out,
    )
    if [run is not None, play is not None, market != Market()].count(True) > 1:
        msg = "--run shows a running market, --play a recorded one, other options start one: say one of them"
        raise ConfigError(msg)
    if play is not None:
        return Plan(play=str(find_run(play)), speed=speed)
    if run is not None:
        return Plan(run=find_connection(run).run_id)
    if market == Market():
        return Plan()
    fields = msgspec.structs.asdict(market)
    del fields["out"]
    prepare(fields.pop("strategy"), **fields)  # what cannot be used is told here
    return Plan(market=market)
