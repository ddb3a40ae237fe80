"""Replay: scripted sessions arrive at the same run; a planted difference is named, with its cause."""

from __future__ import annotations

import hashlib
import re
import shutil

import msgspec
import numpy as np
import pandas as pd
import pytest

from algosim.errors import ReplayDiverged, RunError
from algosim.events import decode_line, encode_line
from algosim.runs.compare import digest_of
from algosim.runs.evaluate import evaluate
from algosim.runs.folder import read_run
from algosim.runs.replay import replay
from algosim.settings import load
from tests.recorded import Script, curious, record, times, write_strategy

LAST = 700
MS = 1_000_000


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return tmp_path_factory.mktemp("workspace")


def session_script(workspace):
    """A session with every kind of intervention; orders are in flight at most of them."""
    config = load({"execution": {"latency_ms": 400}, "schedule": {"dt_mean_ms": 100}})
    script = Script(config, 7, LAST)
    script.set(120, "model.sigma", 0.5)
    script.set(240, "schedule.mode", "fixed")
    script.pace(250, "pause")
    script.pace(250, "speed", 4.0)
    script.pace(250, "resume")
    script.set(280, "execution.latency_ms", 0.0)
    script.set(280, "execution.slippage_bps", 30.0)
    script.set(420, "execution.latency_ms", 1000.0)
    script.set(LAST + 1, "execution.commission_bps", 99.0)
    time = times(script)
    first, second, third = (curious(workspace / f"v{n}", "a", every=n) for n in (3, 4, 5))
    other = curious(workspace / "other", "b", every=2)
    script.attach(1, "a", first)
    script.order(2, "BUY", 3.0, due=time[1] + 400 * MS)
    script.reload(151, "a", second, keep_state=True)
    script.attach(200, "b", other)
    script.detach(257, "a")
    script.order(300, "SELL", 1.0, due=time[299])
    script.order(310, "BUY", 2.0, due=time[309] + 5, id="raw", origin="wire")
    script.attach(320, "a", third, size=2.0)
    script.detach(332, "b")
    script.attach(400, "b", other)
    script.remove(450, "a")
    script.attach(500, "c", other)  # this version and the next never act
    script.detach(499, "c")
    script.attach(500, "c", other, every=7)
    script.reload(500, "c", first)
    script.order(LAST + 1, "SELL", 2.0, due=time[LAST])
    script.order(LAST + 1, "BUY", 2.0, due=time[LAST] + 1)
    script.attach(LAST + 1, "d", first)
    return script


@pytest.fixture(scope="module")
def session(workspace):
    folder = workspace / "runs" / "session"
    return record(session_script(workspace).session(), folder), folder


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def told(events):
    """Return what events say; which one closes a block in the file is left out."""
    return [{**msgspec.structs.asdict(event), "end": None} for event in events]


def test_a_session_replays_to_the_same_run_and_its_folder_stays_as_it_was(session):
    recorder, folder = session
    before = contents(folder)
    calls = []
    result = replay(folder, progress=lambda done, total: calls.append((done, total)))
    assert result.digest == recorder.digest == (folder / "digest.txt").read_text().strip()
    saved = read_run(folder).recording
    for name in ("fills", "orders", "members", "controls", "snapshots", "plots", "logs"):
        assert told(getattr(result.recording, name)) == told(getattr(saved, name)), name
    np.testing.assert_array_equal(result.recording.price, saved.price)
    assert (result.recording.end.ts_sim, result.recording.end.unfilled) == (saved.t_end, saved.end.unfilled)
    trades = pd.read_csv(folder / "trades.csv", keep_default_na=False)
    for column in ("seq", "id", "number", "qty", "price", "realized", "position", "cash", "tag"):
        assert trades[column].tolist() == result.trades[column].tolist()
    assert contents(folder) == before
    assert calls[-1] == (LAST, LAST)
    assert (result.run_id, result.note, result.comparable) == ("session", "", True)


def test_a_session_follows_the_protocol(session):
    recording = read_run(session[1]).recording
    orders = {name: [o for o in recording.orders if o.id == name] for name in recording.accounts()}
    stints = {
        "a": [(5, 150, 3), (151, 257, 4), (320, 449, 5)],  # its average is warm at tick 5
        "b": [(200, 332, 2), (400, LAST, 2)],
        "c": [(500, LAST, 3)],
    }
    for name, spans in stints.items():
        ticks = [n for first, last, every in spans for n in range(first, last + 1) if n % every == 0]
        starts = [first for first, _, _ in spans[1:]]
        warm = [n for n in ticks if not any(start <= n < start + 4 for start in starts)]
        warm = [n for n in warm if not (name in "bc" and spans[0][0] <= n < spans[0][0] + 4)]
        assert [order.seq for order in orders[name]] == warm, name
        assert [order.number for order in orders[name]] == list(range(1, len(warm) + 1))
        # history reaches back to where the strategy was last attached; a reload at 151 keeps it
        attached = {"a": (320, 1), "b": (400, 200), "c": (500,)}[name]
        begins = [next(at for at in attached if at <= n) for n in warm]
        seen = [n - begin + 1 for n, begin in zip(warm, begins, strict=True)]
        assert [int(order.tag.split()[1]) for order in orders[name]] == seen
    late = [fill.number for fill in recording.fills if fill.id == "a" and 258 <= fill.seq < 280]
    assert late == [order.number for order in orders["a"] if order.seq == 256]  # in flight at its detach
    assert any(fill.id == "a" and fill.seq >= 450 for fill in recording.fills)
    kept = [re.match("kept (.*?) at", log.text)[1] for log in recording.logs if log.id == "a"]
    assert kept == ["nothing", "151", "nothing"]
    closing = [fill for fill in recording.fills if fill.seq == LAST + 1]
    assert [(fill.id, fill.number, fill.price) for fill in closing] == [
        ("manual", 3, recording.last_price * (1 - 0.003))
    ]


def test_a_session_that_crashed_replays_up_to_its_last_block(session, workspace):
    folder = workspace / "runs" / "crashed"
    shutil.copytree(session[1], folder)
    data = (folder / "events.jsonl").read_bytes()
    at = data.index(b'"seq":613')
    (folder / "events.jsonl").write_bytes(data[: at + 30])
    for name in ("digest.txt", "metrics.json", "roundtrips.csv"):
        (folder / name).unlink()
    result = replay(folder)
    assert len(result.recording) == 612
    assert result.recording.end is None
    assert result.note == "events.jsonl: 1 line was dropped after the last complete block"
    assert result.digest == digest_of(read_run(folder).recording)
    whole = [fill for fill in read_run(session[1]).recording.fills if fill.seq <= 612]
    assert told(result.recording.fills) == told(whole)


def test_a_session_replays_wherever_it_was_cut(workspace):
    script = Script(load({"schedule": {"dt_mean_ms": 100}}), 3, 40)
    script.attach(1, "a", curious(workspace / "cut", "a", every=3))
    folder = workspace / "runs" / "cut"
    record(script.session(), folder, crash=True)
    data = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(b"".join(data.splitlines(keepends=True)[:1]))
    empty = replay(folder)
    assert (len(empty.recording), empty.metrics) == (0, {})
    last = [line for line in data.splitlines(keepends=True) if b'"seq":40,' in line or b'"seq":39,' in line]
    start = len(data) - sum(map(len, last))
    for cut in (start, start + 1, len(data) - len(last[-1]), len(data) - 1, len(data)):
        (folder / "events.jsonl").write_bytes(data[:cut])
        result = replay(folder)
        assert len(result.recording) == (40 if cut == len(data) else 39 if cut > start + len(last[0]) else 38)
        assert bool(result.note) == (
            cut not in (start, len(data)) and not data[:cut].endswith(b'"end":true}\n')
        )


def test_a_strategy_that_failed_replays_with_its_account_going_on(workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    text = """
        def on_tick(ctx, tick):
            if tick["seq"] % 10 == 0:
                ctx.place_market_order("BUY", 1.0)
            if tick["seq"] == 201:
                print("now")
                1 / 0
    """
    path = write_strategy(workspace, "fails", text)
    result = evaluate(path, seed=1, ticks=300, settings={"latency_ms": 5000}, out="runs/fails")
    assert "ZeroDivisionError" in result.errors[0]
    again = replay("fails")  # by its id
    assert (again.digest, again.errors) == (result.digest, result.errors)
    assert again.recording.fills[-1].seq > 201
    assert told(again.recording.logs) == told(result.recording.logs)
    assert repr(again.metrics) == repr(result.metrics)  # NaN is not equal to itself


# What replay says of a folder that was tampered with, or of a strategy that does not repeat itself


TEXT = """
    def on_tick(ctx, tick):
        if tick["seq"] % 20 == 0:
            ctx.place_market_order("BUY" if ctx.rng.random() < 0.5 else "SELL", 1.0, tag="coin")
"""


@pytest.fixture(scope="module")
def evaluated(workspace):
    path = write_strategy(workspace, "coin", TEXT)
    folder = workspace / "runs" / "coin"
    result = evaluate(path, seed=5, ticks=300, settings={"latency_ms": 300, "snapshot_every": 7}, out=folder)
    return folder, result


@pytest.fixture
def copied(evaluated, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(evaluated[0], folder)
    return folder


def rewrite(folder, change):
    """Pass every event through `change`; what it returns takes the event's place, None drops it."""
    path = folder / "events.jsonl"
    events = [change(decode_line(line)) for line in path.read_bytes().splitlines()]
    path.write_bytes(b"".join(encode_line(event) + b"\n" for event in events if event is not None))


def edit(kind, which, **values):
    """Return a change of the event of a kind that `which` picks."""

    def change(event):
        if type(event).__name__ == kind and which(event):
            return msgspec.structs.replace(event, **values)
        return event

    return change


def sign(folder):
    """Let ``digest.txt`` be that of the events as they are now."""
    (folder / "digest.txt").write_text(digest_of(read_run(folder).recording))


def complaint(folder):
    with pytest.raises(ReplayDiverged) as caught:
        replay(folder)
    return str(caught.value)


def test_an_edited_price_digit_is_named(copied, evaluated):
    price = float(evaluated[1].recording.price[122])
    edited = round(price + 0.0001, 4)
    rewrite(copied, edit("Tick", lambda tick: tick.seq == 123, price=edited))
    text = complaint(copied)
    assert f"at tick 123: tick: price {edited} recorded, {price} replayed" in text
    assert "events.jsonl was edited after the run: the replay agrees with digest.txt" in text


EDITS = {
    "time": (edit("Tick", lambda e: e.seq == 9, ts_sim=10**9), "at tick 9: tick: ts_sim 1000000000 recorded"),
    "order": (
        edit("Order", lambda e: e.number == 3, qty=2.0),
        "at tick 60: order of 'coin': number 3, qty 2.0 recorded, 1.0 replayed",
    ),
    "tag": (
        edit("Fill", lambda e: e.number == 4, tag=""),
        "fill of 'coin': number 4, tag  recorded, coin replayed",
    ),
    "cash": (edit("Fill", lambda e: e.number == 2, cash=1.0), "number 2, cash 1.0 recorded, "),
    "realized": (edit("Fill", lambda e: e.number == 2, realized=1.0), "number 2, realized 1.0 recorded, "),
    "books": (
        edit("Snapshot", lambda e: e.seq == 70, equity=1.0, unrealized=2.0),
        "at tick 70: pnl of 'coin': unrealized 2.0 recorded, ",
    ),
    "end": (edit("End", lambda _: True, unfilled=4), "at the end: end: unfilled 4 recorded, 1 replayed"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_event_is_named(copied, name):
    change, words = EDITS[name]
    rewrite(copied, change)
    text = complaint(copied)
    assert words in text
    assert "likely cause: events.jsonl was edited after the run" in text
    unhashed = name in ("tag", "realized", "books")
    assert ("in values that the digest leaves out" in text) == unhashed


def test_a_missing_and_an_extra_event_are_named(copied):
    rewrite(copied, lambda e: None if type(e).__name__ == "Fill" and e.number == 5 else e)
    assert re.search(r"fill of 'coin': number 5, replayed \(side .*\), not recorded", complaint(copied))
    extra = b'{"type":"order","seq":41,"id":"coin","number":3,"side":"BUY","qty":1.0,"due":9}\n'
    data = (copied / "events.jsonl").read_bytes()
    at = data.index(b'{"type":"tick","seq":41,')
    (copied / "events.jsonl").write_bytes(data[:at] + extra + data[at:])
    text = complaint(copied)
    assert "at tick 41: order of 'coin': number 3, recorded (side BUY, qty 1.0, due 9), not replayed" in text


def test_a_record_that_was_cut_is_named(copied):
    data = (copied / "events.jsonl").read_bytes()
    (copied / "events.jsonl").write_bytes(data[:-1])
    assert "events.jsonl was cut after the run, which had an end" in complaint(copied)


def test_an_edited_digest_is_named(copied, evaluated):
    (copied / "digest.txt").write_text("0" * 64)
    text = complaint(copied)
    assert "every event is as recorded, but digest.txt has '000" in text
    assert evaluated[1].digest in text


def saved_strategy(folder):
    return next((folder / "strategies").iterdir()) / "strategy.py"


def test_a_changed_strategy_is_named(copied):
    path = saved_strategy(copied)
    path.write_text(path.read_text().replace("0.5", "0.05"))
    text = complaint(copied)
    assert re.search(r"at tick \d+0: order of 'coin': number \d+, side BUY recorded, SELL replayed", text)
    assert f"likely cause: strategies/{path.parent.name} was changed after the run" in text


def test_a_comment_in_a_strategy_is_no_divergence_but_named(copied):
    path = saved_strategy(copied)
    path.write_text(path.read_text() + "# a remark\n")
    text = complaint(copied)
    assert f"every event is as recorded, but strategies/{path.parent.name} was changed after the run" in text


def test_a_strategy_that_fails_in_the_replay_alone_is_named_with_its_line(copied):
    path = saved_strategy(copied)
    path.write_text(path.read_text() + '    if tick["seq"] == 44:\n        tick["nothing"]\n')
    text = complaint(copied)
    assert "at tick 44: detach of 'coin': replayed (last_ack 43, " in text
    assert """strategy.py, line 5, in on_tick: tick["nothing"]: KeyError: 'nothing'), not recorded""" in text
    assert "was changed after the run" in text


def test_a_strategy_that_does_not_start_in_the_replay_is_named(copied):
    path = saved_strategy(copied)
    path.write_text("import nowhere\n" + path.read_text())
    text = complaint(copied)
    assert "at tick 1: strategy of 'coin': version 1 did not start in the replay" in text
    assert "No module named 'nowhere'" in text
    assert "was changed after the run" in text


def test_a_missing_strategy_cannot_be_replayed(copied):
    path = saved_strategy(copied)
    path.unlink()
    with pytest.raises(RunError, match=f"no strategies/{path.parent.name}/strategy.py"):
        replay(copied)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "ctx.place_market_order('BUY', 1e-19 * time.time_ns())",
            "line 6: time.time_ns reads the wall clock",
        ),
        ("ctx.place_market_order('BUY', secrets.randbits(60) / 2**60 + 1e-9)", "line 6: secrets.randbits"),
    ],
)
def test_a_strategy_that_does_not_repeat_itself_is_named_with_its_line(workspace, tmp_path, line, words):
    text = f"""
        import secrets
        import time

        def on_tick(ctx, tick):
            if tick["seq"] in (30, 60):
                {line}
    """
    evaluate(write_strategy(workspace, "moody", text), seed=5, ticks=100, out=tmp_path / "run")
    text = complaint(tmp_path / "run")
    assert "at tick 30: order of 'moody': number 1, qty " in text
    assert re.search(f"likely cause: strategies/[0-9a-f]{{16}}/strategy.py, {words}", text)


def test_an_edited_configuration_is_suspected(copied):
    path = copied / "config.yaml"
    path.write_text(path.read_text().replace("sigma: 0.2", "sigma: 0.21"))
    text = complaint(copied)
    assert "at tick 1: tick: price " in text
    assert "was config.yaml edited" in text
    path.write_text(path.read_text().replace("seed: 5", "seed: 6"))
    assert "config.yaml was edited after the run: its seed is 6, the run's was 5" in complaint(copied)


def test_another_machine_is_suspected(copied):
    """As exp would differ between processors: the run is whole, its last digits are others."""
    rewrite(copied, edit("Tick", lambda tick: tick.seq == 200, price=1.0))
    sign(copied)
    path = copied / "provenance.json"
    known = msgspec.json.decode(path.read_bytes())
    known["packages"]["numpy"] = "1.0"
    known["machine"] = "pdp11"
    path.write_bytes(msgspec.json.encode(known))
    text = complaint(copied)
    assert "at tick 200: tick: price 1.0 recorded" in text
    assert "numpy 1.0 then, " in text
    assert "machine pdp11 then, " in text
    assert "edited" not in text


def test_unrounded_prices_are_suspected(copied):
    path = copied / "config.yaml"
    path.write_text(path.read_text().replace("tick_size: 0.0001", "tick_size: 0.0"))
    sign(copied)
    assert "likely cause: model.tick_size is 0" in complaint(copied)


def test_a_command_that_cannot_be_is_refused(tmp_path):
    script = Script(load({}), 3, 5)
    script.set(2, "model.sigma", 0.3)
    record(script.session(), tmp_path / "run")
    rewrite(tmp_path / "run", edit("Control", lambda _: True, key="model.sgima"))
    with pytest.raises(RunError, match=r"before tick 2 .*did you mean 'sigma'"):
        replay(tmp_path / "run")


def test_members_that_cannot_be_are_refused(copied):
    rewrite(copied, lambda e: msgspec.structs.replace(e, seq=1) if type(e).__name__ == "Attach" else e)
    data = (copied / "events.jsonl").read_bytes()
    attach = next(line for line in data.splitlines(keepends=True) if b'"attach"' in line)
    tick = data.index(b'{"type":"tick","seq":50,')
    again = attach.replace(b'"seq":1', b'"seq":50')
    (copied / "events.jsonl").write_bytes(data[:tick] + again + data[tick:])
    with pytest.raises(RunError, match="attach of 'coin' before tick 50 does not fit"):
        replay(copied)


def test_replay_finds_no_run_where_there_is_none(tmp_path):
    with pytest.raises(RunError, match="no run"):
        replay(tmp_path)


def test_the_digest_of_a_folder_is_that_of_its_events(evaluated):
    folder, result = evaluated
    assert digest_of(read_run(folder).recording) == result.digest
    assert hashlib.sha256(result.digest.encode()).digest_size == len(bytes.fromhex(result.digest))
