"""`sim play`: a recorded run in the terminal, as `sim run` showed it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from algosim.runs.evaluate import evaluate

pytestmark = pytest.mark.live

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and terminals")
FAILING = "def on_tick(ctx, tick):\n    if tick['seq'] == 30:\n        return 1 / 0\n"


def command(*arguments):
    return [sys.executable, "-m", "algosim", "play", *map(str, arguments)]


def program(*arguments):
    return subprocess.run(command(*arguments), capture_output=True, check=False, timeout=60, encoding="utf-8")


@pytest.fixture
def run(home):
    """A recorded run of ten simulated seconds."""
    return evaluate("sma_crossover", seed=4, duration="10s", out=home / "runs" / "first")


def test_it_tells_all_that_happened_and_ends_with_the_digest(run):
    said = program("first", "--speed", "max")
    lines = said.stdout.splitlines()
    assert (said.returncode, said.stderr) == (0, "")
    assert lines[0].startswith(f"run {run.run_id}, seed 4, ")
    assert lines[-1] == f"digest {run.digest}"
    told = [line.split("]")[0] for line in lines if ": BUY" in line or ": SELL" in line]
    assert told == [f"[{fill.ts_sim / 1e9:,.3f} s" for fill in run.recording.fills]
    assert "\x1b" not in said.stdout


@pytest.mark.usefixtures("run")
def test_it_passes_at_its_speed():
    said = program("first", "--speed", 5)
    standing = [line for line in said.stdout.splitlines() if "] playing, " in line]
    assert len(standing) == 1  # after a second of the two that it takes
    assert 4.0 < float(standing[0][1:].split()[0]) < 9.0


def test_it_only_reads(run):
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
    assert program("first", "--speed", "max").returncode == 0
    assert {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")} == before


def test_a_strategy_that_stopped_is_told_of_and_no_failure(home):
    path = home / "strategies" / "failing" / "strategy.py"
    path.parent.mkdir()
    path.write_text(FAILING, "utf-8")
    evaluate("failing", seed=4, ticks=60, out=home / "runs" / "bad")
    said = program("bad", "--speed", "max")
    assert said.returncode == 0
    assert "failing stopped: ZeroDivisionError" in said.stdout


def test_a_crashed_run_plays_to_where_it_broke_off(run):
    path = run.folder / "events.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    said = program("first", "--speed", "max")
    assert said.returncode == 0
    assert "dropped after the last complete block" in said.stdout
    assert "the run has no end" in said.stderr


@pytest.mark.usefixtures("run")
def test_what_is_not_there_is_bad_input():
    said = program("frist")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("error: no run 'frist' here (did you mean 'first'?)")
    assert program("first", "--speed", "quick").returncode == 2


def test_help_has_an_example():
    said = program("--help")
    assert said.returncode == 0
    assert "sim play last" in said.stdout


@posix
@pytest.mark.usefixtures("run")
def test_an_interrupt_leaves():
    process = subprocess.Popen(
        command("first", "--speed", 0.1), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "] playing, " in line or "no tick yet" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "left at tick" in err
    assert "digest" not in out
