"""The one thread that carries what a market records to a dashboard, newest first."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from algosim.charts.feed import Feed
from algosim.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.board.source import Source
    from algosim.runs.recording import Recording

__all__ = ["Frame", "Phase", "Pump"]

Phase = Literal["live", "over", "stopped"]

HEARTBEAT_S = 1.0
"""A frame comes at least this often, so that a view can tell a quiet market from a dead kernel."""

LINGER_S = 2.0
"""Frames keep their pace this long after the last change: a view that was busy then takes a later one."""

STATUS_S = 0.25
"""How often the market is asked how it does; its recording is looked at for every frame."""

OVER = ("finished", "crashed")


class Frame(NamedTuple):
    """What there is to draw.

    Attributes
    ----------
    feed : Feed
        Another object for another run.
    status : dict
        The source's, at most `STATUS_S` old.
    fresh : int
        Ticks that are new since the frame before.
    fps : float
        Frames per second of late.
    phase : {"live", "over", "stopped"}
        ``"over"``: the run has ended; frames come again if another begins. ``"stopped"``: the last frame.
    error : str
        What stopped the frames, in one line; empty if nothing did.
    """

    feed: Feed
    status: dict[str, Any]
    fresh: int
    fps: float
    phase: Phase
    error: str = ""


class Pump:
    """Reads a source and hands out frames, from one daemon thread, also while a cell runs.

    Starting a pump stops the one that served the same source before, which then tells its dashboard so.

    Parameters
    ----------
    source : Source
    refresh : callable
        Draws a Frame; called from the pump's thread only. If it raises, that is the end of the pump.
    closed : callable, optional
        Whether what it draws on is gone for good, which ends the pump without a last frame.

    Attributes
    ----------
    phase : {"live", "over", "stopped"}
    error : str
        What it stopped of, with the exception's name; empty if it was told to.
    """

    def __init__(
        self,
        source: Source,
        refresh: Callable[[Frame], None],
        *,
        closed: Callable[[], bool] = lambda: False,
    ) -> None:
        self.source = source
        self.phase: Phase = "stopped"
        self.error = ""
        self._refresh = refresh
        self._closed = closed
        self._thread: threading.Thread | None = None
        self._told = threading.Event()
        self._woken = threading.Event()
        self._feed = Feed(0.0)
        self._run_id: str | None = None
        self._recording: Recording | None = None
        self._status: dict[str, Any] = {"state": "new"}
        self._pause_s = 0.1
        self._asked_at = self._changed_at = self._shown_at = float("-inf")
        self._times: deque[float] = deque(maxlen=20)

    def start(self) -> None:
        """Begin to hand out frames; a pump that runs already goes on."""
        if self._thread is not None and self._thread.is_alive() and not self._told.is_set():
            self.wake()
            return
        self.stop()
        before = _pumps.get(self.source)
        other = before() if before is not None else None
        if other is not None and other is not self:
            other.stop()
        _pumps[self.source] = weakref.ref(self)
        self._told = threading.Event()
        self.phase, self.error = "live", ""
        self._asked_at = self._changed_at = self._shown_at = float("-inf")
        turn = self._told, self._thread
        self._thread = threading.Thread(target=self._run, args=turn, name="algosim pump", daemon=True)
        self._thread.start()

    def stop(self, within_s: float = 1.0) -> None:
        """End the frames, after a last one that says so; waits for it, but not for long."""
        self._told.set()
        self._woken.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(within_s)

    def wake(self) -> None:
        """Look at the source at once, and draw anew: something was asked of it, or of a view."""
        self._asked_at, self._changed_at = float("-inf"), time.monotonic()
        self._woken.set()

    def linger(self) -> None:
        """Keep the pace of frames up for a while longer: what draws them has not taken this one yet."""
        self._changed_at = time.monotonic()

    def _run(self, told: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # a view has one writer
            self.phase, self.error = "live", ""
        try:
            while True:
                self._woken.clear()
                if told.is_set() or self._closed():
                    break
                began = time.monotonic()
                self._turn(began)
                took = time.monotonic() - began
                self._woken.wait(max(self._interval(began) - took, 0.25 * took, 0.005))
        except Exception as error:  # noqa: BLE001  (whatever it is, it must be seen where people look)
            self.error = f"{type(error).__name__}: {error}"
        self.phase = "stopped"
        if not self._closed():
            self._last_words()

    def _last_words(self) -> None:
        last = Frame(self._feed, self._status, 0, 0.0, "stopped", self.error)
        try:
            self._refresh(last)
        except Exception as error:  # noqa: BLE001  (`error` is all that is left to tell it by)
            self.error = self.error or f"{type(error).__name__}: {error}"

    def _interval(self, now: float) -> float:
        """Return the seconds from one look to the next."""
        resting = self.phase == "over" and now - self._changed_at > LINGER_S
        return HEARTBEAT_S if resting else self._pause_s

    def _turn(self, now: float) -> None:
        """Look, and hand out a frame if there is something to see."""
        fresh = self._read()
        changed = self._ask(now) or fresh > 0
        if changed:
            self._changed_at = now
        over = self._status["state"] in OVER
        self.phase = "over" if over else "live"
        lately = now - self._changed_at <= LINGER_S
        beat = now - self._shown_at >= HEARTBEAT_S and not over
        if changed or lately or beat:
            self._shown_at = now
            self._times.append(now)
            self._refresh(Frame(self._feed, self._status, fresh, self._fps(), self.phase))

    def _read(self) -> int:
        """Take what is new in the recording; return the number of ticks."""
        recording, run_id = self.source.recording, self.source.run_id
        another = recording is not self._recording and (self._feed.ticks > 0 or len(recording) > 0)
        if run_id != self._run_id or another:
            config = self.source.config
            self._feed = Feed(config.portfolio.initial_cash)
            self._pause_s = 1.0 / config.ui.throttle_fps
        self._run_id, self._recording = run_id, recording
        return self._feed.update(recording)

    def _ask(self, now: float) -> bool:
        """Ask how the source does, if it is time; return whether something people notice has changed."""
        if now - self._asked_at < (STATUS_S if now - self._changed_at <= LINGER_S else HEARTBEAT_S):
            return False
        self._asked_at = now
        before = self._status
        try:
            self._status = self.source.status
        except EngineError as error:  # it ended or was reset as we asked; the next time will tell
            self._status = {**before, "reason": str(error)}
        return any(before.get(key) != self._status.get(key) for key in ("state", "reason", "tick"))

    def _fps(self) -> float:
        """Return the frames per second over the last twenty."""
        spent = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / spent if spent > 0.0 else 0.0


_pumps: weakref.WeakKeyDictionary[Source, weakref.ref[Pump]] = weakref.WeakKeyDictionary()
