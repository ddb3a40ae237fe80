"""A live run as plain lines of text: what happened since the last look, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from algosim.cli.text import clean, clock, number, plural, price, quantity, rate
from algosim.events import Attach, Control, Detach, Fill, Log, Remove, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from algosim.config import Config
    from algosim.runs.recording import Recording

__all__ = ["Lines"]

MOST = 10
"""Lines of one kind at one look; at full speed there would be thousands."""

_E = TypeVar("_E")


class _Feed(Generic[_E]):
    """A growing list of events of one kind, each told once."""

    def __init__(self, events: Sequence[_E], word: str, written: Callable[[_E], str]) -> None:
        self._events = events
        self._word = word
        self._written = written
        self._told = 0

    def news(self) -> list[str]:
        fresh = self._events[self._told :]
        self._told += len(fresh)
        lines = [self._written(event) for event in fresh[:MOST]]
        if len(fresh) > MOST:
            lines.append(f"... and {plural(len(fresh) - MOST, self._word)} more")
        return lines


class Lines:
    """Reads a growing recording and tells each thing once.

    Parameters
    ----------
    recording : Recording
    config : Config
        Gives the cash that accounts start with.
    """

    def __init__(self, recording: Recording, config: Config) -> None:
        self._recording = recording
        self._cash = config.portfolio.initial_cash
        self._books: dict[str, tuple[float, float]] = {}
        self._counted = 0
        self._feeds = (
            _Feed(recording.members, "change", _member_line),
            _Feed(recording.controls, "command", _control_line),
            _Feed(recording.fills, "fill", _fill_line),
            _Feed(recording.logs, "log line", _log_line),
        )

    def news(self) -> list[str]:
        """Return a line per fill, log line, command and change of a strategy since the last call."""
        return [line for feed in self._feeds for line in feed.news()]

    def standing(self, status: Mapping[str, Any]) -> str:
        """Return one line on how the run stands, given its status."""
        recording = self._recording
        if status["state"] == "waiting":
            return f"waiting for {clean(', '.join(status['waiting_for']))}"
        if not len(recording):
            return f"{status['state']}, no tick yet"
        return (
            f"[{clock(recording.last_time)}] {status['state']}, {plural(len(recording), 'tick')}, "
            f"{rate(status['ticks_per_s'])} ticks/s, price {price(recording.last_price)}, "
            f"equity {number(self.equity())}"
        )

    def equity(self) -> float:
        """Return the equity of all accounts together, at the last price."""
        recording = self._recording
        fresh = recording.fills[self._counted :]
        self._counted += len(fresh)
        self._books.update((fill.id, (fill.cash, fill.position)) for fill in fresh)
        books = [self._books.get(name, (self._cash, 0.0)) for name in recording.accounts()]
        last = recording.last_price
        return sum(cash + position * last if position else cash for cash, position in books)


def _fill_line(fill: Fill) -> str:
    tag = f' "{clean(fill.tag)}"' if fill.tag else ""
    return (
        f"[{clock(fill.ts_sim)}] {fill.id}: {fill.side} {quantity(fill.qty)} at {price(fill.price)}, "
        f"position {quantity(fill.position)}{tag}"
    )


def _log_line(log: Log) -> str:
    return f"tick {log.seq:,}, {log.id}, {log.level}: {clean(log.text)}"


def _control_line(control: Control) -> str:
    value = "" if control.value is None else f" {control.value}"
    return f"before tick {control.seq:,}: {control.action} {control.key}".rstrip() + clean(value)


def _member_line(event: Attach | Version | Detach | Remove) -> str:
    where = f"before tick {event.seq:,}: {event.id}"
    if isinstance(event, Attach):
        return f"{where} trades, version {event.version}"
    if isinstance(event, Version):
        return f"{where} is replaced by version {event.version}"
    if isinstance(event, Detach):
        why = (event.error or event.reason).strip().rpartition("\n")[2]
        return f"{where} stopped: {clean(why)}"
    return f"{where} leaves the market"
