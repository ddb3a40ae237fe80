"""A recorder that takes the place of one that was killed: wherever that was, the files come out the same."""

from __future__ import annotations

import shutil
from itertools import accumulate

import numpy as np
import pytest

from algosim import evaluate
from algosim.core.market import Ticks
from algosim.events import End, Tick, decode_line
from algosim.runs.recorder import Recorder

FILES = ("events.jsonl", "ticks.csv", "trades.csv", "roundtrips.csv", "metrics.json", "digest.txt")
SETTINGS = {"execution.latency_ms": 150.0, "schedule.dt_mean_ms": 100.0, "run.snapshot_every": 7}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was recorded without a break."""
    out = tmp_path_factory.mktemp("whole") / "run"
    return evaluate("random_trader", seed=3, ticks=40, settings=SETTINGS, out=out)


def blocks_of(folder):
    """Return the lines of a run's events, block by block."""
    blocks, block = [], []
    for line in (folder / "events.jsonl").read_bytes().splitlines(keepends=True):
        block.append(line)
        if decode_line(line).end:
            blocks.append(block)
            block = []
    return blocks


def take(recorder, lines):
    """Give a recorder one block, as the broker sends it."""
    block = [decode_line(line) for line in lines]
    if isinstance(block[-1], End):
        recorder.take_end(block)
        return
    (tick,) = (event for event in block if isinstance(event, Tick))
    columns = (np.array([tick.ts_sim]), np.array([tick.price]), np.array([tick.x]))
    recorder.take(Ticks(tick.seq, *columns), [event for event in block if event is not tick])


def test_wherever_the_file_was_cut(whole, tmp_path):
    """Between blocks, between the lines of one, within a line, before the first and after the last."""
    blocks = blocks_of(whole.folder)
    lines = [line for block in blocks for line in block]
    starts = [0, *accumulate(map(len, lines))]
    ends = [0, *accumulate(sum(map(len, block)) for block in blocks)]
    cuts = {*starts[::5], *ends, *(start + 3 for start in starts[:-1:5])}
    for cut in sorted(cuts):
        folder = tmp_path / str(cut)
        shutil.copytree(whole.folder, folder)
        for name in FILES:
            kept = cut if name == "events.jsonl" else cut // 7
            (folder / name).write_bytes((folder / name).read_bytes()[:kept])

        recorder = Recorder.reopen(whole.config, decode_line(lines[0]), folder)
        complete = max(1, sum(end <= cut for end in ends) - 1)
        assert recorder.last == complete - 1
        for block in blocks[complete:]:
            take(recorder, block)
        recorder.finish()
        for name in FILES:
            assert (folder / name).read_bytes() == (whole.folder / name).read_bytes(), (cut, name)
    assert len(cuts) > 50
