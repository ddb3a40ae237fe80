"""Why a replay may differ from what was recorded: what can be found out about it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from algosim.core import doctor
from algosim.events import Attach, Version
from algosim.runs.folder import CONFIG, DIGEST, PROVENANCE, STRATEGIES
from algosim.runs.provenance import differences
from algosim.runs.workspace import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from algosim.runs.compare import Difference
    from algosim.runs.folder import SavedRun
    from algosim.runs.source import Source

__all__ = ["changed_sources", "likely_causes"]

_RULES = ("wall-clock", "unseeded-random", "set-order", "hash-order")
"""The doctor's rules on what keeps a strategy from replaying."""

MAX_CAUSES = 4


def changed_sources(sources: Mapping[str, Source]) -> list[str]:
    """Return the versions whose files are no longer those that ran, by the hash that they had."""
    return [code for code, source in sources.items() if source.code != code]


def likely_causes(
    saved: SavedRun, difference: Difference, sources: Mapping[str, Source], *, content: str, replayed: str
) -> list[str]:
    """Return what made a replay differ, where that is certain; else what may have, most likely first.

    Parameters
    ----------
    saved : SavedRun
    difference : Difference
        The first event that differs.
    sources : mapping of str to Source
        The strategies' files as they are now, by the hash that they had in the run.
    content, replayed : str
        Digests of what ``events.jsonl`` has, and of the replay.
    """
    codes = _codes(saved, difference)
    certain = list(_edited(saved, content, replayed))
    certain += [
        f"{STRATEGIES}/{code} was changed after the run" for code in changed_sources(sources) if code in codes
    ]
    if certain:
        return certain
    likely = [cause for code in codes[::-1] for cause in _habits(sources[code])]
    likely += _elsewhere(saved)
    if saved.config.model.tick_size == 0.0:
        likely.append("model.tick_size is 0: unrounded prices differ between processors in their last digit")
    if not likely:
        likely.append(
            f"none found; was {CONFIG} edited, or does a strategy read what is outside of its folder?"
        )
    return likely[:MAX_CAUSES]


def _edited(saved: SavedRun, content: str, replayed: str) -> Iterator[str]:
    """Yield what the digests tell about the files."""
    if saved.digest and saved.digest != content:
        if saved.digest == replayed:
            yield f"{EVENTS} was edited after the run: the replay agrees with {DIGEST}"
        else:
            yield f"{EVENTS} was edited after the run: it does not add up to {DIGEST}"
    elif replayed == content:
        yield f"{EVENTS} was edited after the run, in values that the digest leaves out"
    seed = _provenance(saved).get("seed")
    if seed is not None and seed != saved.config.run.seed:
        yield f"{CONFIG} was edited after the run: its seed is {saved.config.run.seed}, the run's was {seed}"


def _habits(source: Source) -> Iterator[str]:
    """Yield what a strategy does that a replay cannot repeat, with the line."""
    for name, data in sorted(source.files.items()):
        if name.endswith(".py"):
            label = source.label.removesuffix("strategy.py") + name
            for finding in doctor.check(data, label):
                if finding.rule in _RULES:
                    yield f"{label}, line {finding.line}: {finding.message}"


def _elsewhere(saved: SavedRun) -> Iterator[str]:
    changed = differences(_provenance(saved))
    if changed:
        yield f"recorded elsewhere: {', '.join(changed)}"


def _codes(saved: SavedRun, difference: Difference) -> list[str]:
    """Return the versions that had been at work on the account by then, the newest last."""
    codes = [
        event.code
        for event in saved.recording.members
        if isinstance(event, Attach | Version) and event.id == difference.id and event.seq <= difference.seq
    ]
    return list(dict.fromkeys(codes[::-1]))[::-1]


def _provenance(saved: SavedRun) -> dict[str, Any]:
    try:
        return msgspec.json.decode((saved.folder / PROVENANCE).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return {}
