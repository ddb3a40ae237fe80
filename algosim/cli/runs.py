"""The commands that only look: ``sim runs`` and ``sim config``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from algosim.cli.outcome import example
from algosim.cli.tables import print_table
from algosim.cli.text import money, whole
from algosim.runs.listing import runs as list_runs
from algosim.settings import default_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["config", "runs"]


@click.command("config", epilog=example("sim config > config.yaml", "sim run --config config.yaml"))
def config() -> None:
    """Print the default configuration, every setting explained.

    Keep the lines that you change and delete the rest. Any setting can also be given as --set KEY=VALUE.
    """
    click.echo(default_text(), nl=False)


@click.command("runs", epilog=example("sim runs", "sim replay last"))
def runs() -> None:
    """List the recorded runs of this workspace.

    The newest stands last. Its id, or last, is what sim replay takes.
    """
    table = list_runs()
    if table.empty:
        click.echo("no runs yet: sim run --strategy sma_crossover --duration 60s")
    else:
        print_table(_rows(table), left=3)


def _rows(table: pd.DataFrame) -> list[list[str]]:
    columns = (
        table.index,
        table["state"],
        table["strategies"],
        map(whole, table["ticks"]),
        map(whole, table["trades"].astype("float64")),
        map(money, table["pnl"]),
    )
    rows = zip(*columns, strict=True)
    return [["run", "state", "strategies", "ticks", "trades", "P/L"], *map(list, rows)]
