"""Tables of fixed height and fixed columns, in which nothing moves when a number grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table
from rich.text import Text

from algosim.cli.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import JustifyMethod

__all__ = ["Column", "fixed_table"]


class Column(NamedTuple):
    """A column with its width in characters; 0 takes what is left."""

    title: str
    width: int
    justify: JustifyMethod = "right"


def fixed_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], height: int, width: int) -> Table:
    """Return a table of exactly `height` rows below its heading, as wide as there is room."""
    left = width - sum(column.width for column in columns) - len(columns) + 1
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            column.title,
            width=column.width or max(left, 8),
            justify=column.justify,
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in [*rows, *[()] * (height - len(rows))]:
        cells = [Text(clean(cell)) for cell in row]
        table.add_row(*cells, *[Text("")] * (len(columns) - len(cells)))
    return table
