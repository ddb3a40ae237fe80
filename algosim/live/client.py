"""A handle's line to a supervisor: requests out, answers in, over one thread that owns the socket."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections import deque
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
import zmq

from algosim.errors import EngineError
from algosim.live.sockets import connect, make
from algosim.live.wire import document

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.live.sockets import Security

__all__ = ["FORKED", "Client", "EngineGone"]

SLICE_S = 0.2
"""Callers wait in slices this long, so that an interrupt reaches them on every system."""


ENDED = "the market has ended"
FORKED = "this process is a fork of the one that holds the market; use algosim.connect() in it"


class EngineGone(EngineError):  # noqa: N818  (says what happened)
    """The supervisor has ended."""


class Client:
    """Sends requests to a supervisor and matches its answers.

    Parameters
    ----------
    endpoint : str
    security : Security
    token : str
        The word that gives the right to watch or to command.
    gone : callable
        Says whether the supervisor has ended.
    """

    def __init__(self, endpoint: str, security: Security, token: str, gone: Callable[[], bool]) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._token = token
        self._gone = gone
        self._ids = count(1)
        self._outgoing: deque[bytes] = deque()
        self._open: dict[int, Future[dict[str, Any]]] = {}
        self._wake = self._context.socket(zmq.PAIR)
        self._woken = self._context.socket(zmq.PAIR)
        self._wake.bind("inproc://wake")
        self._woken.connect("inproc://wake")
        self._lock = threading.Lock()
        self._closing = False
        self._pid = os.getpid()
        self._socket = make(self._context, zmq.DEALER, 10_000)
        connect(self._socket, endpoint, security)
        self._thread = threading.Thread(target=self._pump, name="algosim line", daemon=True)
        self._thread.start()

    def ask(self, op: str, timeout_s: float | None = 10.0, **fields: object) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises
        ------
        EngineGone
            If the supervisor has ended.
        EngineError
            If there is no answer in time.
        KeyboardInterrupt
            If the caller is interrupted; the request stays as it is.
        """
        future = self.send(op, **fields)
        deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
        last_look = False
        while True:
            try:
                return future.result(SLICE_S)
            except CancelledError:
                raise EngineGone(ENDED) from None
            except NotYet:
                if last_look:
                    raise EngineGone(ENDED) from None
                if time.monotonic() > deadline:
                    msg = f"no answer to {op!r} within {timeout_s:g} s"
                    raise EngineError(msg) from None
            last_look = self._gone()  # a last answer may be on its way

    def send(self, op: str, **fields: object) -> Future[dict[str, Any]]:
        """Send a request and return the promise of its answer."""
        if os.getpid() != self._pid:
            raise EngineError(FORKED)
        rid = next(self._ids)
        future: Future[dict[str, Any]] = Future()
        data = document(op=op, token=self._token, rid=rid, **fields)
        with self._lock:
            if self._closing:
                raise EngineGone(ENDED)
            self._open[rid] = future
            self._outgoing.append(data)
            self._wake.send(b"")
        return future

    def close(self) -> None:
        """End the line; nobody waits any longer."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._wake.send(b"")
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    def _pump(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._woken, zmq.POLLIN)
        while not self._closing:
            ready = dict(poller.poll())
            if self._woken in ready:
                with contextlib.suppress(zmq.Again):
                    while True:
                        self._woken.recv(zmq.NOBLOCK)
                while self._outgoing:
                    self._socket.send(self._outgoing.popleft())
            if self._socket in ready:
                self._take(msgspec.json.decode(self._socket.recv(), type=dict[str, Any]))
        for future in self._open.values():
            future.cancel()
        for socket in (self._socket, self._woken, self._wake):
            socket.close(linger=0)
        self._context.term()

    def _take(self, answer: dict[str, Any]) -> None:
        future = self._open.pop(answer.get("rid", 0), None)
        if future is not None:
            future.set_result(answer)
