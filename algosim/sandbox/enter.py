"""Puts the limits on this process, in two steps: before anything is imported, and before a strategy is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from algosim.sandbox import rlimits
from algosim.sandbox.places import interpreter
from algosim.sandbox.standing import check

if TYPE_CHECKING:
    from algosim.sandbox.terms import Terms

__all__ = ["enter", "seal"]

_entered: list[Terms] = []


def enter(terms: Terms) -> None:
    """Limit this process for good. It may still start threads and change limits of its own.

    Raises
    ------
    ConfigError
        If the mode is ``strict`` and the kernel keeps neither files nor network.
    """
    if terms.mode == "trusted":
        return
    check(terms.mode)
    _entered.append(terms)
    rlimits.limit(terms.memory_mb)
    if sys.platform == "linux":
        _confine_linux(terms)
    elif sys.platform == "win32":
        from algosim.sandbox import windows  # noqa: PLC0415  (nobody else needs it)

        windows.confine(terms.memory_mb)


def _confine_linux(terms: Terms) -> None:
    from algosim.sandbox import landlock, linux, seccomp  # noqa: PLC0415

    linux.no_new_privileges()
    if landlock.version():
        landlock.confine([*interpreter(), terms.folder], [terms.scratch])
    if seccomp.available():
        seccomp.confine()


def seal() -> None:
    """Take the rest: no new threads, no other limits; and say in words what is refused.

    To be called when all that is ours is imported and started. Does nothing in a process that has not
    entered.
    """
    if not _entered:
        return
    terms = _entered[0]
    rlimits.no_more_processes()
    if sys.platform == "linux":
        from algosim.sandbox import seccomp  # noqa: PLC0415

        if seccomp.available():
            seccomp.seal()
    from algosim.sandbox.messages import tell  # noqa: PLC0415  (after what must be quick)

    tell([*interpreter(), terms.folder], [terms.scratch])
