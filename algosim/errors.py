"""Every error that algosim raises on purpose.

::

    AlgosimError
    ├── ConfigError        a configuration, setting or argument that cannot be used
    ├── StrategyError      a learner's strategy that does not load or that failed
    ├── EngineError        a live process, socket or command that failed
    └── RunError           a run folder that cannot be used
        └── ReplayDiverged a replay that did not arrive at what was recorded
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AlgosimError",
    "ConfigError",
    "EngineError",
    "ReplayDiverged",
    "RunError",
    "StrategyError",
    "did_you_mean",
]


class AlgosimError(Exception):
    """Base of all errors that a user of algosim may want to catch."""


class ConfigError(AlgosimError, ValueError):
    """A configuration, setting or argument cannot be used; the message names the remedy."""


class StrategyError(AlgosimError):
    """A learner's strategy does not load, or failed while it ran.

    Parameters
    ----------
    message : str
        What went wrong, in one line, with the line of the learner's code where known.
    file : str, optional
        The learner's file.
    line : int, optional
        The line in that file, counted from 1.
    source : str, optional
        The text of that line.
    frames : str, optional
        The traceback, cut to the learner's own frames.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        source: str | None = None,
        frames: str = "",
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.source = source
        self.frames = frames


class EngineError(AlgosimError):
    """A live process, socket or command failed."""


class RunError(AlgosimError):
    """A run folder is missing, incomplete or not one of ours."""


class ReplayDiverged(RunError):
    """A replay did not arrive at what was recorded; names the first event that differs."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the known word nearest to `word`, or ``""``."""
    names = list(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if not near:
        folded = {name.lower(): name for name in names}
        near = [folded[m] for m in get_close_matches(word.lower(), list(folded), n=1, cutoff=0.6)]
    return f" (did you mean {near[0]!r}?)" if near else ""
