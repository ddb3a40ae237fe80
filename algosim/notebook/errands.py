"""What buttons and sliders ask for, carried out one after another on a thread of its own."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Errands"]

APART_S = 0.2
"""Errands with the same key are this far apart: of a slider that moves on, the last value counts."""


class _Errand(NamedTuple):
    key: str
    due: float
    call: Callable[[], object]
    done: Callable[[], None] | None


class Errands:
    """A queue whose callers never wait.

    Parameters
    ----------
    failed : callable
        Takes the exception of an errand that failed; the next one is carried out all the same.
    after : callable, optional
        Called when an errand is over, good or bad.
    """

    def __init__(self, failed: Callable[[Exception], None], after: Callable[[], None] | None = None) -> None:
        self._failed = failed
        self._after = after
        self._queue: list[_Errand] = []
        self._next_due: dict[str, float] = {}
        self._news = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(
        self, call: Callable[[], object], *, key: str = "", done: Callable[[], None] | None = None
    ) -> None:
        """Queue an errand.

        Parameters
        ----------
        call : callable
        key : str, optional
            Takes the place of the errand with the same key, if that has not begun.
        done : callable, optional
            Called once the errand is done, has failed or was replaced.
        """
        replaced: list[_Errand] = []
        with self._news:
            if self._closed:
                return
            if key:
                replaced = [errand for errand in self._queue if errand.key == key]
                self._queue = [errand for errand in self._queue if errand.key != key]
            self._queue.append(_Errand(key, self._next_due.get(key, 0.0), call, done))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="algosim errands", daemon=True)
                self._thread.start()
            self._news.notify()
        for errand in replaced:
            if errand.done is not None:
                errand.done()

    def close(self, within_s: float = 1.0) -> None:
        """Drop what is queued and end; an errand that has begun is waited for, but not for long."""
        with self._news:
            self._closed = True
            self._queue.clear()
            self._news.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(within_s)

    def _take(self) -> _Errand | None:
        """Wait for the first errand that is due; None at the end."""
        with self._news:
            while not self._closed:
                now = time.monotonic()
                for errand in self._queue:
                    if errand.due <= now:
                        self._queue.remove(errand)
                        return errand
                first = min((errand.due for errand in self._queue), default=None)
                self._news.wait(None if first is None else first - now)
            return None

    def _work(self) -> None:
        while (errand := self._take()) is not None:
            try:
                errand.call()
            except Exception as error:  # noqa: BLE001  (whatever it is, it is shown, and the next one begins)
                self._failed(error)
            if errand.key:
                self._next_due[errand.key] = time.monotonic() + APART_S
            for told in (errand.done, self._after):
                if told is not None:
                    told()
