"""Small tables for the output of a cell: HTML in the notebook's own look, aligned text everywhere else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from algosim.charts.numbers import signed_money
from algosim.charts.palette import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.charts.palette import Palette

__all__ = ["Cell", "Table", "page", "profit", "said"]


def _colours(ground: Palette, prefix: str) -> str:
    names = {
        "good": ground.buy,
        "bad": ground.loss,
        "buy": ground.buy,
        "sell": ground.sell,
        "dim": ground.muted,
    }
    return "".join(f"{prefix}.algosim .{name}{{color:{colour}}}" for name, colour in names.items())


STYLE = (
    "<style>.algosim table{font-variant-numeric:tabular-nums;margin:0 0 .4em}"
    ".algosim :is(th,td){text-align:right;white-space:nowrap}"
    ".algosim :is(th,td).left{text-align:left}.algosim td.wrap{white-space:normal;max-width:56em}"
    ".algosim p{margin:.2em 0}.algosim td.left code{white-space:nowrap}"
    ".algosim .fault{background:var(--jp-rendermime-error-background,#fdd);padding:.3em .6em;margin:.3em 0}"
    ".algosim .fault pre{background:none;margin:.2em 0 0}"
    f"{_colours(LIGHT, '')}{_colours(DARK, '[data-jp-theme-light=false] ')}"
    f"{_colours(DARK, '.vscode-dark ')}</style>"
)
"""What every output brings along: a notebook keeps outputs, not the style of those that are gone."""


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
    return Cell(signed_money(value), "good" if value > 0 else "bad" if value < 0 else "")


def page(*parts: str, live: bool = False) -> str:
    """Return parts of HTML as one output; `live` marks what differs at every look."""
    return f'{STYLE}<div class="algosim{" live" * live}">{"".join(parts)}</div>'
