"""The command ``sim run``: a live market in real processes, watched until it ends."""

from __future__ import annotations

import logging
import signal
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

import click
from rich.console import Console

from algosim.cli.displays import Picture, Plain, watch
from algosim.cli.options import given_options, run_options
from algosim.cli.outcome import example
from algosim.cli.summary import print_result
from algosim.cli.tables import on_terminal
from algosim.live.simulation import Simulation
from algosim.settings import parse_assignment

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["run", "termination"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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

    Ends after --duration or --ticks, or with Ctrl-C or SIGTERM: once stops the run and keeps its data, twice
    leaves at once. The run's folder is runs/RUN_ID in the workspace unless --out names another; a run that
    had no tick leaves none. Prints the metrics and last the digest, which sim eval and sim replay arrive at
    too.
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
    logging.getLogger("algosim").addHandler(logging.NullHandler())  # the display says it all
    with ExitStack() as stack:
        stack.enter_context(termination())
        with Console(stderr=True).status("starting") if drawn else nullcontext():
            stack.enter_context(simulation)
        try:
            with (Picture if drawn else Plain)(simulation) as display:
                watch(simulation, display, context.obj)
        except KeyboardInterrupt:
            for end in SIGNALS:  # the next one ends this process, and the engine with it
                signal.signal(end, signal.SIG_DFL)
            click.echo("stopping; Ctrl-C again leaves at once", err=True)
        result, status = simulation.stop(), simulation.status
    return print_result(result, crash=status["reason"] if status["state"] == "crashed" else "")


@contextmanager
def termination() -> Iterator[None]:
    """Let whoever ends programs stop the run as Ctrl-C does."""
    before = {end: signal.getsignal(end) for end in SIGNALS}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        for end, handler in before.items():
            signal.signal(end, handler)
