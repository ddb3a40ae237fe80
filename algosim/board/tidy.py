"""Small tables of words that mean something: as HTML, whose classes carry the looks, and as aligned text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from algosim.charts.numbers import signed_money

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Cell", "Table", "profit", "said", "sign"]


class Cell(NamedTuple):
    """A text with what it means: ``good``, ``bad``, ``buy``, ``sell``, ``dim``, or nothing in particular."""

    text: str
    kind: str = ""


class Table(NamedTuple):
    """A header and rows; the columns in `left` are aligned left, the one in `wrap` may take several lines."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    left: frozenset[int] = frozenset({0})
    wrap: int = -1

    def html(self) -> str:
        """Return it as HTML."""
        head = "".join(self._th(i, title) for i, title in enumerate(self.header))
        body = "".join(
            f"<tr>{''.join(self._td(i, cell) for i, cell in enumerate(row))}</tr>" for row in self.rows
        )
        top = f"<thead><tr>{head}</tr></thead>" if any(self.header) else ""
        return f"<table>{top}<tbody>{body}</tbody></table>"

    def text(self) -> str:
        """Return it as lines of text."""
        rows = [[c.text if isinstance(c, Cell) else c for c in row] for row in self.rows]
        if any(self.header):
            rows.insert(0, list(self.header))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                text.ljust(width) if i in self.left else text.rjust(width)
                for i, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )

    def _class(self, column: int) -> str:
        names = ["left"] * (column in self.left) + ["wrap"] * (column == self.wrap)
        return f' class="{" ".join(names)}"' if names else ""

    def _th(self, column: int, title: str) -> str:
        return f"<th{self._class(column)}>{escape(title)}</th>"

    def _td(self, column: int, cell: Cell | str) -> str:
        return f"<td{self._class(column)}>{said(cell)}</td>"


def said(cell: Cell | str) -> str:
    """Return a text as HTML, in the colour of what it means."""
    if isinstance(cell, Cell) and cell.kind:
        return f'<span class="{cell.kind}">{escape(cell.text)}</span>'
    return escape(cell.text if isinstance(cell, Cell) else cell)


def profit(value: float) -> Cell:
    """Return a profit or loss with its sign, in the colour of what it is."""
    return Cell(signed_money(value), sign(value))


def sign(value: float) -> str:
    """Return what a profit or loss means: ``good``, ``bad``, or nothing where it is written as zero."""
    return "" if round(value, 2) == 0.0 else "good" if value > 0 else "bad" if value < 0 else ""
