"""How people write times: durations such as ``200ms``, and the date on which a run starts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from algosim.errors import ConfigError

__all__ = ["parse_epoch", "parse_time"]

_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_TIME = re.compile(r"([+-]?)((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(ns|us|ms|s|min|m|h|)")
_INT64_MAX = 2**63 - 1
_CONTEXT = Context(prec=60)  # ours: a learner may have set the thread's to three digits
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLES = "write 60s, 200ms, 5m, 1.5h or a number of seconds"


def parse_time(value: str | float | timedelta) -> int:
    """Convert a duration to integer nanoseconds.

    Parameters
    ----------
    value : str or int or float or timedelta
        A number with a unit (``ns``, ``us``, ``ms``, ``s``, ``m`` or ``min``, ``h``), a plain number
        of seconds, or a timedelta, pandas' Timedelta included. Decimals are exact: ``"0.1s"`` and
        ``0.1`` are both 100,000,000. What is finer than a nanosecond is rounded, half to even.

    Returns
    -------
    int
        Nanoseconds, 0 or more, less than 2**63.

    Raises
    ------
    ConfigError
        If `value` is not a time, is negative, or does not fit 64 bits (292 years).
    """
    text = _typed(value)
    match = _TIME.fullmatch(text)
    if match is None:
        raise ConfigError(f"{_short(text)} is not a time: {_EXAMPLES}")
    sign, number, unit = match.groups()
    ns = _CONTEXT.multiply(Decimal(number), Decimal(_NS[unit or "s"]))
    if sign == "-" and ns != 0:
        raise ConfigError(f"a time must be at least 0, got {_short(text)}")
    if ns > _INT64_MAX:
        raise ConfigError(f"{_short(text)} is more than 292 years: {_EXAMPLES}")
    return int(ns.to_integral_value(ROUND_HALF_EVEN))


def parse_epoch(text: str) -> int:
    """Convert the date on which a run's simulated time starts.

    Parameters
    ----------
    text : str
        A date and time of ISO 8601 with its time zone, such as ``2025-01-01T00:00:00Z``.

    Returns
    -------
    int
        Nanoseconds since 1970-01-01T00:00:00Z.

    Raises
    ------
    ConfigError
        If `text` is not such a date, or lies outside the years 1970 to 2199.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1970 <= moment.year < 2200:
        raise ConfigError(
            f"{_short(text)} is not a date and time such as 2025-01-01T00:00:00Z (years 1970 to 2199)"
        )
    return (moment - _UNIX) // timedelta(microseconds=1) * 1000


def _typed(value: object) -> str:
    """Return the text that a person would have typed for `value`."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return repr(float(value))  # the shortest decimal that reads back as this float
    if isinstance(value, timedelta):
        us = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
        return f"{us * 1000 + getattr(value, 'nanoseconds', 0)}ns"  # those only pandas' has
    if isinstance(value, int) and abs(value) > _INT64_MAX:
        return f"{'-' if value < 0 else ''}1e99"  # Python refuses to write integers of 4,300 digits
    return str(value)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
