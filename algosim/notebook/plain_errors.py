"""Errors of magics as the person at the keyboard needs them: one line, no traceback through algosim."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from algosim.errors import AlgosimError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["without_traceback"]


@contextmanager
def without_traceback() -> Iterator[None]:
    """Let an `AlgosimError` rise as it is, but have IPython show its message alone.

    The cell counts as failed: what was to run after it does not.
    """
    try:
        yield
    except AlgosimError as error:
        lines = [f"{type(error).__name__}: {error}"]
        # IPython asks an exception how it wants to be shown
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
        raise
