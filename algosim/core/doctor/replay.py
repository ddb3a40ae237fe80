"""Rules on what would differ when a run is replayed: the wall clock and randomness without a seed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.code import Code
    from algosim.core.doctor.text import Finding

__all__ = ["RULES", "unseeded_random", "wall_clock"]

_CLOCKS = {
    f"{module}.{name}"
    for module, names in {
        "time": "time time_ns perf_counter perf_counter_ns monotonic monotonic_ns process_time "
        "process_time_ns thread_time thread_time_ns clock_gettime clock_gettime_ns",
        "datetime.datetime": "now utcnow today",
        "datetime.date": "today",
        "pandas.Timestamp": "now utcnow today",
        "timeit": "default_timer",
    }.items()
    for name in names.split()
}

_CLOCKS_BY_DEFAULT = {
    **dict.fromkeys(("time.gmtime", "time.localtime", "time.ctime", "time.asctime"), 0),
    "time.strftime": 1,
}
"""They read the clock if called with so many arguments."""

_ENTROPY = {"os.urandom", "os.getrandom", "random.SystemRandom", "uuid.uuid1", "uuid.uuid4"}

_SEEDED = {
    *("random.seed", "random.Random", "numpy.random.seed", "numpy.random.default_rng"),
    *(
        "numpy.random.RandomState",
        "numpy.random.SeedSequence",
        "numpy.random.PCG64",
        "numpy.random.PCG64DXSM",
    ),
    *("numpy.random.MT19937", "numpy.random.Philox", "numpy.random.SFC64"),
}
"""They take entropy from the system unless they are given a seed."""


def wall_clock(code: Code) -> Iterator[Finding]:
    """Find what reads or waits for the time of day."""
    for node, name in code.references:
        call = code.call_of(node)
        if name in _CLOCKS or (call is not None and _CLOCKS_BY_DEFAULT.get(name) == _count(call)):
            message = f'{name} reads the wall clock, which differs in a replay; use ctx.time() or tick["ts"]'
            yield code.warning(node, "wall-clock", message)
        elif name == "time.sleep":
            message = "time.sleep holds up the whole market; to wait, compare ctx.time() at later ticks"
            yield code.warning(node, "wall-clock", message)


def unseeded_random(code: Code) -> Iterator[Finding]:
    """Find random numbers that no seed decides; those of ``random`` and numpy are seeded by the run."""
    for node, name in code.references:
        call = code.call_of(node)
        if name in _ENTROPY or (name.startswith("secrets.") and name.count(".") == 1):
            message = f"{name} cannot be seeded, so a replay gets other values; use ctx.rng"
            yield code.warning(node, "unseeded-random", message)
        elif name in _SEEDED and call is not None and _has_no_seed(call):
            message = f"{name}() without a seed differs in a replay; use ctx.rng, or give it a number"
            yield code.warning(node, "unseeded-random", message)


def _count(call: ast.Call) -> int:
    return len(call.args) + len(call.keywords)


def _has_no_seed(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Constant) and value.value is None for value in given)


RULES = (wall_clock, unseeded_random)
