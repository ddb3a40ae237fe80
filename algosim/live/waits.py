"""Who waits for the run to come to a point."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Asker", "Waits"]


class Asker(NamedTuple):
    """Somebody who waits for an answer: an address and the number of the question."""

    address: bytes
    rid: int


class _Waiter(NamedTuple):
    asker: Asker
    tick: int | None
    time: int | None


class Waits:
    """Those who are answered once a block is done, and those whom the run is on its way for."""

    def __init__(self) -> None:
        self._waiters: list[_Waiter] = []
        self._travellers: list[Asker] = []

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._waiters or self._travellers)

    def until_done(self, asker: Asker, *, tick: int | None = None, time: int | None = None) -> None:
        """Wait until block `tick` or the simulated time `time` is done; without either, for the end."""
        self._waiters.append(_Waiter(asker, tick, time))

    def travel(self, asker: Asker) -> None:
        """Wait until the simulator has paused at a point that it was told."""
        self._travellers.append(asker)

    def stay(self, asker: Asker) -> None:
        """Forget a traveller: the simulator has refused."""
        if asker in self._travellers:
            self._travellers.remove(asker)

    def paused(self, tick: int) -> None:
        """Let the travellers wait for block `tick` only: the simulator has paused there."""
        for asker in self._travellers:
            self.until_done(asker, tick=tick)
        self._travellers.clear()

    def arrived(self, done: int, time: int) -> list[Asker]:
        """Return, and forget, those who waited for what is done by now."""
        here = [
            waiter
            for waiter in self._waiters
            if (waiter.tick is not None and done >= waiter.tick)
            or (waiter.time is not None and time >= waiter.time)
        ]
        self._waiters = [waiter for waiter in self._waiters if waiter not in here]
        return [waiter.asker for waiter in here]

    def everybody(self) -> list[Asker]:
        """Return, and forget, all of them."""
        askers = [waiter.asker for waiter in self._waiters] + self._travellers
        self._waiters, self._travellers = [], []
        return askers
