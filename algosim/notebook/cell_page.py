"""HTML as the output of a cell, in the notebook's own look and with the colours of what words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosim.charts.palette import DARK, LIGHT

if TYPE_CHECKING:
    from algosim.charts.palette import Palette

__all__ = ["page"]


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


def page(*parts: str, live: bool = False) -> str:
    """Return parts of HTML as one output; `live` marks what differs at every look."""
    return f'{STYLE}<div class="algosim{" live" * live}">{"".join(parts)}</div>'
