"""The command ``sim run``: a live market in real processes, watched until it ends."""

from __future__ import annotations

import signal
import time
from contextlib import nullcontext

import click
from rich.console import Console

from algosim.cli.displays import Picture, Plain
from algosim.cli.options import given_options, run_options
from algosim.cli.outcome import Session, example
from algosim.cli.summary import print_result
from algosim.cli.tables import on_terminal
from algosim.live.simulation import Simulation
from algosim.settings import parse_assignment

__all__ = ["run"]

ENDED = ("finished", "crashed")


def _speed(_context: click.Context, _parameter: click.Parameter, text: str | None) -> dict[str, object]:
    return {} if text is None else dict([parse_assignment(f"schedule.speed={text}")])


@click.command(
    "run",
    epilog=example(
        "sim run --strategy sma_crossover --seed 42 --duration 60s",
        "sim run --strategy momentum --strategy bollinger --speed 10 --set model.sigma=0.3 --headless",
    ),
)
@run_options
@click.option("--speed", metavar="X|max", callback=_speed, help="Simulated seconds per second, or max.")
@click.option("--headless", is_flag=True, help="Print plain lines also on a terminal.")
@click.pass_context
def run(context: click.Context, *, speed: dict[str, object], headless: bool) -> int:
    """Run a live market in real processes and watch it.

    Ends after --duration or --ticks, or with Ctrl-C: once stops the run and keeps its data, twice leaves at
    once. The run's folder is runs/RUN_ID in the workspace unless --out names another. Prints the metrics and
    last the digest, which sim eval and sim replay arrive at too.
    """
    options = given_options(context)
    simulation = Simulation(
        options.strategy,
        seed=options.seed,
        duration=options.duration,
        ticks=options.ticks,
        config=options.config,
        settings=options.settings | speed,
        out=options.out,
    )
    drawn = on_terminal() and not headless
    with Console(stderr=True).status("starting") if drawn else nullcontext():
        simulation.start()
    try:
        with (Picture if drawn else Plain)(simulation) as display:
            _watch(simulation, display, context.obj)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the next one ends this process, and the engine with it
        click.echo("stopping; Ctrl-C again leaves at once", err=True)
    result, status = simulation.stop(), simulation.status
    return print_result(result, crash=status["reason"] if status["state"] == "crashed" else "")


def _watch(simulation: Simulation, display: Plain | Picture, session: Session) -> None:
    """Show the run until it has ended."""
    while True:
        status, recording = simulation.status, simulation.recording
        session.begun = session.begun or len(recording) > 0
        if status["state"] in ENDED:
            return
        display.show(recording, status)
        time.sleep(display.period_s)
