"""The run folder: what is written, what can be read back however it was cut, and the list of runs."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from algosim.core.blocks import block_order
from algosim.core.market import Ticks
from algosim.errors import RunError
from algosim.events import End, Fill, Order, RunStart, Snapshot, Tick, decode_line, encode_line
from algosim.runs import folder as run_folder
from algosim.runs.evaluate import evaluate
from algosim.runs.folder import export, read_run
from algosim.runs.held import hold, is_held
from algosim.runs.listing import runs
from algosim.runs.recorder import Recorder
from algosim.runs.saved_events import read_events
from algosim.runs.workspace import find_run
from algosim.settings import load
from tests.recorded import write_strategy

ROOT = str(Path(__file__).parents[1])
FILES = {
    "events.jsonl",
    "ticks.csv",
    "trades.csv",
    "roundtrips.csv",
    "metrics.json",
    "digest.txt",
    "config.yaml",
    "provenance.json",
    "strategies",
}
TEXT = """
    def init(ctx):
        ctx.sma = ctx.indicator.SMA(4)

    def on_tick(ctx, tick):
        ctx.sma.update(tick["price"])
        if tick["seq"] % 10 == 0:
            ctx.target(1.0 if tick["seq"] % 20 else -1.0, tag='a "tag", with; all')
            ctx.plot("ten", tick["seq"])
            print("ten")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("workspace")
    path = write_strategy(place, "turns", TEXT)
    return evaluate({"one": path, "two": path}, seed=3, ticks=205, out=place / "runs" / "made")


@pytest.fixture
def copied(made, tmp_path):
    return shutil.copytree(made.folder, tmp_path / "runs" / "copied")


def lines_of(folder):
    return (folder / "events.jsonl").read_bytes().splitlines(keepends=True)


def test_the_folder_has_what_the_contract_says(made):
    assert {path.name for path in made.folder.iterdir()} == FILES
    codes = {event.code for event in made.recording.members}
    assert {path.name for path in (made.folder / "strategies").iterdir()} == codes
    assert (made.folder / "digest.txt").read_text() == made.digest + "\n"
    known = json.loads((made.folder / "provenance.json").read_text())
    assert (known["run_id"], known["seed"]) == (made.run_id, 3)
    assert {"algosim", "python", "platform", "machine", "packages", "git_commit", "started"} <= set(known)
    assert load(made.folder / "config.yaml") == made.config


def test_the_tables_have_what_the_run_has(made):
    ticks = pd.read_csv(made.folder / "ticks.csv")
    np.testing.assert_array_equal(ticks["price"], made.recording.price)
    np.testing.assert_array_equal(ticks["ts_sim"], made.recording.time)
    np.testing.assert_array_equal(ticks["seq"], np.arange(1, 206))
    with (made.folder / "trades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(made.trades) > 30
    for row, fill in zip(rows, made.recording.fills, strict=True):
        whole, _, part = row["time_s"].partition(".")
        assert int(whole) * 10**9 + int(part) == fill.ts_sim
        assert (row["id"], row["side"], row["tag"]) == (fill.id, fill.side, fill.tag)
        for name in ("qty", "price", "slippage_bps", "commission", "realized", "position", "cash"):
            assert float(row[name]) == getattr(fill, name)
    trips = pd.read_csv(made.folder / "roundtrips.csv")
    assert trips["pnl"].tolist() == [
        *made.roundtrips.query("id == 'one'")["pnl"],
        *made.roundtrips.query("id == 'two'")["pnl"],
    ]
    metrics = json.loads((made.folder / "metrics.json").read_text())
    assert metrics["total"]["pnl"] == made.metrics["total"]["pnl"]
    assert set(metrics) == {"one", "two", "total"}


def test_the_lines_are_in_the_order_of_the_protocol(made):
    events = [decode_line(line) for line in lines_of(made.folder)]
    assert isinstance(events[0], RunStart)
    keys = [(event.seq, block_order(event)) for event in events[1:]]
    assert keys == sorted(keys)
    ends = [event.seq for event in events if event.end]
    assert ends == list(range(207))  # each block once: the start, 205 ticks, the end
    assert isinstance(events[-1], End)
    marks = [event.seq for event in events if isinstance(event, Snapshot) and event.id == "one"]
    due = {1, 100, 200, 206} | {event.seq for event in events if isinstance(event, Fill)}
    assert set(marks) == due


def test_what_was_written_reads_back(made):
    saved = read_run(made.folder)
    assert (saved.config, saved.digest, saved.dropped) == (made.config, made.digest, "")
    for name in ("orders", "fills", "snapshots", "members", "plots", "logs"):
        assert getattr(saved.recording, name) == getattr(made.recording, name)
    np.testing.assert_array_equal(saved.recording.x, made.recording.x)
    lines = {name for plot in saved.recording.plots for name in plot.values}
    assert lines == {"ten", "SMA(4)"}


def test_a_file_cut_at_any_byte_reads_up_to_its_last_whole_block(made, tmp_path):
    lines = lines_of(made.folder)
    few = next(i for i, line in enumerate(lines) if b'"seq":22,' in line)
    ending = [line.replace(b'"seq":206', b'"seq":22') for line in lines if b'"seq":206' in line]
    data = b"".join(lines[:few] + ending)
    path = tmp_path / "events.jsonl"
    start = data.index(b'{"type":"tick","seq":19,')
    for cut in range(start, len(data) + 1):
        kept = data[:cut]
        path.write_bytes(kept)
        whole = (
            kept[: kept.rindex(b'"end":true}\n') + len(b'"end":true}\n')] if b'"end":true}\n' in kept else b""
        )
        saved = read_events(path)
        assert saved.size == len(whole)
        assert len(saved.recording) == whole.count(b'{"type":"tick"')
        assert len(saved.recording.fills) == whole.count(b'{"type":"fill"')
        assert (saved.recording.end is None) == (cut < len(data))
        lost = kept[len(whole) :]
        assert bool(saved.dropped) == bool(lost)
        if lost:
            number = lost.count(b"\n") + (not lost.endswith(b"\n"))
            assert saved.dropped.startswith(f"events.jsonl: {number} line")


def test_rubbish_after_the_last_block_is_dropped_and_before_it_refused(made, tmp_path):
    lines = lines_of(made.folder)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(lines[:-1]) + b"\0" * 50 + b"\n{]\n")
    assert read_events(path).dropped.startswith("events.jsonl: 4 lines were dropped")  # two of the end block
    for rubbish in (
        b"\n",
        b"{}\n",
        b'{"type":"tock","seq":1}\n',
        b'{"type":"tick","seq":"one"}\n',
        b"\xff\n",
    ):
        path.write_bytes(b"".join([*lines[:7], rubbish, *lines[7:]]))
        with pytest.raises(RunError, match=r"events\.jsonl, line 8: not an event"):
            read_events(path)


def test_blocks_that_are_missing_doubled_or_misplaced_are_refused(made, tmp_path):
    path = tmp_path / "events.jsonl"
    start, *others = [encode_line(RunStart(seq=0, run_id="r", end=True)), *(tick(n) for n in range(1, 6))]
    end = encode_line(End(seq=6, ts_sim=9, end=True))
    cases = {
        "block 3 is missing or not whole, before block 4": [start, *others[:2], *others[3:]],
        "block 3 is missing or not whole, before block 2": [start, *others[:2], others[1]],
        "block 1 is missing or not whole, before block 2": [start, others[1]],
        "a first line of type run is missing": [
            encode_line(Order(seq=0, id="", number=1, side="BUY", qty=1.0, due=1, end=True))
        ],
        "block 0 is missing": others,
        "one tick or end in block 1 is missing": [
            start,
            encode_line(msgspec.structs.replace(FILL, end=True)),
        ],
        "one tick or end in block 6 is missing": [start, *others, end.replace(b',"end":true', b""), tick(6)],
        "the run goes on after its end": [start, *others, end, tick(7)],
        "format 2 of algosim": [encode_line(RunStart(seq=0, run_id="r", format=2, end=True))],
    }
    for words, lines in cases.items():
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        with pytest.raises(RunError, match=words):
            read_events(path)
    path.write_bytes(b"".join(line + b"\n" for line in [start, *others, end]))
    assert len(read_events(path).recording) == 5
    assert made.folder != tmp_path


def tick(n):
    return encode_line(Tick(seq=n, ts_sim=n, price=1.0, end=True))


FILL = Fill(
    seq=1,
    id="a",
    number=1,
    side="BUY",
    qty=1.0,
    ts_sim=1,
    at=1,
    price=1.0,
    slippage_bps=0.0,
    commission=0.0,
    realized=0.0,
    position=1.0,
    cash=0.0,
)


@pytest.mark.parametrize("name", ["events.jsonl", "config.yaml"])
def test_a_folder_that_lacks_a_file_is_no_run(copied, name):
    (copied / name).unlink()
    with pytest.raises(RunError, match="is not a run that can be read"):
        read_run(copied)


def test_an_empty_file_of_events_is_no_run(copied):
    (copied / "events.jsonl").write_bytes(b"")
    with pytest.raises(RunError, match="does not begin with a run"):
        read_run(copied)


def test_a_new_run_takes_the_place_of_an_old_one_and_of_nothing_else(copied, tmp_path):
    (copied / "strategies" / "own").mkdir()
    (copied / "strategies" / "own" / "strategy.py").write_text("mine")
    run_folder.claim(copied)
    left = [path.relative_to(copied).as_posix() for path in copied.rglob("*") if path.is_file()]
    assert left == ["strategies/own/strategy.py"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("ten years of work")
    with pytest.raises(RunError, match="is not empty and holds no run"):
        run_folder.claim(other)
    with pytest.raises(RunError, match="cannot write a run to"):
        run_folder.claim(other / "thesis.tex" / "run")
    assert (other / "thesis.tex").read_text() == "ten years of work"
    run_folder.claim(tmp_path / "deep" / "er")
    assert (tmp_path / "deep" / "er").is_dir()


def test_a_run_that_is_being_written_is_left_alone(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    recorder = Recorder(load({}), RunStart(seq=0, run_id="run"), folder)
    assert is_held(folder / "events.jsonl")
    with pytest.raises(RunError, match="is being written by a run that is still going on"):
        run_folder.claim(folder)
    recorder.close()
    assert not is_held(folder / "events.jsonl")
    run_folder.claim(folder)
    assert not is_held(folder / "events.jsonl")


def test_a_lock_goes_with_the_file_that_had_it(tmp_path):
    path = tmp_path / "events.jsonl"
    fd = os.open(path, os.O_CREAT | os.O_RDWR)
    hold(fd)
    hold(fd)
    assert is_held(path)
    os.close(fd)
    assert not is_held(path)


def test_export_copies_and_never_into_itself(made, tmp_path):
    copy = export(made.folder, tmp_path / "copy")
    assert {path.name for path in copy.iterdir()} == FILES
    assert read_run(copy).digest == made.digest
    assert made.export(made.folder) == made.folder
    assert {path.name for path in made.folder.iterdir()} == FILES
    with pytest.raises(RunError, match="is inside the run"):
        made.export(made.folder / "copy")
    with pytest.raises(RunError, match="was not written to a folder; give out="):
        export(None, tmp_path / "copy")


def test_runs_are_found_by_folder_id_and_last(copied, monkeypatch):
    (copied.parents[1] / "strategies").mkdir()
    monkeypatch.chdir(copied.parents[1])
    assert find_run(copied) == find_run("copied") == find_run("runs/copied") == copied
    with pytest.raises(RunError, match="no run 'last' here"):
        find_run("last")
    run_folder.point_last(copied)
    assert find_run("last") == copied
    newer = shutil.copytree(copied, copied.parent / "newer")
    run_folder.point_last(newer)
    run_folder.point_last(newer.parents[1] / "elsewhere")
    assert find_run("last") == newer
    (copied.parent / "last").unlink()
    (copied.parent / "last").write_text("copied")  # where links need a privilege
    assert find_run("last") == copied
    with pytest.raises(RunError, match=r"no run 'copid' here \(did you mean 'copied'\?\)"):
        find_run("copid")


def test_the_list_of_runs(copied, made, monkeypatch):
    place = copied.parents[1]
    (place / "strategies").mkdir()
    monkeypatch.chdir(place)
    crashed = shutil.copytree(copied, place / "runs" / "crashed")
    for name in ("metrics.json", "digest.txt"):
        (crashed / name).unlink()
    data = (crashed / "events.jsonl").read_bytes()
    (crashed / "events.jsonl").write_bytes(data[: data.index(b'{"type":"tick","seq":151,') + 9])
    rename(crashed, "20990101-000000-0001", "2099-01-01T00:00:00.000+00:00")
    running = place / "runs" / "running"
    running.mkdir()
    run_folder.save_setup(running, "20200101-000000-0001", load({}), 2**100, [])
    recorder = Recorder(load({}), RunStart(seq=0, run_id="20200101-000000-0001"), running)
    recorder.take(Ticks(1, np.array([5, 7]), np.array([1.0, 2.0]), np.zeros(2)), [])
    (place / "runs" / "notes").mkdir()
    run_folder.point_last(copied)
    table = runs()
    recorder.close()
    assert table.columns.tolist() == [
        "started",
        "strategies",
        "seed",
        "ticks",
        "trades",
        "pnl",
        "state",
        "folder",
    ]
    assert (table.index.name, table.index.tolist()) == (
        "run_id",
        [made.run_id, "20200101-000000-0001", "20990101-000000-0001"],
    )
    assert table["state"].tolist() == ["finished", "running", "crashed"]
    assert table["ticks"].tolist() == [205, 2, 150]
    assert table["seed"].tolist() == [3, 2**100, 3]
    assert table["strategies"].tolist() == ["one, two", "", "one, two"]
    assert table["trades"].tolist() == [len(made.trades), pd.NA, pd.NA]
    assert table["pnl"].iloc[0] == made.metrics["total"]["pnl"]
    assert table["pnl"].iloc[1:].isna().all()
    assert isinstance(table["started"].dtype, pd.DatetimeTZDtype)
    assert table["folder"].iloc[0] == str(copied)
    assert runs()["state"].tolist() == ["finished", "crashed", "crashed"]


def rename(folder, run_id, started):
    path = folder / "provenance.json"
    path.write_text(re.sub('"started": "[^"]*"', f'"started": "{started}"', path.read_text()))
    lines = lines_of(folder)
    lines[0] = encode_line(msgspec.structs.replace(decode_line(lines[0]), run_id=run_id)) + b"\n"
    (folder / "events.jsonl").write_bytes(b"".join(lines))


def test_the_list_of_no_runs_has_the_same_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = runs()
    assert table.empty
    assert len(table.columns) == 8
    broken = tmp_path / "runs" / "broken"
    broken.mkdir(parents=True)
    (broken / "events.jsonl").write_bytes(b"rubbish\n")
    (broken / "metrics.json").write_bytes(b"[1]")
    row = runs().loc["broken"]
    assert (row["state"], row["ticks"]) == ("crashed", 0)


def test_the_list_does_not_read_runs_whole(made, tmp_path, monkeypatch):
    """A gigabyte of zeros in the middle, which takes no disk, must not be read."""
    folder = shutil.copytree(made.folder, tmp_path / "runs" / "huge")
    lines = lines_of(folder)
    with (folder / "events.jsonl").open("wb") as file:
        file.write(b"".join(lines[:40]))
        file.seek(1 << 30)
        file.write(b"\n" + b"".join(lines[-40:]))
    monkeypatch.chdir(tmp_path)
    assert (runs()["ticks"].tolist(), runs()["state"].tolist()) == ([205], ["finished"])


@pytest.mark.parametrize("first", ["", "algosim.evaluate", "import algosim.runs.folder", "algosim.runs"])
def test_the_list_is_at_hand_whatever_was_imported_before(first, tmp_path):
    code = f"import algosim\n{first}\nassert algosim.runs().empty\nimport algosim.runs.workspace"
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, env=os.environ | {"PYTHONPATH": ROOT}
    )
