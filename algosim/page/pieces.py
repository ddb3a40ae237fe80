"""What stands around the charts, as HTML and as numbers; only what has changed is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algosim.board.board import Board
from algosim.board.projected import projected
from algosim.board.state_line import Said, notice_html
from algosim.page.session import why_ended

if TYPE_CHECKING:
    from algosim.board.pump import Frame
    from algosim.page.session import Session

__all__ = ["Pieces"]


class Pieces:
    """Follows frames with a board; belongs to the pump's thread.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        words = ("Play", "Play") if session.played else ("Start", "Resume")
        self.board = Board(session.source, *words)
        if session.trouble:
            self.board.log.tell(session.trouble, "error")
        self._shown: dict[str, str] = {}

    def wake(self) -> None:
        """Look at the next frame, however soon it comes."""
        self.board.wake()

    def follow(self, frame: Frame) -> tuple[dict[str, str], dict[str, Any]] | None:
        """Return the pieces that have changed by name, and what stands in them; None between two looks."""
        look = self.board.look(frame)
        if look is None:
            return None
        if look.status.get("tick"):
            self._session.trouble = ""  # what kept it from starting has been mended
        pieces, now = self.board.pieces(look), projected(look)
        if why := why_ended(look.status):
            told = Said(f"run ended: {why}", now["urgency"])
            pieces["notice"], now["notice"] = notice_html(told), told.text
        changed = {name: html for name, html in pieces.items() if self._shown.get(name) != html}
        self._shown = pieces
        session, reason = self._session, str(look.status.get("reason", ""))
        return changed, {
            **now,
            "owned": session.owned,
            "played": session.played,
            "reason": reason,
        }

    def close(self) -> None:
        """End."""
        self.board.close()
