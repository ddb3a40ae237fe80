"""What the processes of the bare lock-step share: their orders, their sockets, the marks of messages."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import zmq

from algosim.live import wire
from algosim.live.sockets import Doorman, KeyPair, Security, bind, connect, make

RUN = "20250101-000000-bare"
NAME = "sma_crossover"
PRICE = 104.4579
BATCH = 64
HWM = 20_000
STATE = {"x": 0.0436143805964985, "dt": 0.120110828, "kappa": 0.8, "theta": 0.0, "sigma": 0.2}


class Plan(msgspec.Struct, kw_only=True):
    """What every process is told at its start.

    `needs[m]` is the last tick whose acknowledgement the clearing of tick m waits for. With `paced` ticks are
    released when their time [ns] has come, and each brings an order.
    """

    times: list[int]
    needs: list[int]
    paced: bool
    folder: str
    keys: dict[str, KeyPair]
    server: KeyPair
    token: str
    nonce: str
    warm: int
    ports: dict[str, str] = {}


class Party:
    """One process's sockets and the marks that all its messages bear."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan = plan
        self._security = Security(
            curve=True,
            own=plan.keys[name],
            server_public=plan.server.public,
            server_secret=plan.server.secret,
        )
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()

    def bound(self, **kinds: int) -> list[zmq.Socket[bytes]]:
        """Return a socket of each kind, bound; `kinds` has the names of their domains."""
        sockets = {domain: make(self._context, kind, HWM) for domain, kind in kinds.items()}
        keys = [pair.public for pair in self.plan.keys.values()]
        self._doorman = Doorman(self._context, {domain: (socket, keys) for domain, socket in sockets.items()})
        for domain, socket in sockets.items():
            self.plan.ports[domain] = bind(socket, "tcp://127.0.0.1:*", self._security, domain, strict=True)
        return list(sockets.values())

    def connected(self, kind: int, domain: str, *topics: str) -> zmq.Socket[bytes]:
        socket = make(self._context, kind, HWM)
        for topic in topics:
            socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        connect(socket, self.plan.ports[domain], self._security)
        return socket

    def head(self, seq: int) -> dict[str, Any]:
        return {"seq": seq, "ts_sim": self.plan.times[seq], "ts_wall": wire.wall_ns(), "run_id": RUN}

    def say(self, document: object) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
        sys.stdout.buffer.flush()


def await_ready(socket: zmq.Socket[bytes], parties: int) -> None:
    """Wait until all parties have subscribed, as the start barrier does."""
    while parties:
        parties -= socket.recv()[1:].startswith(b"@ready/")
