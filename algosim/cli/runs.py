"""The commands that only look: ``sim runs`` and ``sim config``."""

from __future__ import annotations

import click

from algosim.cli.outcome import example
from algosim.cli.tables import print_table
from algosim.runs.listing import runs as list_runs
from algosim.settings import default_text

__all__ = ["config", "runs"]


@click.command("config", epilog=example("sim config > config.yaml", "sim run --config config.yaml"))
def config() -> None:
    """Print the default configuration, every setting explained.

    Keep the lines that you change and delete the rest. Any setting can also be given as --set KEY=VALUE.
    """
    click.echo(default_text(), nl=False)


@click.command("runs", epilog=example("sim runs"))
def runs() -> None:
    """List the recorded runs of this workspace.

    The newest stands last.
    """
    table = list_runs()
    if table.empty:
        click.echo("no runs yet: sim run --strategy sma_crossover --duration 60s")
