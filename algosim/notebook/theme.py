"""Whether the page that shows this kernel's widgets is light or dark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from anywidget import AnyWidget
from traitlets import Enum

if TYPE_CHECKING:
    from algosim.charts.palette import Theme

__all__ = ["ThemeWatch", "watch"]


class ThemeWatch(AnyWidget):
    """Follows the page's theme; needs not be displayed.

    Attributes
    ----------
    theme : {"light", "dark"}
        Light until the page has told; may be observed.
    """

    _esm = Path(__file__).with_suffix(".js")
    theme: Theme = Enum(["light", "dark"], "light").tag(sync=True)  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Say what it is; always the same, as notebooks are compared with their saved output."""
        return "ThemeWatch()"


class _Watch:
    """Holds the kernel's one."""

    widget: ThemeWatch | None = None


def watch() -> ThemeWatch:
    """Return the kernel's watch."""
    if _Watch.widget is None or _Watch.widget.comm is None:  # closed with all widgets
        _Watch.widget = ThemeWatch()
    return _Watch.widget
