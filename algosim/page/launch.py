"""From a market or a recorded run to a page that shows it."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from algosim.errors import ConfigError, EngineError
from algosim.live.simulation import Simulation
from algosim.page.plan import Plan
from algosim.page.process import Page
from algosim.runs.player import Player

__all__ = ["present"]

_shown: WeakKeyDictionary[Simulation | Player, Page] = WeakKeyDictionary()


def present(source: Simulation | Player | None = None, *, port: int | None = None) -> Page:
    """Show a market full-screen in the browser, on a page of its own; returns once it is there.

    Parameters
    ----------
    source : Simulation or Player, optional
        A market of this process or one that `algosim.connect` found, which starts if it has not, or a
        recorded run from its beginning. Without it the newest market that runs on this machine, or else a
        fresh one, which ends with the page.
    port : int, optional
        8501 without it; if it is taken, another.

    Returns
    -------
    Page
        The one that shows it already, if there is one. With its ``address``, the ``view_address`` for the
        projector, which can watch and not drive, and ``close``. In a notebook it shows as links. It ends
        with this process.

    Raises
    ------
    AlgosimError
        If Streamlit is not installed, the market has ended, or the page does not come up.
    """
    if source is None:
        return Page(Plan(), port)
    if not isinstance(source, Simulation | Player):
        msg = f"what is presented is a Simulation or a Player, got {type(source).__name__}"
        raise ConfigError(msg)
    known = _shown.get(source)
    if known is not None and not known.ended and port in (None, known.port):
        return known
    page = _shown[source] = Page(_plan(source), port)
    if known is not None:
        known.close()
    return page


def _plan(source: Simulation | Player) -> Plan:
    """Return how a page gets at a source, which runs from now on if it is a market."""
    if isinstance(source, Player):
        return Plan(play=str(source.folder), speed=source.speed)
    state = source.state
    if state == "new":
        source.start()
    elif state in ("finished", "crashed"):
        msg = "the market has ended; reset() begins a fresh one, and algosim present --play shows it again"
        raise EngineError(msg)
    return Plan(run=source.run_id)
