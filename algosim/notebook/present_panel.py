"""Opening the page that shows a market or a recorded run full-screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosim.notebook.errands import Errands
from algosim.notebook.pages import present
from algosim.notebook.panels import button, buttons, live_html, panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.live.simulation import Simulation
    from algosim.runs.player import Player

__all__ = ["PresentPanel"]


class PresentPanel:
    """A button that opens the page, and below it the links to it.

    Parameters
    ----------
    source : Simulation or Player
    failed : callable
        Takes the exception where there is no page.
    tell : callable
        Takes a line for the log.
    done : callable
        Called when there is a page, or none can be had.

    Attributes
    ----------
    box : Box
    links : HTML
    """

    def __init__(
        self,
        source: Simulation | Player,
        failed: Callable[[Exception], None],
        tell: Callable[[str], None],
        done: Callable[[], None],
    ) -> None:
        self._source = source
        self._tell = tell
        self._errands = Errands(failed, done)  # its own: a page takes seconds to come up
        self.open = button("Present", "desktop", self._ask, "show it full-screen on a page of its own")
        self.links = live_html("algosim-links")
        self.box = panel("Present", [buttons(self.open), self.links])

    def _ask(self) -> None:
        self._tell("the page is starting")
        self._errands.ask(self._present, key="present")

    def _present(self) -> None:
        page = present(self._source)
        self.links.value = page._repr_html_()
        self._tell(f"presented at {page.view_address}")

    def close(self) -> None:
        """Do nothing any more; the page stays."""
        self._errands.close()
