"""Every account as a recording has it so far, brought up to date by what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from algosim.events import Attach

if TYPE_CHECKING:
    from algosim.runs.recording import Recording

__all__ = ["Account", "Books"]


class Account(NamedTuple):
    """One account, or all of them together."""

    cash: float = 0.0
    position: float = 0.0
    realized: float = 0.0
    fills: int = 0

    def equity(self, price: float) -> float:
        """Return what it is worth at a price."""
        return self.cash + self.position * price if self.position else self.cash


class Books:
    """Follows one recording; asking costs no more than what is new.

    Parameters
    ----------
    initial_cash : float
        Of each account.

    Attributes
    ----------
    accounts : dict of str to Account
        In the order in which they appeared.
    """

    def __init__(self, initial_cash: float) -> None:
        self.initial_cash = initial_cash
        self.accounts: dict[str, Account] = {}
        self._members = self._fills = 0

    def update(self, recording: Recording) -> None:
        """Take what was recorded since the last call."""
        members = recording.members[self._members :]
        fills = recording.fills[self._fills :]
        self._members += len(members)
        self._fills += len(fills)
        for member in members:
            if isinstance(member, Attach):
                self._account(member.id)
        for fill in fills:
            known = self._account(fill.id)
            realized = known.realized + fill.realized
            self.accounts[fill.id] = Account(fill.cash, fill.position, realized, known.fills + 1)

    def _account(self, name: str) -> Account:
        return self.accounts.setdefault(name, Account(self.initial_cash))

    def total(self) -> Account:
        """Return all accounts together."""
        columns = zip(*self.accounts.values(), strict=True)
        return Account._make(sum(column) for column in columns) if self.accounts else Account()
