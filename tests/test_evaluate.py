"""Evaluate: the same inputs give the same run, and its rules of time, failure and isolation hold."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from algosim.errors import ConfigError, RunError, StrategyError
from algosim.events import Detach
from algosim.runs.evaluate import evaluate
from algosim.runs.listing import runs
from algosim.runs.replay import replay
from tests.recorded import curious, write_strategy

MS = 1_000_000
BUYER = """
    PARAMS = {"at": [], "qty": 1.0}

    def on_tick(ctx, tick):
        if tick["seq"] in ctx.get_param("at"):
            ctx.place_market_order("BUY", ctx.get_param("qty"))
"""
FIXED = {"schedule.mode": "fixed", "dt_fixed_ms": 200}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("workspace")


def buyer(place, at, **options):
    spec = {"path": str(write_strategy(place, "buyer", BUYER)), "params": {"at": at}}
    settings = FIXED | options.pop("settings", {})
    return evaluate({"buyer": spec}, seed=1, settings=settings, **options)


# The same inputs, the same run


def test_the_same_seed_gives_the_same_digest_in_another_process(place):
    path = curious(place, "same", every=3)
    here = evaluate(path, seed=11, ticks=5000)
    code = "import sys; from algosim.runs.evaluate import evaluate; "
    code += "print(evaluate(sys.argv[1], seed=11, ticks=5000).digest)"
    environment = os.environ | {"PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "2"}
    there = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, env=environment
    )
    assert there.stdout.strip() == here.digest
    assert len(here.trades) > 1000
    assert evaluate(path, seed=12, ticks=5000).digest != here.digest


def test_a_fresh_seed_is_recorded_and_gives_the_same_run_again(place):
    path = curious(place, "fresh", every=3)
    first = evaluate(path, ticks=50)
    again = evaluate(path, ticks=50, seed=first.config.run.seed)
    assert again.digest == first.digest
    assert evaluate(path, ticks=50).digest != first.digest
    assert evaluate(path, config=first.config).digest == first.digest


def test_strategies_together_trade_as_each_of_them_alone(place, tmp_path):
    """They share module names, ``random`` and numpy's global state, and change the ticks they get."""
    texts = {
        name: f"""
            import random
            import numpy as np
            import helper

            def on_tick(ctx, tick):
                helper.calls += 1
                draw = random.random() + np.random.random() + ctx.rng.random()
                if helper.calls % {every} == 0 and tick["price"] > 0:
                    ctx.place_market_order("BUY" if draw < 1.5 else "SELL", draw, tag=helper.NAME)
                tick["price"] = -1.0
        """
        for name, every in (("ann", 2), ("bob", 3), ("cyd", 5))
    }
    paths = {
        name: write_strategy(place, name, text, helper=f"NAME = {name!r}\ncalls = 0\n")
        for name, text in texts.items()
    }
    together = evaluate(paths, seed=4, ticks=5000, out=tmp_path / "run")
    total = together.metrics["total"]
    for name, path in paths.items():
        alone = evaluate({name: path}, seed=4, ticks=5000)
        mine = together.trades[together.trades["id"] == name]
        assert set(mine["tag"]) == {name}
        pd.testing.assert_frame_equal(mine, alone.trades, check_categorical=False)
        pd.testing.assert_series_equal(together.equity[name], alone.equity[name])
        pd.testing.assert_frame_equal(together.ticks, alone.ticks)
        assert repr(together.metrics[name]) == repr(alone.metrics[name])
    assert total["pnl"] == pytest.approx(sum(together.metrics[name]["pnl"] for name in paths), rel=1e-9)
    assert replay(tmp_path / "run").digest == together.digest


def test_a_run_in_this_process_is_the_same_and_leaves_no_trace(place):
    text = """
        import random
        import sys
        import helper

        def on_tick(ctx, tick):
            if random.random() < 0.1:
                ctx.target(helper.size() * random.choice([-1, 1]))
                print("traded")
    """
    path = write_strategy(place, "traceless", text, helper="def size():\n    return 2.0\n")
    apart = evaluate(path, seed=2, ticks=400)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  (a strategy in this process shares it)
    before = (random.getstate(), list(sys.path), list(sys.path_hooks), sys.stdout, sys.dont_write_bytecode)
    dice = np.random.get_state()[1].tolist()  # noqa: NPY002
    within = evaluate(path, seed=2, ticks=400, isolate=False)
    assert (within.digest, within.comparable, apart.comparable) == (apart.digest, False, True)
    assert [log.text for log in within.recording.logs] == [log.text for log in apart.recording.logs]
    after = (random.getstate(), list(sys.path), list(sys.path_hooks), sys.stdout, sys.dont_write_bytecode)
    assert after == before
    assert np.random.get_state()[1].tolist() == dice  # noqa: NPY002
    assert not {"helper", "strategy"} & set(sys.modules)
    write_strategy(place, "traceless", text, helper="def size():\n    return 3.0\n")
    assert evaluate(path, seed=2, ticks=400, isolate=False).trades["qty"].max() == 6.0


def test_a_market_without_strategies():
    result = evaluate([], seed=1, ticks=100)
    assert (len(result.ticks), len(result.trades), result.metrics) == (100, 0, {})
    assert result.equity.empty
    np.testing.assert_array_equal(
        result.ticks["price"], evaluate("momentum", seed=1, ticks=100).ticks["price"]
    )


@pytest.mark.parametrize("what", [5, "", object(), [5], {"a": None}, b"momentum"])
def test_what_is_no_strategy_is_refused_in_words(what):
    with pytest.raises(ConfigError, match="must be a name, a path or"):
        evaluate(what, seed=1, ticks=1)


# How long, and what still fills


def test_a_length_must_be_given(place):
    path = write_strategy(place, "buyer", BUYER)
    for options in ({}, {"ticks": 0}, {"duration": 0}):
        with pytest.raises(ConfigError, match="say how long to run: a duration"):
            evaluate(path, **options)
    with pytest.raises(ConfigError, match="at least 0"):
        evaluate(path, ticks=-1)
    with pytest.raises(ConfigError, match="at least 0"):
        evaluate(path, duration="-1s")


def test_a_tick_at_exactly_the_end_belongs_to_the_run(place):
    """Ticks every 200 ms. What is due by the end fills at the price of the last tick; the rest is told."""
    for duration, ticks, fills, unfilled in (
        ("1s", 5, [1], 1),  # due at 850 ms, 1050 ms
        ("1049ms", 5, [1], 1),
        ("1050ms", 5, [1, 2], 0),
        ("999ms", 4, [1], 0),
        ("849ms", 4, [], 1),
        ("199ms", 0, [], 0),
    ):
        result = buyer(place, [4, 5], duration=duration, settings={"latency_ms": 50})
        end = result.recording.end
        assert len(result.ticks) == ticks, duration
        assert result.trades["number"].tolist() == fills, duration
        assert (end.ts_sim, end.unfilled) == (
            int(duration.rstrip("ms")) * (MS if "ms" in duration else 1000 * MS),
            unfilled,
        )
        if fills:
            last = result.trades.iloc[-1]
            assert (
                last["price"] == result.ticks["price"].iloc[-1 if 2 in fills or ticks == 4 else -2] * 1.0001
            )
        marks = [row.ts_sim for row in result.recording.snapshots]
        assert marks[-1] == end.ts_sim


def test_a_run_of_so_many_ticks_ends_with_the_last(place):
    for latency, fills in ((0, [1, 2]), (1, [1])):
        result = buyer(place, [9, 10], ticks=10, settings={"latency_ms": latency})
        assert result.recording.end.ts_sim == 2000 * MS
        assert result.trades["number"].tolist() == fills
        assert result.recording.end.unfilled == 2 - len(fills)


def test_the_nearer_of_two_limits_counts(place):
    assert len(buyer(place, [], duration="1s", ticks=3).ticks) == 3
    assert len(buyer(place, [], duration="1s", ticks=30).ticks) == 5
    assert buyer(place, [], duration="1s", ticks=30).recording.end.ts_sim == 1000 * MS
    assert buyer(place, [], duration="1s", ticks=3).recording.end.ts_sim == 600 * MS


@pytest.mark.parametrize("latency", [0, 37.5, 200, 1000])
def test_orders_fill_at_the_last_price_by_their_due_time(place, latency):
    """Fills worked out from the ticks alone: no earlier than the next tick, at the last price until due."""
    at = [3, 4, 5, 40, 41, 90]
    spec = {"path": str(write_strategy(place, "buyer", BUYER)), "params": {"at": at, "qty": 2.0}}
    settings = {"latency_ms": latency, "slippage_bps": 20, "commission_bps": 3, "commission_fixed": 0.25}
    result = evaluate({"buyer": spec}, seed=8, ticks=150, settings=settings)
    time, price = result.recording.time, result.recording.price
    assert len(result.trades) == len(at)
    cash = 10_000.0
    for n, (stamp, fill) in zip(at, result.trades.iterrows(), strict=True):
        due = int(time[n - 1]) + round(latency * MS)
        paid = price[time <= due][-1] * 1.002
        cleared = max(n + 1, int(np.searchsorted(time, due)) + 1)
        fee = 0.25 + 3e-4 * 2.0 * paid
        cash -= 2.0 * paid + fee
        assert (stamp.value, fill["seq"]) == (due, cleared)
        assert fill["price"] == pytest.approx(paid, rel=1e-12)
        assert fill["commission"] == pytest.approx(fee, rel=1e-12)
        assert fill["cash"] == pytest.approx(cash, rel=1e-12)


def test_equity_is_cash_plus_position_at_every_tick(place):
    result = evaluate(curious(place, "books", every=3), seed=6, ticks=2000, settings={"snapshot_every": 1})
    price = np.append(result.recording.price, result.recording.price[-1])
    cash = np.full(len(price), 10_000.0)
    held = np.zeros(len(price))
    for fill in result.recording.fills:
        cash[fill.seq - 1 :], held[fill.seq - 1 :] = fill.cash, fill.position
    np.testing.assert_array_equal(result.equity["books"], np.where(held == 0, cash, cash + held * price))
    np.testing.assert_array_equal(result.positions["books"], held)
    for i, mark in enumerate(result.recording.snapshots):
        assert mark.equity == result.equity["books"].iloc[i]
        assert 10_000.0 + mark.realized + mark.unrealized == pytest.approx(mark.equity, rel=1e-12)
    assert len(result.recording.snapshots) == len(price) == len(result.equity)


# Strategies that fail


def test_a_strategy_that_fails_stops_and_its_account_goes_on(place):
    text = """
        def on_tick(ctx, tick):
            ctx.log(f"tick {tick['seq']}")
            if tick["seq"] in (10, 15):
                ctx.place_market_order("BUY", 1.0)
            if tick["seq"] == 15:
                level = {}
                level["missing"] += 1
    """
    paths = {"bad": write_strategy(place, "bad", text), "good": curious(place, "good", every=2)}
    settings = FIXED | {"latency_ms": 2500, "snapshot_every": 10}
    result = evaluate(paths, seed=1, ticks=60, settings=settings)
    [error] = result.errors
    assert error.splitlines() == [
        f"bad: {paths['bad']}, line 7, in on_tick",
        '    level["missing"] += 1',
        "KeyError: 'missing'",
    ]
    [detach] = [event for event in result.recording.members if hasattr(event, "last_ack")]
    assert (detach.seq, detach.last_ack, detach.id, detach.version) == (15, 14, "bad", 1)
    assert [order.seq for order in result.recording.orders if order.id == "bad"] == [10]
    [fill] = [fill for fill in result.recording.fills if fill.id == "bad"]
    assert fill.seq == 23  # placed at tick 10, due 2.5 s later
    assert [f"bad: {log.text}" for log in result.recording.logs][-2:] == ["bad: tick 15", error]
    marks = [row.seq for row in result.recording.snapshots if row.id == "bad"]
    assert {20, 23, 30, 40, 50, 60, 61} <= set(marks)
    alone = evaluate({"good": paths["good"]}, seed=1, ticks=60, settings=settings)
    assert len(alone.trades) == len(result.trades) - 1


@pytest.mark.parametrize(("what", "words"), [("sys.exit(3)", "SystemExit: 3"), ("leave()", "RecursionError")])
def test_a_strategy_cannot_end_the_run(place, what, words):
    text = f"""
        import sys

        def on_tick(ctx, tick):
            if tick["seq"] == 5:
                leave()

        def leave():
            {what}
    """
    result = evaluate(write_strategy(place, "leaves", text), seed=1, ticks=20)
    assert words in result.errors[0]
    assert "in leave" in result.errors[0]
    assert len(result.ticks) == 20


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("import nothing_of_this_name\n", 1, "import: ModuleNotFoundError"),
        ("def on_tick(ctx, tick):\n    pass\n\nx = [\n", 4, "'\\[' was never closed"),
        (
            "def on_tick(ctx, tick):\n    pass\n\ndef init(ctx):\n    x = 1\n    ctx.indicator.SMAA(3)\n",
            6,
            "did you mean 'SMA'",
        ),
        (
            "def on_tick(ctx, tick):\n    pass\n\ndef init(ctx):\n    ctx.place_market_order('BUY', 1)\n",
            5,
            "orders can be placed in on_tick only",
        ),
        (
            "def on_tik(ctx, tick):\n    pass\n",
            None,
            r"no function on_tick\(ctx, tick\) \(did you mean 'on_tik'\?\)",
        ),
        ("PARAMS = [3]\ndef on_tick(ctx, tick):\n    pass\n", None, "PARAMS must be a dict"),
    ],
)
def test_a_strategy_that_does_not_start_is_an_error_with_its_line(place, text, line, words, tmp_path):
    path = write_strategy(place, "wrong", text)
    with pytest.raises(StrategyError, match=words) as caught:
        evaluate({"me": path}, seed=1, ticks=20, out=tmp_path / "run")
    assert str(caught.value).startswith("me: ")
    assert caught.value.line == line
    assert caught.value.file == str(path)
    if line is not None:
        assert f"line {line}" in str(caught.value)
        assert caught.value.source == text.splitlines()[line - 1].strip()
    assert not (tmp_path / "run").exists()


def test_a_parameter_that_is_not_there_is_an_error(place):
    with pytest.raises(StrategyError, match=r"has no parameter 'qtty' \(did you mean 'qty'\?\)"):
        evaluate({"me": {"path": write_strategy(place, "buyer", BUYER), "params": {"qtty": 1}}}, ticks=5)


@pytest.mark.parametrize(
    ("last_act", "words"),
    [
        ("os._exit(7)", "the strategy's process ended with status 7"),
        ("os._exit(0)", "the strategy's process ended with status 0"),
        ("os.kill(os.getpid(), 9)", "the strategy's process was killed (SIGKILL)"),
        ("ctypes.string_at(0)", "the strategy's process was killed (SIGSEGV)"),
    ],
)
@pytest.mark.parametrize("at", [1, 9, 5000])
def test_a_strategy_whose_process_dies_is_detached_at_that_tick(place, tmp_path, last_act, words, at):
    code = "import ctypes, os\n\ndef on_tick(ctx, tick):\n    ctx.target(tick['seq'] % 2)\n"
    path = write_strategy(place, "dies", code + f"    if tick['seq'] == {at}:\n        {last_act}\n")
    whole = evaluate(write_strategy(place, "lives", code), seed=1, ticks=6000)
    result = evaluate({"lives": path}, seed=1, ticks=6000, out=tmp_path / "run")
    (detach,) = [event for event in result.recording.members if isinstance(event, Detach)]
    assert (detach.seq, detach.last_ack) == (at, at - 1)
    assert len(result.recording) == 6000
    assert result.recording.orders == [order for order in whole.recording.orders if order.seq < at]
    (error,) = result.errors
    assert words in error
    assert replay(tmp_path / "run").digest == result.digest


def test_a_process_that_dies_in_on_stop_takes_nothing_from_the_run(place, tmp_path):
    code = "import os\n\ndef on_tick(ctx, tick):\n    ctx.target(tick['seq'] % 2)\n\ndef on_stop(ctx):\n    "
    settings = {"latency_ms": 0}
    polite, rude = (
        evaluate(
            {"leaver": write_strategy(place, name, code + last)},
            seed=1,
            duration="20s",
            settings=settings,
            out=tmp_path / name,
        )
        for name, last in (("polite", "pass\n"), ("rude", "os._exit(3)\n"))
    )
    assert rude.recording.fills == polite.recording.fills
    assert polite.errors == []
    (error,) = rude.errors
    assert error.startswith("leaver: the strategy's process ended with status 3: os._exit at ")
    assert replay(tmp_path / "rude").digest == rude.digest


@pytest.mark.parametrize("hook", ["", "def init(ctx):\n    "])
def test_a_process_that_dies_before_the_market_is_an_error(place, hook):
    code = f"import os\n{hook}os._exit(7)\n\ndef on_tick(ctx, tick):\n    pass\n"
    with pytest.raises(StrategyError, match="the strategy's process ended with status 7"):
        evaluate(write_strategy(place, "stillborn", code), seed=1, ticks=20)


# What a strategy may use


def test_a_strategy_has_modules_and_files_beside_it(place, monkeypatch, tmp_path):
    text = """
        from pathlib import Path

        from parts import sizes
        from parts.deep.inner import fail

        QTY = float(Path(__file__).with_name("qty.txt").read_text())

        def on_tick(ctx, tick):
            if tick["seq"] == 3:
                ctx.place_market_order("BUY", QTY * sizes.FACTOR)
            if tick["seq"] == 5:
                fail(tick)
    """
    path = write_strategy(place, "furnished", text)
    parts = path.parent / "parts" / "deep"
    parts.mkdir(parents=True, exist_ok=True)
    (path.parent / "qty.txt").write_text("2.5")
    (parts.parent / "sizes.py").write_text("FACTOR = 2\n")
    (parts / "inner.py").write_text("def fail(tick):\n    return tick['colour']\n")
    monkeypatch.chdir(place)
    result = evaluate("furnished", seed=1, ticks=10, settings=FIXED, out=tmp_path / "run")
    assert result.trades["qty"].tolist() == [5.0]
    assert (
        "strategies/furnished/parts/deep/inner.py, line 2, in fail\n    return tick['colour']"
        in result.errors[0]
    )
    saved = next((tmp_path / "run" / "strategies").iterdir())
    assert (saved / "parts" / "deep" / "inner.py").is_file()
    assert replay(tmp_path / "run").digest == result.digest


def test_an_error_in_a_module_beside_it_names_that_module(place, monkeypatch):
    write_strategy(place, "halves", "import half\n", half="def f(:\n")
    monkeypatch.chdir(place)
    with pytest.raises(StrategyError, match=r"strategies/halves/half\.py, line 1: invalid syntax") as caught:
        evaluate("halves", seed=1, ticks=5)
    assert (caught.value.file, caught.value.line) == ("strategies/halves/half.py", 1)


def test_what_a_strategy_prints_is_logged(place):
    text = """
        print("importing")

        def init(ctx):
            print("init", 1, sep="-")

        def on_tick(ctx, tick):
            if tick["seq"] == 2:
                print("half ", end="")
            if tick["seq"] == 3:
                print("whole\\nnext")
                ctx.log("logged")
                ctx.place_market_order("HOLD", 1)

        def on_stop(ctx):
            print("bye", flush=True)
    """
    result = evaluate(write_strategy(place, "prints", text), seed=1, ticks=4)
    said = [(log.seq, log.level, log.text) for log in result.recording.logs]
    assert said[:5] == [
        (1, "print", "importing"),
        (1, "print", "init-1"),
        (3, "print", "half whole"),
        (3, "print", "next"),
        (3, "log", "logged"),
    ]
    assert said[5][:2] == (3, "reject")
    assert "side must be" in said[5][2]
    assert said[6:] == [(5, "print", "bye")]


def test_the_future_of_this_module_is_not_that_of_a_strategy(place):
    """Annotations are what the learner wrote, though algosim postpones its own; a BOM is no character."""
    text = (
        "\ufeffdef typed(x: int): ...\n\ndef on_tick(ctx, tick):\n    ctx.log(typed.__annotations__['x'])\n"
    )
    result = evaluate(write_strategy(place, "typed", text), seed=1, ticks=1)
    assert [log.text for log in result.recording.logs] == ["<class 'int'>"]


def test_a_strategy_without_a_name_is_called_as_its_folder(place):
    result = evaluate(
        {"x": write_strategy(place, "nameless", "def on_tick(ctx, tick):\n    pass\n")}, seed=1, ticks=1
    )
    assert result.recording.members[0].name == "nameless"


# Folders and interruptions


def told(path, **options):
    calls = []
    evaluate(path, seed=1, settings=FIXED, progress=lambda *call: calls.append(call), **options)
    return calls


def test_progress_is_told_up_to_the_end(place):
    path = write_strategy(place, "buyer", BUYER)
    for options, whole in (({"ticks": 10_000}, 10_000), ({"duration": "1800s"}, 1800 * 1000 * MS)):
        calls = told(path, **options)
        done = [call[0] for call in calls]
        assert done == sorted(done)
        assert (done[-1], {call[1] for call in calls}) == (whole, {whole})
        assert len(calls) >= 3


def test_an_interrupted_run_leaves_no_process_and_a_folder_that_replays(place, monkeypatch):
    monkeypatch.chdir(place)

    def interrupt(done, _):
        if done > 5000:
            raise KeyboardInterrupt

    path = curious(place, "interrupted", every=3)
    before = psutil.Process().children()
    with pytest.raises(KeyboardInterrupt):
        evaluate(path, seed=1, ticks=50_000, out="runs/broken", progress=interrupt)
    assert psutil.Process().children() == before
    assert runs().loc[lambda table: table["folder"].str.endswith("broken"), "state"].tolist() == ["crashed"]
    result = replay("broken")
    assert 5000 < len(result.recording) < 50_000
    whole = evaluate(path, seed=1, ticks=len(result.recording))
    assert result.trades.equals(whole.trades)


def test_a_run_writes_to_its_folder_only(place, tmp_path, monkeypatch):
    (tmp_path / "strategies").mkdir()
    (tmp_path / "mine.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    path = write_strategy(place, "buyer", BUYER)
    result = evaluate(path, seed=1, ticks=50, out="runs/a")
    assert result.folder == tmp_path / "runs" / "a"
    assert (tmp_path / "runs" / "last").resolve() == result.folder
    assert evaluate(path, seed=1, ticks=50).folder is None
    again = evaluate(path, seed=2, ticks=50, out=Path("runs/a"))
    assert replay("last").digest == again.digest != result.digest
    with pytest.raises(RunError, match="is not empty and holds no run"):
        evaluate(path, seed=1, ticks=50, out=tmp_path)
    assert {entry.name for entry in tmp_path.iterdir()} == {"strategies", "mine.txt", "runs"}


# Strategies that do not return


@pytest.mark.parametrize(
    ("code", "hook", "line"),
    [
        (
            "def init(ctx):\n    while True:\n        pass\n\ndef on_tick(ctx, tick):\n    pass\n",
            "init",
            (2, 3),
        ),
        ("while True:\n    pass\n\ndef on_tick(ctx, tick):\n    pass\n", "import", (1, 2)),
    ],
)
def test_a_hook_over_its_budget_is_ended_with_its_line(place, code, hook, line):
    path = write_strategy(place, "endless", code)
    with pytest.raises(StrategyError, match=f"{hook} used more than 0.3 s") as caught:
        evaluate(path, seed=1, ticks=100, settings={"init_s": 0.3, "on_tick_s": 0.3})
    assert caught.value.line is None if hook == "import" else caught.value.line in line


def test_code_that_lets_no_thread_run_is_ended_for_its_silence(place):
    stuck = "import re\n\ndef on_tick(ctx, tick):\n    "
    stuck += "if tick['seq'] == 50:\n        re.match('(a+)+b', 'a' * 60)\n"
    path = write_strategy(place, "stuck", stuck)
    result = evaluate(path, seed=1, ticks=100, settings={"wall_s": 0.5})
    (detach,) = [event for event in result.recording.members if isinstance(event, Detach)]
    assert (detach.seq, len(result.recording)) == (50, 100)
    assert "let nothing else run" in result.errors[0]
    assert "line 5" in result.errors[0]


def test_a_slow_strategy_keeps_within_its_budget_tick_by_tick(place):
    slow = """import time

def on_tick(ctx, tick):
    end = time.process_time() + 0.02
    while time.process_time() < end:
        pass
"""
    path = write_strategy(place, "slow", slow)
    result = evaluate(path, seed=1, ticks=40, settings={"on_tick_s": 0.3})
    assert len(result.ticks) == 40


def test_a_strategy_over_its_budget_is_detached_at_that_tick_and_the_account_goes_on(place):
    late = """def on_tick(ctx, tick):
    if tick["seq"] == 3:
        ctx.target(1)
    while tick["seq"] == 5000:
        pass
"""
    path = write_strategy(place, "late", late)
    result = evaluate(path, seed=1, ticks=6000, settings={"on_tick_s": 0.3}, out=place / "late_run")
    detach = next(event for event in result.recording.members if isinstance(event, Detach))
    assert (detach.seq, detach.last_ack) == (5000, 4999)
    assert "late.py, line " in detach.error or "strategy.py, line " in detach.error
    assert (len(result.ticks), len(result.trades)) == (6000, 1)
    assert replay(place / "late_run").digest == result.digest


def test_an_on_stop_over_its_budget_takes_nothing_from_the_last_tick(place):
    """At latency 0 the order of the last tick is due within the run; it fills whatever ``on_stop`` does."""
    code = "def on_tick(ctx, tick):\n    ctx.target(tick['seq'] % 2)\n\ndef on_stop(ctx):\n    "
    settings = {"on_stop_s": 0.3, "latency_ms": 0}
    polite, endless = (
        evaluate(write_strategy(place, "leaver", code + last), seed=1, ticks=9, settings=settings)
        for last in ("pass\n", "while True: pass\n")
    )
    assert len(endless.recording.orders) == len(endless.recording.fills) == 9
    assert endless.recording.fills == polite.recording.fills
    assert polite.errors == []
    (error,) = endless.errors
    assert error.startswith("leaver: on_stop used more than 0.3 s (")


def test_an_error_whose_text_raises_is_still_the_strategys(place):
    code = """class Odd(Exception):
    def __str__(self):
        return self.text

def on_tick(ctx, tick):
    raise Odd
"""
    (error,) = evaluate(write_strategy(place, "odd", code), seed=1, ticks=3).errors
    assert "line 6, in on_tick" in error
    assert error.endswith("Odd: (its __str__ raises)")


def test_what_strategies_say_is_a_table(place):
    code = """def on_tick(ctx, tick):
    if tick["seq"] == 2:
        print("hello")
        ctx.target(1e9)
"""
    logs = evaluate(write_strategy(place, "talker", code), seed=1, ticks=5).logs
    assert logs["level"].tolist() == ["print", "reject"]
    assert logs["seq"].tolist() == [2, 2]
    assert logs["text"].iloc[0] == "hello"
    assert "max_position" in logs["text"].iloc[1]


@pytest.mark.parametrize(
    ("length", "kept"), [({"ticks": 300}, True), ({"duration": "5h", "ticks": 200_000}, False)]
)
def test_what_indicators_showed_is_kept_of_short_runs(length, kept):
    plots = evaluate(
        "sma_crossover", seed=1, settings={"schedule.dt_mean_ms": 80.0}, **length
    ).recording.plots
    assert bool(plots) is kept
    if kept:
        assert [plot.seq for plot in plots] == list(range(1, 301))
        assert plots[-1].values.keys() == {"SMA(20)", "SMA(50)"}


# What a strategy's process does not have

TRUSTED = {"limits.sandbox": "trusted"}
"""For a strategy that may start processes."""

SPY = """
    import gc

    def on_tick(ctx, tick):
        if tick["seq"] == 50:
            known = [part for whole in gc.get_objects() for part in gc.get_referents(whole)]
            print(any(type(each).__name__ == "Market" for each in known))
            print("123456789"[::-1] in [str(each) for each in known if isinstance(each, int | str)])
"""


def test_a_strategy_finds_neither_the_seed_nor_the_market_that_draws(place):
    """Who has them has the prices to come."""
    result = evaluate(write_strategy(place, "spy", SPY), seed=987654321, ticks=100)
    assert [log.text for log in result.recording.logs] == ["False", "False"]
    here = evaluate(write_strategy(place, "spy", SPY), seed=987654321, ticks=100, isolate=False)
    assert [log.text for log in here.recording.logs] == ["True", "True"]  # the spy sees what there is


def test_what_a_strategy_starts_reads_none_of_its_market(place):
    path = write_strategy(
        place,
        "reader",
        """
        import subprocess

        def on_tick(ctx, tick):
            if tick["seq"] == 10:
                print(subprocess.run(["cat"], capture_output=True, check=True).stdout)
                try:
                    input()
                except EOFError:
                    print("nothing to read")
            ctx.target(tick["seq"] % 2)
        """,
    )
    result = evaluate(path, seed=1, ticks=20_000, settings=TRUSTED)
    assert [log.text for log in result.recording.logs] == ["b''", "nothing to read"]
    assert len(result.recording) == 20_000
    assert not result.errors


def test_what_a_strategy_leaves_behind_does_not_keep_the_run_from_its_end(place):
    path = write_strategy(
        place,
        "forker",
        """
        import os
        import time

        def init(ctx):
            left = os.fork()
            if left == 0:
                time.sleep(60)
                os._exit(0)
            print(left)

        def on_tick(ctx, tick):
            if tick["seq"] == 10:
                raise RuntimeError("stop")
        """,
    )
    result = evaluate(path, seed=1, ticks=200_000, settings=TRUSTED)
    assert result.errors
    assert len(result.recording) == 200_000
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(result.recording.logs[0].text)).wait(3.0)


def test_the_end_of_the_market_is_told_as_such(place):
    with pytest.raises(ConfigError, match="146 simulated years"):
        evaluate(
            write_strategy(place, "idle", "def on_tick(ctx, tick): pass"),
            seed=1,
            ticks=10_000,
            settings={"schedule.mode": "fixed", "schedule.dt_fixed_ms": 1e9},
        )
