"""Imports plotly's widget without a detour that takes two seconds."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["half_imported", "without_grammar"]

GRAMMAR = "rfc3987_syntax"


@contextmanager
def without_grammar() -> Iterator[None]:
    """Let an import go on as if ``rfc3987_syntax`` were not installed.

    Plotly asks for nbformat's version, nbformat imports jsonschema, and that this module where JupyterLab has
    brought it along: it builds a grammar of internationalised addresses, which nothing in a kernel checks.
    """
    if GRAMMAR in sys.modules or "jsonschema" in sys.modules:
        yield
        return
    modules: dict[str, Any] = sys.modules
    modules[GRAMMAR] = None  # how Python writes that there is none
    try:
        yield
    finally:
        del sys.modules[GRAMMAR]


def half_imported(error: AttributeError) -> bool:
    """Say whether it is of a module that another thread imports at this moment.

    Plotly looks into pandas and its like as soon as they are in `sys.modules`, as while a cell imports them.
    """
    return "partially initialized module" in str(error)
