"""The rows of a run folder's tables, as text."""

from __future__ import annotations

import csv
import io
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
_TRIPS = (
    "id", "number", "side", "qty", "entry_s", "exit_s", "entry_price", "exit_price", "pnl", "commission",
    "hold_s",
)  # fmt: skip


def seconds(ns: int) -> str:
    """Write integer nanoseconds as seconds, exactly."""
    return f"{ns // 1_000_000_000}.{ns % 1_000_000_000:09d}"


def tick_rows(ticks: Ticks) -> bytes:
    """Return the rows of ``ticks.csv`` for consecutive ticks."""
    numbers = range(ticks.first, ticks.first + len(ticks.time))
    rows = list(zip(numbers, ticks.time.tolist(), ticks.price.tolist(), strict=True))
    # Numbers in JSON are numbers in CSV, and the encoder is ten times faster than formatting in Python.
    return msgspec.json.encode(rows)[2:-2].replace(b"],[", b"\n") + b"\n"


def _csv(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def trade_rows(fills: Iterable[Fill]) -> bytes:
    """Return the rows of ``trades.csv``, one a fill."""
    return _csv(
        (
            seconds(fill.ts_sim), fill.seq, fill.id, fill.number, fill.side, fill.qty, fill.price,
            fill.slippage_bps, fill.commission, fill.realized, fill.position, fill.cash, fill.tag,
        )
        for fill in fills
    )  # fmt: skip


def roundtrips_table(accounts: Iterable[Sequence[Fill]]) -> bytes:
    """Return ``roundtrips.csv`` of several accounts, each given by its fills."""
    rows = [
        (*trip[:4], seconds(trip.entry_ns), seconds(trip.exit_ns), *trip[6:])
        for fills in accounts
        for trip in round_trips(fills)
    ]
    return _csv([_TRIPS, *rows])
