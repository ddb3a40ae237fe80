"""Messages from strangers: on every port, with and without keys; they change nothing and are counted."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import struct
import threading
from urllib.parse import urlsplit

import pytest
import zmq

from algosim import connect, evaluate
from algosim.config import Config
from algosim.live.child import Birth
from algosim.live.connection import find_connection
from algosim.live.gate import Gate
from algosim.live.sockets import Party, fresh_keys
from algosim.live.wire import credit_frame, ready_topic
from tests.live_markets import until

pytestmark = pytest.mark.live

NAME = "sma_crossover"
PORTS = {"control": zmq.DEALER, "orders_push": zmq.PUSH, "ticks_pub": zmq.XSUB, "fills_pub": zmq.XSUB}
COUNTED = {"control": "control", "orders_push": "orders", "ticks_pub": "ticks", "fills_pub": "fills"}
BUSY = {"schedule.dt_mean_ms": 100.0, "execution.latency_ms": 150.0}
OPEN = {**BUSY, "transport.security": "none"}
TICKS = 3000
PACE = 50.0

READY = b"\x01@ready/broker/"


def valid(connection, seed):
    """Return messages that are right in form and wrong in one thing each."""
    state = random.Random(seed)
    envelope = {"seq": 1, "ts_sim": 0, "ts_wall": 0, "run_id": connection.run_id}
    token = connection.observer_token
    return [
        {"type": "confirm", **envelope, "seq": 10**6, "token": token},
        {"type": "confirm", **envelope, "token": "0" * 32, "fresh": True},
        {"type": "stopped", **envelope, "token": token, "logs": [["log", "x"]]},
        {"type": "log", **envelope, "token": token, "logs": [["error", "x"]]},
        {"type": "ack", **envelope, "token": token, "version": 1, "code": "0" * 16, "params": {}}
        | {"keep_state": False, "orders": [["BUY", 1.0, ""]], "plots": {}, "logs": []},
        {"type": "order", **envelope, "strategy_id": NAME, "side": "BUY", "qty": 1.0},
        {"type": "order", **envelope, "run_id": "another", "strategy_id": "raw", "side": "BUY", "qty": 1.0},
        {"type": "order", **envelope, "strategy_id": "raw", "side": "BUY", "qty": 1.0, "extra": 1},
        {"type": "order", **envelope, "strategy_id": "raw", "side": "BUY", "qty": "NaN"},
        {"op": "pause", "token": token, "rid": state.randrange(99)},
        {"op": "stop", "token": token, "rid": 1},
        {"op": "stop", "token": "f" * 32, "rid": 1},
        {"op": "progress", "token": token, "done": 10**9, "time": 1, "ended": True},
        {"op": "ready", "token": token, "party": "broker", "socket": "ticks"},
        {"op": "step", "token": connection.controller_token, "rid": 1, "n": "many"},
        {"op": "set", "token": connection.controller_token, "rid": 1, "key": "sigma", "value": 1, "also": 2},
        {"op": "wait", "token": connection.controller_token, "rid": 1, "ticks": 1e300},
        {"op": ["stop"], "token": connection.controller_token, "rid": {}},
        {"op": "stop", "token": [connection.controller_token], "rid": 1},
        [connection.controller_token],
        connection.controller_token,
    ]


def foreign_frames(connection, most, seed=0):
    """Yield frames that mean nothing to the engine."""
    state = random.Random(seed)
    right = [json.dumps(each).encode() for each in valid(connection, seed)]
    shapes = [
        lambda: state.randbytes(state.randrange(1, 200)),
        lambda: b"\x01" + READY[1:] + state.randbytes(16).hex().encode(),
        lambda: b"\x01@control/" + state.randbytes(4).hex().encode(),
        lambda: b"\x02" + state.randbytes(16).hex().encode() + struct.pack("<q", 10**6),
        lambda: b"\x02" + struct.pack("<q", 10**6),
        lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        lambda: b"[" * 20_000,
        lambda: b'{"token": ' + b"[" * 20_000,
        lambda: b"\xff\xfe" * 50,
        lambda: state.choice(right),
        lambda: state.choice(right),
        lambda: state.choice(right)[: state.randrange(1, 80)],
    ]
    for _ in range(most):
        yield state.choice(shapes)()


def address(endpoint):
    parts = urlsplit(endpoint)
    return parts.hostname, parts.port


def dial(context, connection, name, keys=None):
    """Connect to one of a run's ports as a stranger would."""
    peer = context.socket(PORTS[name])
    peer.setsockopt(zmq.LINGER, 3000)
    peer.setsockopt(zmq.SNDTIMEO, 5000)
    if PORTS[name] != zmq.XSUB:
        peer.setsockopt(zmq.IMMEDIATE, 1)  # nothing is sent to who does not let us in
    if keys is not None:
        peer.curve_publickey, peer.curve_secretkey = (key.encode() for key in keys)
        peer.curve_serverkey = connection.server_public.encode()
    peer.connect(connection.endpoints[name])
    return peer


def garbage(connection, name, most, seed=0):
    """Open raw connections, say things that are no ZeroMQ, and leave."""
    state = random.Random(seed)
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00"
    shapes = [
        lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5,
        lambda: state.randbytes(300),
        lambda: b"\x01\x00" + b"\x0b\x00" + b"0123456789" * 3,  # as ZeroMQ 2 spoke
        lambda: greeting + b"CURVE" + bytes(47) + state.randbytes(200),
        lambda: greeting + b"NULL" + bytes(48) + state.randbytes(200),
        lambda: greeting + b"PLAIN" + bytes(47) + b"\x04\x0f\x05HELLO\x01x\x01y",
        lambda: b"",
    ]
    for _ in range(most):
        with socket.create_connection(address(connection.endpoints[name])) as raw:
            try:
                raw.sendall(state.choice(shapes)())
            except OSError:
                continue  # it has been cut off, which is right


def attack(connection, *, frames, raw):
    """Send every port its share; return how many frames went out to each as a party that may connect."""
    context = zmq.Context()
    observer = (connection.observer.public, connection.observer.secret)
    stranger = tuple(key.decode() for key in zmq.curve_keypair())
    secure = connection.security == "curve"
    sent = dict.fromkeys(PORTS, 0)
    try:
        for seed, name in enumerate(PORTS):
            garbage(connection, name, raw, seed)
            if secure:
                for keys in (None, stranger):
                    with dial(context, connection, name, keys) as peer:
                        peer.send(b"\x02hello") if PORTS[name] == zmq.XSUB else None
                        assert PORTS[name] == zmq.XSUB or not peer.poll(100, zmq.POLLOUT)
            with dial(context, connection, name, observer if secure else None) as peer:
                if not peer.poll(300, zmq.POLLOUT):
                    assert name == "orders_push"  # where observers are not let in
                    assert secure
                    continue
                for frame in foreign_frames(connection, frames, seed):
                    peer.send(frame)
                    sent[name] += 1
                if name == "control":
                    peer.send(b"x" * (2 << 20))
                    sent[name] += 1
    finally:
        context.term()
    return sent


def survives(market, settings, *, frames, raw):
    sim = market(NAME, seed=7, speed=PACE, settings=settings, ticks=TICKS).start()
    connection = find_connection(sim.run_id)
    sent = attack(connection, frames=frames, raw=raw)
    sim.pause()
    expected = {COUNTED[name]: sent[name] // 2 + raw for name in PORTS}
    counted = until(
        lambda: (now := sim.status) and all(now["foreign_at"][at] >= n for at, n in expected.items()) and now,
        "the foreign messages are counted",
    )
    assert counted["foreign"] == sum(counted["foreign_at"].values())
    assert counted["recorder_restarts"] == 0
    sim.set(speed="max").resume().wait()
    result = sim.stop()
    assert not result.errors
    assert result.digest == evaluate(NAME, seed=7, settings=BUSY, ticks=TICKS).digest
    return sent, counted


def test_foreign_messages_change_nothing(market):
    """With keys: only those of an observer are read at all, and orders not even of one."""
    sent, counted = survives(market, BUSY, frames=700, raw=30)
    assert sent["orders_push"] == 0
    assert counted["foreign_at"]["blocks"] == 0


def test_foreign_messages_change_nothing_without_keys(market):
    sent, _ = survives(market, OPEN, frames=700, raw=30)
    assert min(sent.values()) >= 700


def test_oversized_frames_are_refused(market):
    sim = market(NAME, seed=7, speed=PACE, settings=OPEN, ticks=TICKS).start()
    connection = find_connection(sim.run_id)
    context = zmq.Context()
    for name in PORTS:
        for megabytes in (2, 64):
            with dial(context, connection, name) as peer:
                peer.send(b"\x02" + bytes(megabytes << 20))
    context.term()
    until(
        lambda: sim.status["foreign_at"]["orders"] and sim.status["foreign_at"]["control"], "they are counted"
    )
    sim.set(speed="max").wait()
    assert sim.stop().digest == evaluate(NAME, seed=7, settings=BUSY, ticks=TICKS).digest


def test_the_start_cannot_be_forged(home, market):
    """A strategy takes its time; strangers say that all is ready, and give credit."""
    path = home / "strategies" / "late" / "strategy.py"
    path.parent.mkdir()
    path.write_text("import time\ntime.sleep(2.5)\ndef on_tick(ctx, tick):\n    pass\n", "utf-8")
    sim = market("late", seed=7, ticks=500, settings=OPEN)
    starter = threading.Thread(target=sim.start)
    starter.start()
    until(lambda: list((home.parent / "runtime").rglob("*.json")), "the connection file")
    connection = find_connection()
    context = zmq.Context()
    with context.socket(zmq.SUB) as plain, dial(context, connection, "ticks_pub") as upstream:
        plain.connect(connection.endpoints["ticks_pub"])
        for party in ("broker", "late", "recorder"):
            plain.setsockopt(zmq.SUBSCRIBE, f"@ready/{party}".encode())
            plain.setsockopt(zmq.SUBSCRIBE, f"@ready/{party}/{'0' * 32}".encode())
        for seq in range(200):
            upstream.send(b"\x02" + b"0" * 16 + struct.pack("<q", seq))
        until(lambda: sim.status["foreign_at"]["ticks"] >= 206, "they are counted")
        status = sim.status
        assert status["tick"] == 0
        assert status["state"] == "waiting"
        assert any(who.startswith("late (import") for who in status["waiting_for"])
    context.term()
    starter.join()
    sim.wait()
    result = sim.stop()
    assert len(result.recording) == 500
    assert result.digest == evaluate("late", seed=7, settings=BUSY, ticks=500).digest


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_credit_cannot_be_forged(market):
    """While the recorder stands still nothing is done, whatever others say."""
    sim = market(NAME, seed=7, settings=OPEN | {"transport.window": 16}).start()
    sim.wait(ticks=50)
    recorder = sim.status["processes"]["recorder"]
    os.kill(recorder, signal.SIGSTOP)
    try:
        last = until(lambda: (now := sim.status["tick"]) == sim.status["tick"] and now, "it stands")
        connection = find_connection(sim.run_id)
        context = zmq.Context()
        with (
            dial(context, connection, "ticks_pub") as upstream,
            dial(context, connection, "orders_push") as push,
        ):
            for seq in range(last, last + 200):
                upstream.send(b"\x02" + connection.observer_token[:16].encode() + struct.pack("<q", seq))
                push.send(
                    json.dumps(
                        {
                            "type": "confirm",
                            "seq": seq,
                            "ts_sim": 0,
                            "ts_wall": 0,
                            "run_id": sim.run_id,
                            "token": connection.observer_token,
                        }
                    ).encode()
                )
            until(lambda: sim.status["foreign_at"]["ticks"] >= 200, "credit is counted")
            until(lambda: sim.status["foreign_at"]["orders"] >= 200, "confirmations are counted")
        context.term()
        assert sim.status["tick"] <= last + 16
    finally:
        os.kill(recorder, signal.SIGCONT)
    sim.wait(ticks=last + 100)


def test_an_observer_may_watch_and_not_command(market):
    sim = market(NAME, seed=7, speed=PACE, settings=BUSY).start()
    connection = find_connection(sim.run_id)
    context = zmq.Context()
    keys = (connection.observer.public, connection.observer.secret)
    with dial(context, connection, "control", keys) as line:
        for rid, op in enumerate(("status", "pause", "stop")):
            line.send(json.dumps({"op": op, "token": connection.observer_token, "rid": rid}).encode())
        answers = {}
        while len(answers) < 3:
            assert line.poll(5000)
            answer = json.loads(line.recv())
            answers[answer["rid"]] = answer
    context.term()
    assert answers[0]["status"]["state"] == "running"
    assert answers[1]["error"] == answers[2]["error"] == {"message": "this key may watch, not command"}
    assert sim.status["foreign_at"]["control"] == 2
    assert connect(sim.run_id).state == "running"


class Frame:
    """A frame as it arrives, with the key that its sender has shown."""

    def __init__(self, data, key):
        self.bytes, self.key = data, key

    def get(self, _):
        return self.key


def test_only_the_party_itself_can_say_that_it_is_ready():
    """Even those who know the secret words, as every host does."""
    keys = {name: fresh_keys() for name in ("broker", "host")}
    birth = Birth(
        name="simulator",
        token="",
        run_id="run",
        config=Config(),
        seed="1",
        keys=keys["broker"],
        server_public="",
        nonces={"ready": "a" * 32, "credit": "b" * 16},
        parties=[Party(name, pair.public, "") for name, pair in keys.items()],
    )
    gate = Gate(birth)
    ready = b"\x01" + ready_topic("broker", "a" * 32).encode()
    assert gate.ready(Frame(ready, keys["host"].public)) is None
    assert gate.ready(Frame(ready, keys["broker"].public)) == "broker"
    assert gate.ready(Frame(ready[:-1] + b"0", keys["broker"].public)) is None
    assert gate.credit(Frame(credit_frame("b" * 16, 7), keys["host"].public)) is None
    assert gate.credit(Frame(credit_frame("b" * 16, 7), keys["broker"].public)) == 7
    assert gate.credit(Frame(credit_frame("c" * 16, 7), keys["broker"].public)) is None
    assert gate.foreign == 2
