"""What every engine process is born with, and its line to the supervisor."""

from __future__ import annotations

import os
import signal
from typing import Any

import msgspec
import zmq

from algosim.config import Config
from algosim.live.sockets import KeyPair, Party, Security, connect, make
from algosim.live.wire import document
from algosim.runs.launch import check_start, receive

__all__ = ["Birth", "Link", "born"]


class Birth(msgspec.Struct, kw_only=True):
    """The document that a process reads from its standard input before all else.

    Attributes
    ----------
    name : str
        ``"simulator"``, ``"broker"``, ``"recorder"`` or a strategy's id.
    token : str
        The word by which it proves itself to the others.
    keys : KeyPair
        Its own.
    server_secret : str
        Of the run; only in processes that bind.
    control : str
        The supervisor's endpoint.
    nonces : dict
        ``"ready"`` and ``"credit"``: the words that make these frames ours.
    parties : list
        Who may talk to it.
    extra : dict
        What this role needs beside.
    """

    name: str
    token: str
    run_id: str
    config: Config
    seed: str
    keys: KeyPair
    server_public: str
    server_secret: str = ""
    control: str = ""
    nonces: dict[str, str] = {}
    parties: list[Party] = []
    extra: dict[str, Any] = {}

    @property
    def security(self) -> Security:
        """How its sockets are secured."""
        curve = self.config.transport.security == "curve"
        return Security(curve, self.keys, self.server_public, self.server_secret)


def born() -> Birth:
    """Read the birth document; an interrupt from a terminal is for the process that started the run."""
    check_start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return msgspec.json.decode(receive(), type=Birth)


class Link:
    """A child's line to the supervisor: small documents in both directions."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], birth: Birth) -> None:
        self.socket = make(context, zmq.DEALER, 10_000)
        self.socket.setsockopt(zmq.ROUTING_ID, os.urandom(8).hex().encode())
        connect(self.socket, birth.control, birth.security)
        self._token = birth.token

    def tell(self, op: str, **fields: object) -> None:
        """Send one document."""
        self.socket.send(document(op=op, token=self._token, **fields))

    def heard(self) -> list[dict[str, Any]]:
        """Return the documents that have arrived."""
        documents = []
        while True:
            try:
                documents.append(msgspec.json.decode(self.socket.recv(zmq.NOBLOCK), type=dict[str, Any]))
            except zmq.Again:
                return documents
