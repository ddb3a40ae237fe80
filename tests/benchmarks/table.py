"""How the benchmarks report: a row per figure, with its target where it has one."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Row", "at_least", "at_most", "show", "spread", "turns"]


class Row(NamedTuple):
    """One line of the table; `met` is None for what has no target."""

    what: str
    figure: str
    target: str = ""
    met: bool | None = None


def at_least(what: str, value: float, target: float) -> Row:
    """Return the row of a ratio that should be no smaller than its target."""
    return Row(what, f"{value:.2f}", f">= {target:g}", value >= target)


def at_most(what: str, value: float, target: float, digits: int = 0) -> Row:
    """Return the row of a figure that should be no larger than its target."""
    return Row(what, f"{value:,.{digits}f}", f"<= {target:g}", value <= target)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return the median, and the range in brackets."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{middle} ({low} to {high})"


def turns(cases: Mapping[str, Callable[[], float]], repetitions: int) -> dict[str, list[float]]:
    """Measure cases in turns, so that all see the same minutes of the machine."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(repetitions):
        for name, case in cases.items():
            found[name].append(case())
    return found


def show(parts: Mapping[str, Callable[[], list[Row]]]) -> int:
    """Run parts, print their rows, and return the number of targets missed."""
    missed = 0
    for name, part in parts.items():
        for row in part():
            verdict = {None: "", True: "met", False: "MISSED"}[row.met]
            missed += row.met is False
            print(f"{name:7}  {row.what:58}  {row.figure:34}  {row.target:8}  {verdict}", flush=True)
    return missed
