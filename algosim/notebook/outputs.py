"""An output of a cell that can be changed later, from any thread."""

from __future__ import annotations

from typing import Any

from IPython import get_ipython
from IPython.display import DisplayHandle

__all__ = ["Output", "can_change"]


class Output:
    """An output below the cell that runs now.

    Parameters
    ----------
    data : dict of str to str
        By MIME type. Empty, it leaves no trace in the notebook's file.
    """

    def __init__(self, data: dict[str, str]) -> None:
        make: Any = DisplayHandle  # IPython has no types for it
        self._handle = make()
        self._handle.display(data, raw=True)

    def change(self, data: dict[str, str]) -> None:
        """Show this instead, whichever cell runs now."""
        if can_change():
            self._handle.update(data, raw=True)


def can_change() -> bool:
    """Whether outputs can change here: a kernel's clients can do that, a terminal cannot."""
    return getattr(get_ipython(), "kernel", None) is not None
