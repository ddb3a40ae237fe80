"""Tables on standard output: drawn on a terminal, aligned text everywhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from algosim.cli.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["on_terminal", "print_table"]


def on_terminal() -> bool:
    """Whether standard output is a terminal that can draw."""
    return sys.stdout.isatty() and not Console().is_dumb_terminal


def print_table(rows: Sequence[Sequence[str]], *, left: int = 1) -> None:
    """Print a header and rows; the first `left` columns are aligned left, the others right."""
    cells = [[clean(cell) for cell in row] for row in rows]
    if on_terminal():
        Console().print(_drawn(cells, left))
        return
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        aligned = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(aligned).rstrip())


def _drawn(cells: Sequence[Sequence[str]], left: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, title in enumerate(cells[0]):
        table.add_column(Text(title), justify="left" if i < left else "right")
    for row in cells[1:]:
        table.add_row(*map(Text, row))
    return table
