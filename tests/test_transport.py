"""What goes over the wire, seen by raw ZeroMQ sockets and by those who only watch."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import platformdirs
import psutil
import pytest
import zmq

from algosim import evaluate, replay
from algosim.errors import EngineError
from algosim.live.connection import Connection, write_connection
from algosim.live.observer import Observer
from algosim.live.sockets import KeyPair
from algosim.live.wire import TickMessage
from algosim.live.wire import published as published_frame
from tests.live_markets import fails, until

pytestmark = pytest.mark.live

SMA = {"s": {"path": "sma_crossover", "params": {"fast": 3, "slow": 8}}}
OPEN = {"transport.security": "none", "transport.external": ["me"]}


@pytest.fixture
def raw(home):  # noqa: ARG001  (the connection file is in a folder of its own)
    """Make plain pyzmq sockets from what the connection file says."""
    context = zmq.Context()
    sockets = []

    def raw(kind, endpoint, *topics, key="observer", **options):
        (file,) = Path(platformdirs.user_runtime_dir("algosim", appauthor=False)).glob("*.json")
        found = json.loads(file.read_bytes())
        assert os.name != "posix" or file.stat().st_mode & 0o777 == 0o600
        socket = context.socket(kind)
        sockets.append(socket)
        for name, value in {"LINGER": 0, "RCVTIMEO": 5_000, **options}.items():
            socket.setsockopt(getattr(zmq, name), value)
        if found["security"] == "curve" and key:
            socket.curve_serverkey = found["server_public"].encode()
            socket.curve_publickey = found[key]["public"].encode()
            socket.curve_secretkey = found[key]["secret"].encode()
        for topic in topics:
            socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        socket.connect(found["endpoints"][endpoint])
        return socket

    yield raw
    for socket in sockets:
        socket.close()
    context.term()


def published(socket):
    """Return topic and content of the next message, which is one frame."""
    (frame,) = socket.recv_multipart()
    topic, _, body = frame.partition(b" ")
    return topic.decode(), json.loads(body)


def subscribed(sim, socket):
    """Let a market run until a subscriber hears it, and return the first message."""
    sim.resume()
    first = published(socket)
    sim.pause()
    return first


def test_a_subscriber_gets_topic_and_json_in_one_frame(market, raw):
    sim = market(SMA, speed=50.0).run_until(ticks=1)
    ticks, fills = raw(zmq.SUB, "ticks_pub", "X "), raw(zmq.SUB, "fills_pub", "s ")
    _, first = subscribed(sim, ticks)
    sim.run_until(ticks=first["seq"] + 60)
    prices, times = sim.ticks["price"].tolist(), sim.recording.time.tolist()
    seen = [("X", first)] + [published(ticks) for _ in range(60)]
    assert [topic for topic, _ in seen] == ["X"] * 61
    for seq, (_, tick) in enumerate(seen, first["seq"]):
        assert (tick["seq"], tick["price"], tick["ts_sim"]) == (seq, prices[seq - 1], times[seq - 1])
        assert (tick["run_id"], tick["asset_id"]) == (sim.run_id, "X")
        assert set(tick["model_state"]) == {"x", "dt", "kappa", "theta", "sigma"}
        assert abs(tick["ts_wall"] - time.time_ns()) < 60e9

    accounts = [published(fills) for _ in range(40)]
    seqs = [account["seq"] for _, account in accounts]
    assert seqs == list(range(seqs[0], seqs[0] + 40))
    recorded = {fill.number: fill for fill in sim.recording.fills}
    heard = [fill for _, account in accounts for fill in account["fills"]]
    assert len(heard) > 2
    assert all(recorded[fill["number"]].price == fill["price"] for fill in heard)


def test_topics_end_at_the_space(market, raw):
    """Who asks for X does not get X2, and who asks for s does not get s2."""
    two = {"s": "random_trader", "s2": "random_trader"}
    sim = market(two, speed=50.0, settings={"model.asset_id": "X2"}).run_until(ticks=1)
    near, far = raw(zmq.SUB, "ticks_pub", "X "), raw(zmq.SUB, "ticks_pub", "X2 ")
    fills = raw(zmq.SUB, "fills_pub", "s ")
    first = subscribed(sim, far)[1]["seq"]
    sim.run_until(ticks=first + 50)
    assert [published(far)[0] for _ in range(50)] == ["X2"] * 50
    assert {published(fills)[0] for _ in range(40)} == {"s"}
    with pytest.raises(zmq.Again):
        near.recv(zmq.NOBLOCK)


def test_a_conflating_subscriber_gets_the_newest_tick(market, raw):
    sim = market(SMA, speed="max").run_until(ticks=1)
    newest = raw(zmq.SUB, "ticks_pub", "X ", CONFLATE=1)
    until(lambda: sim.step() and newest.poll(50), "the subscription is there")
    sim.run_until(ticks=len(sim.ticks) + 500)
    last = len(sim.ticks)
    until(lambda: published(newest)[1]["seq"] == last, "the newest tick")
    with pytest.raises(zmq.Again):
        newest.recv(zmq.NOBLOCK)


def test_a_slow_observer_misses_messages_and_nobody_else_does(market, raw):
    """What the system's own buffers hold is some thousand ticks; what comes then is dropped."""
    settings = {"transport.window": 64, "transport.hwm.ticks_pub": 256}
    sim = market({}, settings=settings).run_until(ticks=1)
    slow = raw(zmq.SUB, "ticks_pub", "X ", RCVHWM=1, RCVBUF=2048)
    until(lambda: sim.step() and slow.poll(50), "the subscription is there")
    sim.run_until(ticks=15_000)
    seqs = [published(slow)[1]["seq"]]
    while slow.poll(200):
        seqs.append(published(slow)[1]["seq"])
    sim.step()
    seqs.append(published(slow)[1]["seq"])
    assert seqs[-1] == 15_001
    assert seqs == sorted(set(seqs))
    assert len(seqs) < seqs[-1] - seqs[0] + 1  # the jumps of seq tell how many were missed
    assert sim.status["gaps"] == 0
    assert sim.stop().digest == evaluate({}, seed=1, ticks=15_001).digest


def test_an_observer_counts_what_it_misses(home):
    """A publisher that skips, as a socket that is full does."""
    context = zmq.Context()
    ticks, fills = context.socket(zmq.XPUB), context.socket(zmq.XPUB)
    endpoints = {}
    for name, socket in (("ticks_pub", ticks), ("fills_pub", fills)):
        socket.setsockopt(zmq.RCVTIMEO, 5_000)
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        endpoints[name] = f"tcp://127.0.0.1:{port}"
    keys = KeyPair("", "")
    me = psutil.Process()
    write_connection(
        Connection(
            run_id="made-up",
            pid=me.pid,
            started=me.create_time(),
            folder=str(home),
            security="none",
            asset_id="X",
            endpoints=endpoints,
            server_public="",
            observer=keys,
            observer_token="",
            controller=keys,
            controller_token="",
        )
    )
    with Observer("made-up") as observer:
        for _ in ("X ", "@control "):
            ticks.recv()
        for seq in (4, 5, 9, 10, 12):
            message = TickMessage(
                seq=seq,
                ts_sim=seq,
                ts_wall=0,
                run_id="made-up",
                ts=0,
                price=1.0,
                asset_id="X",
                controls=0,
                model_state=None,
            )
            ticks.send(published_frame("X", message))
        seen = []
        until(lambda: seen.extend(observer.read(0.1)) or len(seen) == 5, "the ticks")
        assert observer.gaps == {"X": 4}
        assert observer.tick.seq == 12
    for socket in (ticks, fills):
        socket.close(0)
    context.term()


def test_an_observer_sees_everything_while_it_keeps_up(market):
    fails(EngineError, Observer, "no market is running")
    with market(SMA, speed=50.0) as sim, Observer(sim.run_id) as observer:
        until(lambda: observer.read(0.1) and observer.tick, "the stream of ticks")  # fills may come first
        sim.set(sigma=0.5).order("BUY", 2.0, id="hand").wait(ticks=sim.status["done"] + 40)
        sim.pause()
        seen = []
        until(lambda: seen.extend(observer.read(0.1)) or observer.tick.seq == len(sim.ticks), "the last tick")
        assert observer.gaps == {"X": 0, "@control": 0}
        ticks = [message for topic, message in seen if topic == "X"]
        assert [tick.price for tick in ticks] == sim.ticks["price"].tolist()[-len(ticks) :]
        commands = [message.event for topic, message in seen if topic == "@control"]
        assert [getattr(event, "action", "order") for event in commands] == ["set", "order", "pause"]
        until(
            lambda: seen.extend(observer.read(0.1)) or [m for topic, m in seen if topic == "hand"], "its fill"
        )
        (account,) = [message for topic, message in seen if topic == "hand"]
        assert account.fills == [fill for fill in sim.recording.fills if fill.id == "hand"]
        assert account.position == 2.0
        assert observer.status()["state"] == "paused"
        assert observer.status()["strategies"]["s"]["state"] == "trading"


def test_an_observer_of_the_latest_tick(market):
    with market(SMA, speed=200.0) as sim, Observer(latest=True) as observer:
        until(lambda: observer.read(0.1), "the stream")
        sim.pause().run_until(ticks=len(sim.ticks) + 300)
        until(lambda: observer.read(0.1) is not None and observer.tick.seq == len(sim.ticks), "the last tick")
        assert observer.gaps == {}


def test_an_observer_iterates_to_the_end(market):
    sim = market(SMA, speed=100.0, ticks=200).run_until(ticks=5)
    with Observer() as observer:
        until(lambda: sim.step() and observer.read() and observer.tick, "the subscription is there")
        first = observer.tick.seq
        sim.resume()
        ticks = [message.seq for _, message in observer if isinstance(message, TickMessage)]
    assert ticks == list(range(first + 1, 201))
    fails(EngineError, observer.status, "ended")


def test_an_observers_key_may_not_order_or_command(market, raw):
    sim = market(SMA).run_until(ticks=10)
    digest = sim.digest
    order = {
        "type": "order",
        "seq": 1,
        "ts_sim": 0,
        "ts_wall": 0,
        "run_id": sim.run_id,
        "side": "BUY",
        "qty": 1.0,
    }
    push = raw(zmq.PUSH, "orders_push")
    push.send_json({**order, "strategy_id": "s"})
    with Observer() as observer:
        control = raw(zmq.DEALER, "control")
        control.send_json({"op": "step", "n": 5, "token": observer.connection.observer_token, "rid": 1})
        assert "may watch" in control.recv_json()["error"]["message"]
    control.send_json({"op": "step", "n": 5, "token": observer.connection.controller_token, "rid": 2})
    control.send_json({"op": "step", "n": 5, "token": "guessed", "rid": 3})
    until(lambda: sim.status["foreign_at"]["control"] >= 3, "the refusals are counted")
    until(lambda: sim.status["foreign_at"]["orders"] >= 1, "the refused sender is counted")
    assert (len(sim.ticks), sim.digest) == (10, digest)


class TestOpenTransport:
    """Without keys, for the lesson on raw sockets: registered senders have accounts of their own."""

    def order(self, sim, **fields):
        head = {"type": "order", "seq": 1, "ts_sim": 0, "ts_wall": time.time_ns(), "run_id": sim.run_id}
        return head | {"strategy_id": "me", "side": "BUY", "qty": 2.0, "tag": "raw"} | fields

    def test_a_raw_order_fills_and_the_run_replays(self, market, raw):
        sim = market(SMA, settings=OPEN | {"latency_ms": 300}, speed=20.0).run_until(ticks=5)
        push, fills = raw(zmq.PUSH, "orders_push"), raw(zmq.SUB, "fills_pub", "me ")
        sim.resume()
        sent = 0

        def filled():
            nonlocal sent
            push.send_json(self.order(sim, side="BUY" if sent % 2 else "SELL"))
            sent += 1
            return fills.poll(300)

        until(filled, "a raw order fills")
        topic, account = published(fills)
        assert topic == "me"
        assert account["fills"][0]["tag"] == "raw"
        sim.order("BUY", 1.0).wait(ticks=sim.status["done"] + 40)
        live = sim.stop()
        assert set(live.trades["id"]) >= {"me", "manual"}
        assert {order.origin for order in live.recording.orders} == {"strategy", "wire", "manual"}
        replayed = replay(sim.folder)
        assert replayed.digest == live.digest
        assert replayed.trades.equals(live.trades)

    def test_what_is_no_order_of_a_registered_sender_is_counted(self, market, raw):
        sim = market(SMA, settings=OPEN).run_until(ticks=5)
        push = raw(zmq.PUSH, "orders_push")
        bad = [
            self.order(sim, strategy_id="stranger"),
            self.order(sim, strategy_id="s"),
            self.order(sim, run_id="another"),
            self.order(sim, extra=1),
            self.order(sim, qty="many"),
            {"type": "ack"},
            [],
        ]
        for message in bad:
            push.send_json(message)
        push.send(b"\xff\x00 not json")
        push.send_json(self.order(sim, qty=-1.0))  # of a registered sender, but no order
        until(lambda: sim.status["foreign_at"]["orders"] == len(bad) + 1, "they are counted")
        until(lambda: sim.status["rejected"] == 1, "the bad order is rejected")
        assert {order.id for order in sim.step(3).recording.orders} <= {"s"}
        assert sim.stop().digest == evaluate(SMA, seed=1, ticks=8).digest

    def test_live_and_evaluate_agree_without_keys(self, market):
        with market(SMA, settings=OPEN, ticks=100) as sim:
            sim.wait()
        assert sim.stop().digest == evaluate(SMA, seed=1, ticks=100).digest
