"""Who trades in a live market: strategies that are added, removed and reloaded by command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algosim.config import RESERVED_IDS
from algosim.live.run import outcome
from algosim.live.strategies import Strategy

if TYPE_CHECKING:
    from algosim.live import requests as ask
    from algosim.live.barrier import Barrier
    from algosim.live.run import Run
    from algosim.live.waits import Asker

    Document = dict[str, Any]

__all__ = ["Roster"]


class Roster:
    """Carries out what is asked about the strategies of a run.

    Parameters
    ----------
    run : Run
    barrier : Barrier
    """

    def __init__(self, run: Run, barrier: Barrier) -> None:
        self._run = run
        self._barrier = barrier

    def add(self, asker: Asker, request: ask.Add) -> None:
        """Let a strategy in; the asker is told when it is attached, or that nothing of it stays."""
        run, name = self._run, request.id
        known = run.strategies.get(name)
        taken = self._taken(name, request.path)
        if taken:
            run.board.refuse(asker, f"the id {name!r} {taken}; choose another")
            return
        strategy = run.strategies[name] = known or Strategy(request.path, request.params)
        strategy.added = known is None or known.leaves
        self._invite(name, strategy, asker, request.params)

    def _invite(self, name: str, strategy: Strategy, asker: Asker, params: Document) -> None:
        """Start a strategy's host, once the others let it in; the asker is told when it is attached."""
        run = self._run
        party = run.family.invite(name)
        run.board.admit(party)
        strategy.begin_again()
        strategy.params = params
        strategy.askers.append(asker)
        waiting = ["simulator", "broker"]

        def allowed(_: Document) -> None:
            waiting.pop()
            if not waiting and asker in strategy.askers:  # else it was removed meanwhile
                run.start_host(name)
                run.note(name)

        for who in tuple(waiting):
            run.ask(who, "allow", allowed, party=party)

    def _taken(self, name: str, path: str) -> str:
        """Return why a strategy cannot have this id, or ``""``."""
        run, known = self._run, self._run.strategies.get(name)
        if known is None:
            if name in run.outside:
                return "is an account without a strategy"
            return f"is {RESERVED_IDS[name]}" if name in RESERVED_IDS else ""
        if known.state == "leaving":
            return "is still on its way out of the market"
        if known.attached or known.askers or name in run.family.members:
            return "is in the market"
        return "was another strategy's" if known.path != path else ""

    def remove(self, asker: Asker, request: ask.Remove) -> None:
        """Take a strategy out; the asker is told when it is."""
        run, name = self._run, request.id
        strategy = run.strategies.get(name)
        if strategy is None:
            run.board.refuse(asker, f"no strategy {name!r} is in the market{self._present()}")
        elif strategy.state == "removed":
            run.board.answer(asker)
        elif strategy.state == "leaving":
            strategy.leavers.append(asker)
        else:
            attached = strategy.attached
            strategy.attached, strategy.imported, strategy.state = False, None, "leaving"
            strategy.leavers.append(asker)
            run.note(name)
            if attached:
                run.ask("simulator", "remove", lambda answer: self._stamped(name, answer), id=name)
            else:  # it waits to be attached, or has failed: nothing in the market changes
                run.left(name)
                run.refuse(name, {"message": f"{name!r} was removed"})
                self._barrier.consider()

    def _stamped(self, name: str, answer: Document) -> None:
        """Tell who removed a strategy that it is too late for that, if it is."""
        strategy = self._run.strategies[name]
        askers, strategy.leavers = (strategy.leavers, []) if "error" in answer else ([], strategy.leavers)
        for asker in askers:
            self._run.board.answer(asker, **outcome(answer))

    def _present(self) -> str:
        there = ", ".join(name for name, strategy in self._run.strategies.items() if not strategy.leaves)
        return f"; there are: {there or 'none'}"

    def reload(self, asker: Asker, request: ask.Reload) -> None:
        """Let a new version of a strategy follow; the asker is told when its ``init`` has returned."""
        run, name = self._run, request.id
        strategy = run.strategies.get(name)
        if strategy is None or strategy.leaves:
            run.board.refuse(asker, f"no strategy {name!r} is in the market{self._present()}")
        elif strategy.askers and name not in run.family.members:
            run.board.refuse(asker, f"{name!r} is about to be started; try again in a moment")
        elif name not in run.family.members:
            self._invite(name, strategy, asker, {**strategy.params, **request.params})
        else:
            run.ask(
                name,
                "reload",
                lambda answer: run.board.answer(asker, **outcome(answer)),
                params=request.params,
                keep_state=request.keep_state,
            )
