"""Starts the bare lock-step and measures it."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from algosim.events import Event, Plot
from algosim.live.sockets import fresh_keys
from algosim.runs.launch import hand_over, start
from tests.benchmarks.bare_parties import BLOCKS
from tests.benchmarks.bare_party import Plan

PARTIES = ("simulator", "broker", "recorder", "host", "observer")


class BareRun:
    """The processes of one bare run; a context manager that ends them."""

    def __init__(self, times: list[int], latency_ns: int, *, warm: int, paced: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="algosim-bare-")
        self.plan = Plan(
            times=[0, *times],
            needs=needs(times, latency_ns),
            paced=paced,
            folder=self._folder.name,
            keys={name: fresh_keys() for name in PARTIES},
            server=fresh_keys(),
            token=secrets.token_hex(16),
            nonce=secrets.token_hex(8),
            warm=warm,
        )
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> BareRun:
        for name in ("simulator", "broker"):
            self.plan.ports |= self._said(self._start(name))
        for name in ("recorder", "host"):
            self._start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        self._folder.cleanup()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        process = start("tests.benchmarks.bare_parties", name, stdout=subprocess.PIPE)
        self._processes.append(process)
        hand_over(process, msgspec.json.encode(self.plan))
        return process

    def _said(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        assert process.stdout is not None
        return msgspec.json.decode(process.stdout.readline(), type=dict[str, Any])

    def ticks_per_s(self) -> float:
        """Wait for the end and return the rate after the warm-up."""
        broker = self._processes[1]
        begun, ended = self._said(broker), self._said(broker)
        return float((ended["seq"] - begun["seq"]) / (ended["at"] - begun["at"]))

    def calls(self) -> dict[int, float]:
        """Wait for the end and return when the worker was asked about each tick [s since 1970]."""
        self.ticks_per_s()
        decoder = msgspec.json.Decoder(list[Event])
        lines = (Path(self.plan.folder) / BLOCKS).read_bytes().splitlines()
        plots = [event for line in lines for event in decoder.decode(line) if isinstance(event, Plot)]
        return {plot.seq: at for plot in plots if (at := plot.values["at"]) is not None}


def needs(times: list[int], latency_ns: int) -> list[int]:
    """Return, for every tick, the last one before it whose orders could be due by then."""
    found, k = [0], 0
    for m, t in enumerate(times, 1):
        while k + 1 < m and times[k] + latency_ns <= t:
            k += 1
        found.append(k)
    return found
