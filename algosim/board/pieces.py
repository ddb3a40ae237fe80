"""A look at a run as HTML, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosim.board.cards import cards, cards_html
from algosim.board.last_action import action_html, last_action
from algosim.board.leaderboard import leaderboard_html, leaders
from algosim.board.state_line import facts, notice, notice_html, state, state_html
from algosim.board.tables import MOST_TRADES, config_table, engine_table, positions_table, trades_table

if TYPE_CHECKING:
    from algosim.board.look import Look

__all__ = ["pieces"]


def pieces(look: Look, go: str = "Start", go_on: str = "Resume", trades: int = MOST_TRADES) -> dict[str, str]:
    """Return ``cards standing notice trades positions engine config leaderboard action``.

    Parameters
    ----------
    look : Look
    go, go_on : str, optional
        What the buttons are called that start the run and let it go on.
    trades : int, optional
        Rows of their table.
    """
    recording, status, pending = look.recording, look.status, look.pending
    told = notice(status, sum(map(abs, pending)), go, go_on)
    told_facts = facts(recording, status, look.run_id, look.config.run.seed)
    measures = look.metrics.get("total", {})
    return {
        "cards": cards_html(cards(look.total, measures, look.drawdown, sum(pending))),
        "standing": state_html(state(status), told_facts),
        # Without a new beat for some seconds, the stylesheet says that nothing is heard of the run
        "notice": notice_html(told, int(look.read_at) if look.phase == "live" else None),
        "trades": trades_table(recording, trades),
        "positions": positions_table(look.accounts, status, recording.last_price),
        "engine": engine_table(status, look.folder),
        "config": config_table(look.config),
        "leaderboard": leaderboard_html(leaders(look.accounts, look.metrics, recording.last_price)),
        "action": action_html(last_action(recording)),
    }
