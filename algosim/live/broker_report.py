"""How the broker does, in numbers: what is done, what it waits for, how the accounts stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from algosim.live.backlog import Backlog
    from algosim.live.member import Member
    from algosim.live.sequencer import Sequencer

__all__ = ["broker_report"]


def broker_report(sequencer: Sequencer, backlog: Backlog) -> dict[str, Any]:
    """Return the part of a run's status that the broker knows."""
    return {
        "done": backlog.done,
        "complete": sequencer.complete,
        "unconfirmed": len(backlog),
        "waiting_for": sequencer.waiting_for() if sequencer.complete < sequencer.last else [],
        "rejected": sequencer.rejected,
        "accounts": {name: _account(member) for name, member in sequencer.members.items()},
    }


def _account(member: Member) -> dict[str, Any]:
    account, books = member.account, member.account.portfolio
    return {
        "position": books.position,
        "cash": books.cash,
        "pending": account.pending,
        "realized": books.realized,
        "acked": member.last_ack,
        "version": member.version,
        "attached": member.attached,
    }
