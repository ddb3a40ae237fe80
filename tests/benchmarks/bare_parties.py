"""The live engine's lock-step without the engine: its processes, sockets and messages, nothing in between.

``python -m tests.benchmarks.bare_parties ROLE`` is one process of it; `tests.benchmarks.bare` starts all.
What each sends is built and encoded by the engine's own message classes, what it receives is decoded by them;
sockets have the engine's limits, CURVE keys and doormen.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import zmq

from algosim.core.desk import Request
from algosim.events import Event
from algosim.live import pipe, wire
from algosim.live.output import SILENCE
from algosim.runs.guard import die_with_parent
from algosim.runs.launch import receive, start, take_stdout
from tests.benchmarks.bare_broker import broker
from tests.benchmarks.bare_party import BATCH, NAME, PRICE, STATE, Party, Plan, await_ready

BLOCKS = "blocks.jsonl"
WINDOW = 256
LINES: dict[str, float | None] = {"SMA(20)": 101.23456789012345, "SMA(50)": 100.98765432109876}


def simulator(plan: Plan) -> None:
    party = Party(plan, "simulator")
    (ticks,) = party.bound(ticks=zmq.XPUB)
    party.say(plan.ports)
    await_ready(ticks, 2)
    n = done = 0
    last, begun = len(plan.times) - 1, time.monotonic()
    while done < last:
        early = begun + plan.times[n + 1] * 1e-9 - time.monotonic() if plan.paced and n < last else 0.0
        if n == last or n - done >= WINDOW:
            done = _credit(ticks, done)
        elif early > 0.0:
            if ticks.poll(math.ceil(early * 1e3)):
                done = _credit(ticks, done)
        else:
            n += 1
            tick = wire.TickMessage(
                ts=plan.times[n], price=PRICE, asset_id="X", model_state=STATE, controls=1, **party.head(n)
            )
            ticks.send(wire.published("X", tick))


def _credit(ticks: zmq.Socket[bytes], done: int) -> int:
    frame = ticks.recv()
    return int.from_bytes(frame[-8:], "little") if frame[:1] == wire.CREDIT else done


def recorder(plan: Plan) -> None:
    party = Party(plan, "recorder")
    blocks, confirms = party.connected(zmq.PULL, "blocks"), party.connected(zmq.PUSH, "orders")
    decoder = msgspec.json.Decoder(list[Event])
    last, end = 0, len(plan.times) - 1
    with (Path(plan.folder) / BLOCKS).open("wb", buffering=0) as file:
        while last < end:
            frames = [blocks.recv(), *wire.arrived(blocks, BATCH)]
            last = [decoder.decode(frame) for frame in frames][-1][0].seq
            file.write(b"\n".join(frames) + b"\n")
            confirms.send(wire.encode(wire.Confirm(token=plan.token, **party.head(last))))
    time.sleep(1.0)


def host(plan: Plan) -> None:
    party = Party(plan, "host")
    ticks = party.connected(zmq.SUB, "ticks", "X ", "@control ", "@ready/host")
    fills = party.connected(zmq.SUB, "fills", f"{NAME} ", "@ready/host")
    orders = party.connected(zmq.PUSH, "orders")
    tick_decoder = msgspec.json.Decoder(wire.TickMessage)
    clear_decoder = msgspec.json.Decoder(wire.Clear)
    mode = "order" if plan.paced else "draw"
    worker = start("tests.benchmarks.bare_parties", "worker", mode, stdout=subprocess.PIPE)
    assert worker.stdin is not None
    assert worker.stdout is not None
    buffer, out = pipe.FrameBuffer(), worker.stdout.fileno()
    while True:
        clear = clear_decoder.decode(fills.recv().partition(b" ")[2])
        while (frame := ticks.recv()).startswith(b"@"):
            pass
        tick = tick_decoder.decode(frame.partition(b" ")[2])
        shown = {
            "ts": tick.ts,
            "ts_sim": tick.ts_sim,
            "seq": tick.seq,
            "price": tick.price,
            "asset_id": tick.asset_id,
            "model_state": tick.model_state,
        }
        pipe.send(worker.stdin, pipe.Tick(shown, clear.fills))
        worker.stdin.flush()
        while (answer := buffer.next()) is None:
            buffer.feed(os.read(out, 1 << 16))
        reply = pipe.decode_reply(answer)
        assert isinstance(reply, pipe.Acted)
        ack = wire.Ack(
            token=plan.token,
            version=1,
            code="036ce1738242080c",
            params={},
            keep_state=False,
            orders=reply.orders,
            plots=reply.plots,
            logs=[],
            **party.head(tick.seq),
        )
        orders.send(wire.encode(ack))


def worker(mode: str) -> None:
    out = take_stdout()
    buffer = pipe.FrameBuffer()
    order = [Request("BUY", 1.0, "")]
    while (question := pipe.read_question(0, buffer)) is not None:
        assert isinstance(question, pipe.Tick)
        if mode == "order":
            pipe.send(out, pipe.Acted(order, {"at": time.time()}, SILENCE))
        else:
            pipe.send(out, pipe.Acted([], LINES, SILENCE))


ROLES = {"simulator": simulator, "broker": broker, "recorder": recorder, "host": host}

if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker(sys.argv[2])
    else:
        job = msgspec.json.decode(receive(), type=Plan)
        die_with_parent()
        ROLES[sys.argv[1]](job)
