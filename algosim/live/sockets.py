"""Sockets of the engine: bound and connected with the right limits, keys and doormen."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import zmq
from zmq.utils import z85

from algosim.errors import EngineError
from algosim.live.wire import MAX_FRAME

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Doorman", "KeyPair", "Party", "bind", "connect", "fresh_keys", "make"]


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
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)
    if kind in (zmq.XPUB,):
        socket.setsockopt(zmq.XPUB_VERBOSE, 1)
    return socket


def bind(
    socket: zmq.Socket[bytes], endpoint: str, security: Security, domain: str, *, strict: bool
) -> str:
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
            if error.errno not in (zmq.EADDRINUSE, 13):
                break
        else:
            return str(socket.getsockopt_string(zmq.LAST_ENDPOINT))
    msg = f"cannot bind {endpoint} ({domain}): {refused}; set another transport.endpoints, or strict_ports: false"
    raise EngineError(msg)


def connect(socket: zmq.Socket[bytes], endpoint: str, security: Security) -> None:
    """Connect a socket to one of the engine's endpoints."""
    if security.curve:
        socket.setsockopt(zmq.CURVE_SERVERKEY, security.server_public.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, security.own.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, security.own.secret.encode())
    socket.connect(endpoint)


class Doorman:
    """Answers ZAP requests (ZeroMQ RFC 27): which keys may connect to which of a process's sockets.

    Runs in a thread of its own, and before any socket is bound. A frame that such a socket receives has
    the sender's key as its ``User-Id``.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], allowed: dict[str, Iterable[str]]) -> None:
        self._allowed = {domain: set(keys) for domain, keys in allowed.items()}
        self.refused = 0
        socket = context.socket(zmq.REP)
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind("inproc://zeromq.zap.01")
        threading.Thread(target=self._answer, args=(socket,), name="doorman", daemon=True).start()

    def allow(self, key: str, domains: Iterable[str]) -> None:
        """Let a key in from now on."""
        for domain in domains:
            self._allowed[domain] = self._allowed[domain] | {key}

    def _answer(self, socket: zmq.Socket[bytes]) -> None:
        with contextlib.suppress(zmq.ContextTerminated):
            while True:
                version, request, domain, _, _, mechanism, *credentials = socket.recv_multipart()
                key = z85.encode(credentials[0]).decode() if credentials else ""
                known = mechanism == b"CURVE" and key in self._allowed.get(domain.decode(), ())
                self.refused += not known
                status = [b"200", b"OK", key.encode()] if known else [b"400", b"unknown key", b""]
                socket.send_multipart([version, request, *status, b""])
        socket.close()
