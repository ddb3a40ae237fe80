"""The log of a dashboard: what strategies say, what was refused, what failed, and the answers to errands."""

from __future__ import annotations

import threading
from collections import deque
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.charts.numbers import clock, quantity
from algosim.errors import AlgosimError, StrategyError
from algosim.events import Detach, Log, Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.events import Member
    from algosim.runs.recording import Recording

__all__ = ["LogLines"]

KEPT = 60
"""Lines; the oldest in which a strategy talks goes first."""

_TALK = ("print", "log", "reject")
LONGEST = 2_000
"""Characters of one entry that are shown."""


class _Entry(NamedTuple):
    at: str
    who: str
    kind: str
    text: str
    reading: int = 0


class LogLines:
    """Lines, the newest first; any thread may add one."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque()
        self._lock = threading.Lock()  # errands and news write on different threads
        self._clock = clock(0.0)
        self._html: str | None = None
        self._recording: Recording | None = None
        self._reading = 0
        self._note = ""
        self._turn_to(None)

    def _turn_to(self, recording: Recording | None) -> None:
        """Read a recording from its beginning."""
        self._recording = recording
        self._reading += 1
        self._logs = self._members = 0
        self._errors: dict[str, str] = {}

    def begin(self, run_id: str) -> None:
        """Follow another run from now on; what was said of the one before stays."""
        self._turn_to(None)
        self._note = ""
        self._clock = clock(0.0)
        if run_id:
            self.tell(f"run {run_id}")

    def tell(self, text: str, kind: str = "note") -> None:
        """Add a line of the dashboard itself."""
        self._add(_Entry(self._clock, "", kind, text))

    def failed(self, error: Exception) -> None:
        """Add what an errand could not do."""
        if isinstance(error, StrategyError) and error.frames:
            text = f"{error}\n{error.frames}"
        elif isinstance(error, StrategyError) and error.source:
            text = f"{error}\n    {error.source.strip()}"
        else:
            text = str(error) if isinstance(error, AlgosimError) else f"{type(error).__name__}: {error}"
        self.tell(text, "error")

    def _add(self, entry: _Entry) -> None:
        with self._lock:
            self._entries.appendleft(entry)
            if len(self._entries) > KEPT:
                self._drop_one()
            self._html = None

    def _drop_one(self) -> None:
        """Make room: a strategy that talks at every tick would crowd out the errors, which are few."""
        for i in range(len(self._entries) - 1, -1, -1):
            if self._entries[i].kind in _TALK:
                del self._entries[i]
                return
        self._entries.pop()

    def follow(self, recording: Recording, status: Mapping[str, Any]) -> None:
        """Take what is new in a recording and in the health of its strategies."""
        if recording is not self._recording:
            if self._recording is not None:
                self._forget()
            self._turn_to(recording)
        with recording.lock:
            logs, members = recording.logs[self._logs :], recording.members[self._members :]
            self._logs += len(logs)
            self._members += len(members)
            self._clock = clock(recording.last_time * 1e-9)
        logs = [*(log for log in logs[:-KEPT] if log.level not in _TALK), *logs[-KEPT:]]
        for event in sorted((*logs, *members[-KEPT:]), key=lambda event: event.seq):
            if isinstance(event, Log):
                self._follow_log(event)
            else:
                self._follow_member(event)
        self._follow_errors(status)
        if (note := str(status.get("note") or "")) != self._note:
            self._note = note
            if note:
                self.tell(note)

    def _forget(self) -> None:
        """Drop what was read in a recording that another one replaces: a playback has gone back."""
        with self._lock:
            kept = [entry for entry in self._entries if entry.reading != self._reading]
            self._entries = deque(kept)
            self._html = None

    def _follow_log(self, log: Log) -> None:
        self._add(self._entry(log.seq, log.id, log.level, log.text.strip("\n")))
        if log.level == "error":
            self._errors[log.id] = log.text.strip()

    def _follow_member(self, member: Member) -> None:
        if isinstance(member, Detach):
            why = (member.error or member.reason).strip()
            told = why in self._errors.get(member.id, "")
            self._errors[member.id] = why
            self._add(self._entry(member.seq, member.id, "error", "stopped" if told else f"stopped: {why}"))
        elif isinstance(member, Version):
            text = f"version {member.version} trades{_said(member.params)}"
            self._add(self._entry(member.seq, member.id, "note", text))

    def _entry(self, tick: int, who: str, kind: str, text: str) -> _Entry:
        return _Entry(f"tick {tick:,}", who, kind, text, self._reading)

    def _follow_errors(self, status: Mapping[str, Any]) -> None:
        """Tell of versions that were refused: nothing of them is recorded."""
        for name, health in status.get("strategies", {}).items():
            error = health.get("error") or {}
            text = str(error.get("frames") or error.get("message") or "").strip()
            if text and text not in self._errors.get(name, ""):
                self._errors[name] = text
                self._add(_Entry(self._clock, name, "error", text))
            elif not text:
                self._errors.pop(name, None)

    @property
    def html(self) -> str:
        """All lines that are kept."""
        with self._lock:
            if self._html is None:
                self._html = f'<div class="log">{"".join(map(_html, self._entries))}</div>'
            return self._html


def _said(params: Mapping[str, Any]) -> str:
    words = (f"{k}={quantity(v) if isinstance(v, float) else v}" for k, v in params.items())
    return f" with {', '.join(words)}" if params else ""


def _html(entry: _Entry) -> str:
    text = entry.text if len(entry.text) <= LONGEST else f"{entry.text[:LONGEST]} ..."
    who = f"<b>{escape(entry.who)}</b> " if entry.who else ""
    return (
        f'<div class="entry {entry.kind}"><span class="at">{escape(entry.at)}</span>'
        f'<span class="said">{who}{escape(text)}</span></div>'
    )
