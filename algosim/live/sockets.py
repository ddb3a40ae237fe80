"""Sockets of the engine: bound and connected with the right limits, keys and doormen."""

from __future__ import annotations

import errno
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import zmq
from zmq.utils import z85

from algosim.errors import EngineError
from algosim.live.wire import MAX_FRAME

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Doorman", "KeyPair", "Party", "Security", "bind", "connect", "fresh_keys", "make"]

HARD_LIMIT = 4
"""A frame this many times too long is not even received: its sender is cut off."""

MAX_TOPIC = 1 << 16
HANDSHAKE_S = 1.0
"""How long a connection may take to show its key before it counts as foreign; ours take milliseconds."""


class KeyPair(msgspec.Struct, frozen=True):
    """A CURVE key pair, in Z85 text."""

    public: str
    secret: str


def fresh_keys() -> KeyPair:
    """Return a new key pair."""
    public, secret = zmq.curve_keypair()
    return KeyPair(public.decode(), secret.decode())


class Party(msgspec.Struct, frozen=True):
    """One who may talk to the engine: a name, its public key and the word it proves itself by."""

    name: str
    key: str
    token: str


class Security(NamedTuple):
    """How sockets of one process are secured; `server_secret` only where it binds."""

    curve: bool
    own: KeyPair
    server_public: str
    server_secret: str = ""


def make(context: zmq.Context[zmq.Socket[bytes]], kind: int, hwm: int) -> zmq.Socket[bytes]:
    """Return a socket with the engine's limits."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, hwm)
    socket.setsockopt(zmq.RCVHWM, hwm)
    # What is too long but no more than that is received, refused and counted by whoever reads it. A
    # publisher receives topics only, and libzmq keeps every one.
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_TOPIC if kind == zmq.XPUB else HARD_LIMIT * MAX_FRAME)
    if kind == zmq.XPUB:
        socket.setsockopt(zmq.XPUB_VERBOSE, 1)
    return socket


def bind(socket: zmq.Socket[bytes], endpoint: str, security: Security, domain: str, *, strict: bool) -> str:
    """Bind a socket and return its real endpoint; a taken port becomes a free one unless `strict`.

    Raises
    ------
    EngineError
        If the port is taken and `strict`, or the address cannot be bound.
    """
    if security.curve:
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, security.server_secret.encode())
        socket.setsockopt(zmq.ZAP_DOMAIN, domain.encode())
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    host = endpoint.rpartition(":")[0]
    for candidate in (endpoint,) if strict else (endpoint, f"{host}:*"):
        try:
            socket.bind(candidate)
        except zmq.ZMQError as error:
            refused = error
            if error.errno not in (zmq.EADDRINUSE, errno.EACCES):
                break
        else:
            return str(socket.getsockopt_string(zmq.LAST_ENDPOINT))
    msg = (
        f"cannot bind {endpoint} ({domain}): {refused.strerror}; name another in transport.endpoints, or set "
        "transport.strict_ports to false to take a free port"
    )
    raise EngineError(msg)


def connect(socket: zmq.Socket[bytes], endpoint: str, security: Security) -> None:
    """Connect a socket to one of the engine's endpoints."""
    if security.curve:
        socket.setsockopt(zmq.CURVE_SERVERKEY, security.server_public.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, security.own.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, security.own.secret.encode())
    socket.connect(endpoint)


class Doorman:
    """Decides who may connect to a process's sockets, and counts whom it turned away.

    Answers ZAP requests (ZeroMQ RFC 27) and watches the sockets' connections, in a thread of its own. A frame
    that a socket receives has the sender's key as its ``User-Id``.

    Parameters
    ----------
    context : zmq.Context
    doors : dict
        Sockets, not bound yet, and the keys that may connect to them, by domain.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        doors: dict[str, tuple[zmq.Socket[bytes], Iterable[str]]],
    ) -> None:
        self._allowed = {domain: frozenset(keys) for domain, (_, keys) in doors.items()}
        self._callers = {domain: _Callers() for domain in doors}
        requests = context.socket(zmq.REP)
        requests.setsockopt(zmq.LINGER, 0)
        requests.bind("inproc://zeromq.zap.01")
        monitors = {_monitor(context, socket, domain): domain for domain, (socket, _) in doors.items()}
        threading.Thread(target=self._run, args=(requests, monitors), name="doorman", daemon=True).start()

    def allow(self, key: str, domains: Iterable[str]) -> None:
        """Let a key in from now on."""
        for domain in domains:
            self._allowed[domain] |= {key}

    def refused(self, domain: str) -> int:
        """Return how many connections to this socket never showed a key that may connect."""
        return self._callers[domain].strangers()

    def _run(self, requests: zmq.Socket[bytes], monitors: dict[zmq.Socket[bytes], str]) -> None:
        poller = zmq.Poller()
        for socket in (requests, *monitors):
            poller.register(socket, zmq.POLLIN)
        try:
            while True:
                for socket, _ in poller.poll():
                    if socket is requests:
                        self._answer(requests)
                    else:
                        # zmq.utils.monitor would do this too, and import asyncio into every process
                        event = int.from_bytes(socket.recv_multipart()[0][:2], sys.byteorder)
                        self._callers[monitors[socket]].take(event)
        except zmq.ContextTerminated:
            for socket in (requests, *monitors):
                socket.close()

    def _answer(self, requests: zmq.Socket[bytes]) -> None:
        version, request, domain, _, _, mechanism, *credentials = requests.recv_multipart()
        key = z85.encode(credentials[0]).decode() if mechanism == b"CURVE" else ""
        known = key in self._allowed.get(domain.decode(), ())
        status = [b"200", b"OK", key.encode()] if known else [b"400", b"unknown key", b""]
        requests.send_multipart([version, request, *status, b""])


def _monitor(
    context: zmq.Context[zmq.Socket[bytes]], socket: zmq.Socket[bytes], domain: str
) -> zmq.Socket[bytes]:
    """Return a socket that receives what happens to another's connections."""
    socket.monitor(f"inproc://{domain}", zmq.EVENT_ACCEPTED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
    monitor = context.socket(zmq.PAIR)
    monitor.setsockopt(zmq.RCVHWM, 0)  # libzmq's own thread would wait here for its turn
    monitor.connect(f"inproc://{domain}")
    return monitor


class _Callers:
    """The connections to one socket that have not shown a key (or, without keys, a protocol) of ours."""

    def __init__(self) -> None:
        self._waiting: deque[float] = deque()
        self._strangers = 0
        self._lock = threading.Lock()

    def take(self, event: int) -> None:
        with self._lock:
            if event == zmq.EVENT_ACCEPTED:
                self._waiting.append(time.monotonic())
                self._settle()
            elif self._waiting:
                self._waiting.pop()  # the event does not say whose; ours are through at once, so the latest
            else:
                self._strangers -= 1  # one that took long was ours after all

    def strangers(self) -> int:
        with self._lock:
            self._settle()
            return self._strangers

    def _settle(self) -> None:
        while self._waiting and time.monotonic() - self._waiting[0] > HANDSHAKE_S:
            self._waiting.popleft()
            self._strangers += 1
