"""Plotly's widget code for the page, with what a market's figures add to it."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["widget_code"]

_FUNCTIONS = {"fill_width.js": "fillWidth", "live_figure.js": "followMarket"}


def widget_code(theirs: str, *files: str) -> str:
    """Return plotly's widget module with what files of ours add to it.

    It is as it was if its classes are not found in it.

    Parameters
    ----------
    theirs : str
    files : str
        Each has a function that takes plotly's model and view.
    """
    names = re.search(r"export\s*\{\s*([\w$]+) as FigureModel,\s*([\w$]+) as FigureView\b", theirs)
    if names is None:
        return theirs
    ours = [Path(__file__).with_name(file).read_text("utf-8") for file in files]
    calls = [f"{_FUNCTIONS[file]}({names[1]}, {names[2]});\n" for file in files]
    return "\n".join([theirs, *ours, *calls])
