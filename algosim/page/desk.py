"""What one browser has asked of the run, and what came of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import streamlit as st

from algosim.board.line_up import LineUp
from algosim.errors import AlgosimError, EngineError
from algosim.live.simulation import Simulation
from algosim.page import visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from algosim.config import Config
    from algosim.page.session import Session

__all__ = ["Desk", "desk"]

KEY = "algosim desk"


class Desk:
    """One person's place at the controls.

    Parameters
    ----------
    session : Session

    Attributes
    ----------
    error : str
        Why the last command could not be carried out, in one line; empty if it was.
    line_up : LineUp or None
        The strategies of a live market.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.error = ""
        self.line_up = LineUp(session.source) if isinstance(session.source, Simulation) else None
        self._status: dict[str, Any] = {"state": "new"}

    @property
    def market(self) -> Simulation:
        """The live market; not for a run that is played."""
        source = self.session.source
        assert isinstance(source, Simulation)
        return source

    def status(self) -> Mapping[str, Any]:
        """Return how the run does; the last answer, if it ends or is reset just now."""
        try:
            self._status = self.session.source.status
        except EngineError as error:
            self._status = {**self._status, "reason": str(error)}
        return self._status

    @property
    def config(self) -> Config:
        """The settings as they are now."""
        return self.session.source.config

    def _may(self) -> bool:
        """Say whether who asks may drive: Streamlit calls this before the script has looked at who it is."""
        if visitor.role() == "drive":
            return True
        self.error = "who only watches cannot change anything"
        return False

    def do(self, call: Callable[..., object], *args: object) -> None:
        """Carry out a command."""
        self.ask(call, *args)

    def ask(self, call: Callable[..., object], *args: object) -> bool:
        """Carry out a command, and return whether it could be."""
        return self._may() and self._carry_out(call, *args)

    def _carry_out(self, call: Callable[..., object], *args: object) -> bool:
        try:
            call(*args)
        except AlgosimError as error:
            self.error = _line(error)
            return False
        self.error = ""
        return True

    def travel(self, call: Callable[..., object], *args: object) -> None:
        """Carry out a command that takes as long as the run takes; others get through meanwhile."""
        if self._may():
            work = threading.Thread(
                target=self._carry_out, args=(call, *args), name="algosim journey", daemon=True
            )
            work.start()


def _line(error: AlgosimError) -> str:
    """Return an error's first line; the log has the rest."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def desk(session: Session) -> Desk:
    """Return the desk of the browser whose script is running."""
    held: Desk | None = st.session_state.get(KEY)
    if held is None or held.session is not session:
        held = st.session_state[KEY] = Desk(session)
    return held
