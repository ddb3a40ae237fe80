"""The one run that a page process shows, however many browsers look at it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from algosim.errors import AlgosimError, EngineError
from algosim.live.simulation import Simulation
from algosim.page.export import zipped
from algosim.runs.player import Player

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from algosim.page.following import Trail
    from algosim.page.roles import Access

__all__ = ["ENDED", "Session", "current", "install", "why_ended"]

ENDED = ("finished", "crashed")


def why_ended(status: Mapping[str, Any]) -> str:
    """Return why a run has ended, in a line; empty while it goes on, or has not begun."""
    if status["state"] not in ENDED:
        return ""
    return str(status.get("reason") or ("it crashed" if status["state"] == "crashed" else "it has finished"))


class Session:
    """What the page shows and who may do what: one per process, made before the first browser comes.

    The script gets it by `current()`; it lives as long as the process. Its methods may be called from any
    thread. What it holds of a market is one handle, shared by all browsers: `source` stays the same object
    when the run is reset, here or by whoever started it.

    Parameters
    ----------
    source : Simulation or Player
    access : Access
    trail : Trail, optional
        Of a run that another process started.

    Attributes
    ----------
    source : Simulation or Player
        What the page shows. Controls call it; its errors are AlgosimErrors with a remedy.
    access : Access
        Tokens and roles. `algosim.page.visitor.role()` gives the role of the browser whose script runs.
    trouble : str
        What kept the run from starting, such as a strategy's error with its line; empty if nothing did.
    """

    def __init__(self, source: Simulation | Player, access: Access, trail: Trail | None = None) -> None:
        self.source = source
        self.access = access
        self.trouble = ""
        self.changed: Callable[[], None] = lambda: None
        self._trail = trail
        self._lock = threading.Lock()

    @property
    def owned(self) -> bool:
        """Whether the run ends with the page: it started the run, or began it again."""
        return self._trail is None and not self.played

    @property
    def played(self) -> bool:
        """Whether it is a recorded run that plays; `source` is a Player then."""
        return isinstance(self.source, Player)

    @property
    def ended(self) -> str:
        """Why the run has ended, in a line; empty while it goes on, or has not begun."""
        return why_ended(self.source.status)

    @property
    def live_path(self) -> str:
        """Address of the websocket with its token, relative to the page: ``"algosim/live?token=..."``.

        Build the URL from ``document.baseURI`` (behind a proxy the page is not at the root). The token is
        the view-only one: nothing that is sent over the websocket changes the run.
        """
        return f"algosim/live?{urlencode({'token': self.access.view})}"

    @property
    def view_path(self) -> str:
        """What to add to the page's address for the projector: ``"?view=present&token=..."``; it watches."""
        return f"?{urlencode({'view': 'present', 'token': self.access.view})}"

    def start(self) -> None:
        """Start what does not run yet; what prevents it is told in `trouble`."""
        source = self.source
        try:
            if isinstance(source, Player):
                source.play()
            elif source.run_id == "":
                source.start()
        except AlgosimError as error:
            self.trouble = str(error)

    def begin_again(self) -> None:
        """Begin anew, after the end or at any time.

        A market: a fresh run with the settings as they are now, which the page then owns. A playback: from
        its beginning. Takes about a second; errors are those of `Simulation.start`. Of several that ask at
        once, the first is heard.
        """
        self._anew(go=True)

    def reset(self) -> None:
        """Make a fresh run ready, as `begin_again` does, and leave it to be started."""
        self._anew(go=False)

    def _anew(self, *, go: bool) -> None:
        shown = self.source.run_id
        with self._lock:
            source = self.source
            if isinstance(source, Player):
                source.seek(tick=0)
                if go:
                    source.play()
            elif source.run_id == shown:
                self._trail, self.trouble = None, ""
                try:
                    source.reset()
                    if go:
                        source.start()
                finally:
                    self.changed()

    def follow_on(self) -> bool:
        """Show the run that has taken the place of one that has ended; return whether there is one."""
        with self._lock:
            trail, source = self._trail, self.source
            if trail is None or not isinstance(source, Simulation) or source.state not in ENDED:
                return False
            found = trail.next()
            if found is None:
                return False
            source.follow(found)
            self._trail = trail.after(found)
        self.changed()
        return True

    def export_zip(self) -> tuple[str, bytes]:
        """Return a file name and the run's folder as it is now, as a zip; replay accepts it unpacked.

        Raises
        ------
        RunError
            If nothing has run yet.
        """
        name = self.source.run_id
        return f"{name}.zip", zipped(self.source.folder, name)

    def close(self) -> None:
        """End the run, if it is the page's; one that another process started goes on."""
        source = self.source
        if self.owned and isinstance(source, Simulation) and source.run_id and source.state not in ENDED:
            source.stop()


class _Current:
    session: Session | None = None


def current() -> Session:
    """Return the session of this process.

    Raises
    ------
    EngineError
        If there is none: the script was started without its server.
    """
    if _Current.session is None:
        msg = (
            "the page has no run; start it with `algosim present`, or streamlit run algosim/streamlit_app.py"
        )
        raise EngineError(msg)
    return _Current.session


def install(session: Session | None) -> None:
    """Make a session that of this process; a test installs its own."""
    _Current.session = session
