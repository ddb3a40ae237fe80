"""The pages that this kernel has opened: one for each market, however often it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import algosim

if TYPE_CHECKING:
    from algosim.live.simulation import Simulation
    from algosim.page.process import Page
    from algosim.runs.player import Player

__all__ = ["present"]


class _Whatever:
    """Stands for no market in particular."""


_WHATEVER = _Whatever()
_pages: WeakKeyDictionary[Simulation | Player | _Whatever, Page] = WeakKeyDictionary()


def present(source: Simulation | Player | None, port: int | None = None) -> Page:
    """Return the page that shows it; the one that is open, unless another port is asked for.

    Raises
    ------
    AlgosimError
        See `algosim.present`.
    """
    shown = _WHATEVER if source is None else source
    page = _pages.get(shown)
    if page is None or page.ended or port not in (None, page.port):
        if page is not None:
            page.close()
        page = _pages[shown] = algosim.present(source, port=port)
    return page
