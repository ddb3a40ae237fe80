"""The rows of a run folder's tables, as text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from algosim.core.metrics import round_trips

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from algosim.core.market import Ticks
    from algosim.events import Fill

__all__ = ["TICKS_HEADER", "TRADES_HEADER", "roundtrips_table", "seconds", "tick_rows", "trade_rows"]

TICKS_HEADER = b"seq,ts_sim,price\n"
TRADES_HEADER = b"time_s,seq,id,number,side,qty,price,slippage_bps,commission,realized,position,cash,tag\n"
TRIPS_HEADER = b"id,number,side,qty,entry_s,exit_s,entry_price,exit_price,pnl,commission,hold_s\n"

_encode = msgspec.json.Encoder().encode


def seconds(ns: int) -> str:
    """Write integer nanoseconds as seconds, exactly."""
    return f"{ns // 1_000_000_000}.{ns % 1_000_000_000:09d}"


def tick_rows(ticks: Ticks) -> bytes:
    """Return the rows of ``ticks.csv`` for consecutive ticks."""
    numbers = range(ticks.first, ticks.first + len(ticks.time))
    rows = list(zip(numbers, ticks.time.data, ticks.price.data, strict=True))
    if not rows:
        return b""
    return _encode(rows)[2:-2].replace(b"],[", b"\n") + b"\n"


@lru_cache(maxsize=1024)  # ids, sides and tags come again and again
def _text(value: str) -> msgspec.Raw:
    """Return text as a field of a row, in quotes where it needs them."""
    if any(mark in value for mark in ',"\r\n'):
        value = '"' + value.replace('"', '""') + '"'
    return msgspec.Raw(value.encode())


def _seconds(ns: int) -> msgspec.Raw:
    return msgspec.Raw(seconds(ns).encode())


def _row(*fields: object) -> bytes:
    # Numbers in JSON are numbers in CSV, and the encoder is ten times faster than formatting in Python.
    return _encode(fields)[1:-1] + b"\n"


def trade_rows(fills: Iterable[Fill]) -> bytes:
    """Return the rows of ``trades.csv``, one a fill."""
    return b"".join(
        _row(
            _seconds(fill.ts_sim), fill.seq, _text(fill.id), fill.number, _text(fill.side), fill.qty,
            fill.price, fill.slippage_bps, fill.commission, fill.realized, fill.position, fill.cash,
            _text(fill.tag),
        )
        for fill in fills
    )  # fmt: skip


def roundtrips_table(accounts: Iterable[Sequence[Fill]]) -> bytes:
    """Return ``roundtrips.csv`` of several accounts, each given by its fills."""
    rows = [
        _row(
            _text(trip.id), trip.number, _text(trip.side), trip.qty, _seconds(trip.entry_ns),
            _seconds(trip.exit_ns), *trip[6:],
        )
        for fills in accounts
        for trip in round_trips(fills)
    ]  # fmt: skip
    return b"".join([TRIPS_HEADER, *rows])
