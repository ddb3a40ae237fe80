"""The handle of a live market: what it promises, what it refuses, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from itertools import pairwise

import pandas as pd
import psutil
import pytest

from algosim import connect, evaluate, replay
from algosim.errors import ConfigError, EngineError, RunError, StrategyError
from tests.live_markets import FREE, fails, kill, save, until, worker_of
from tests.recorded import curious, write_strategy

pytestmark = pytest.mark.live

SMA = {"s": {"path": "sma_crossover", "params": {"fast": 3, "slow": 8}}}
IDLE = "def on_tick(ctx, tick):\n    pass\n"


def done(sim):
    """Return the last tick that is done, as the status and as the data have it."""
    status, ticks = sim.status, sim.ticks
    assert status["done"] == status["tick"] == len(ticks)
    assert list(ticks["seq"]) == list(range(1, len(ticks) + 1))
    return len(ticks)


class TestCourse:
    """Start, pause, step, run until, wait, stop."""

    def test_building_one_starts_nothing(self, home, market):
        sim = market(SMA)
        assert (sim.state, sim.run_id, sim.folder, sim.digest) == ("new", "", None, None)
        assert sim.ticks.empty
        assert sim.trades.empty
        assert not (home / "runs").exists()
        for command in (sim.pause, sim.resume, sim.step, sim.wait, sim.stop, lambda: sim.order("BUY", 1)):
            fails(EngineError, command, "has not started")
        fails(RunError, lambda: sim.export("copy"), "out=")

    def test_commands_that_a_person_repeats(self, market):
        with market(SMA, speed=20.0) as sim:
            sim.start().wait(ticks=3).start()
            sim.pause().pause()
            assert sim.state == "paused"
            here = done(sim)
            assert sim.step(7).ticks.index.is_monotonic_increasing
            assert done(sim) == here + 7
            assert done(sim.step()) == here + 8
            assert done(sim.run_until(ticks=here + 8)) == here + 8
            sim.resume().resume()
            assert sim.state == "running"
            sim.wait(ticks=here + 12).wait(ticks=2)
            fails(EngineError, sim.step, "pause")
            result = sim.stop()
        assert sim.stop() is result
        assert len(result.ticks) >= here + 12
        assert sim.state == "finished"
        for command in (sim.start, sim.pause, sim.resume, sim.step, lambda: sim.run_until(ticks=5)):
            fails(EngineError, command, "reset()")

    def test_run_until_on_a_fresh_market_stops_exactly(self, market):
        sim = market(SMA, speed="max").run_until(ticks=1)
        assert done(sim) == 1
        sim.run_until(ticks=150)
        assert done(sim) == 150
        assert sim.state == "paused"
        sim.run_until(time=timedelta(seconds=30))
        here, until_then = done(sim), sim.ticks.index[-1]
        following = sim.step().ticks.index[-1]
        assert until_then <= pd.Timedelta("30s") < following
        for passed in ({"ticks": here}, {"time": 29}):
            fails(EngineError, lambda passed=passed: sim.run_until(**passed), f"tick {here + 1}")
        assert done(sim) == here + 1
        fails(ConfigError, sim.run_until, "ticks=")
        fails(ConfigError, lambda: sim.run_until(ticks=9, time=1.0), "one point")
        for bad in (0, -1, 1.5, True, "9"):
            fails(ConfigError, lambda bad=bad: sim.run_until(ticks=bad), "whole number")
            fails(ConfigError, lambda bad=bad: sim.step(bad), "whole number")
        fails(ConfigError, lambda: sim.run_until(time="soon"), "not a time")
        fails(ConfigError, lambda: sim.run_until(time=0), "above 0")

    def test_waiting_for_what_cannot_come(self, market):
        sim = market(SMA, ticks=60).run_until(ticks=20)
        fails(EngineError, sim.wait, "paused at tick 20")
        fails(EngineError, lambda: sim.wait(ticks=21), "paused at tick 20")
        sim.wait(ticks=20)
        sim.resume()
        fails(EngineError, lambda: sim.wait(ticks=61), "ended at tick 60")
        sim.wait().wait(ticks=60)
        fails(EngineError, lambda: sim.wait(time="1h"), "ended at tick 60")

    @pytest.mark.parametrize(
        "limit", [{"ticks": 40}, {"duration": "6.05s"}, {"ticks": 40, "duration": pd.Timedelta("6.05s")}]
    )
    def test_a_run_ends_by_itself_as_evaluate_does(self, market, limit):
        with market(SMA, **limit) as sim:
            sim.wait()
            assert sim.state == "finished"
            evaluated = evaluate(SMA, seed=1, **limit)
            assert sim.recording.end == evaluated.recording.end
            assert sim.digest == evaluated.digest
            pd.testing.assert_frame_equal(sim.equity, evaluated.equity)
        fails(EngineError, sim.start, "reset()")

    def test_run_until_the_end_of_the_run_is_its_end(self, market):
        sim = market(SMA, duration="5s").run_until(time="5s")
        assert sim.state == "finished"
        assert sim.recording.t_end == 5_000_000_000

    def test_a_market_without_strategies(self, market):
        sim = market({}, ticks=50).run_until(ticks=30)
        sim.order("BUY", 2.0).resume().wait()
        assert list(sim.trades["id"]) == ["manual"]
        assert list(sim.equity) == ["manual", "total"]
        assert sim.stop().digest == replay(sim.folder).digest

    def test_reset_is_a_fresh_run_with_the_settings_as_they_are(self, home, market):
        path = curious(home, "mine", every=2)
        sim = market({"a": str(path)}, speed="max").run_until(ticks=30)
        first_id, first, processes = sim.run_id, sim.ticks, sim.status["processes"]
        sim.set(sigma=0.0).set(id="a", size=5.0).add("random_trader", id="r").add("momentum").remove(
            "momentum"
        )
        fails(ConfigError, lambda: sim.set({"seed": 9, "kappa": 3.0}), "run.seed", "reset()")
        assert sim.config.model.kappa == 0.8
        sim.step(3).reset()
        assert sim.state == "paused" or until(lambda: sim.state == "paused", "the start barrier")
        assert sim.run_id != first_id
        assert not set(processes.values()) & set(sim.status["processes"].values())
        assert (sim.config.run.seed, sim.config.model.sigma, sim.config.model.kappa) == (9, 0.0, 0.8)
        assert {name: spec.params for name, spec in sim.config.strategies.items()} == {
            "a": {"size": 5.0},
            "r": {},
        }
        sim.run_until(ticks=30)
        assert (sim.ticks["price"] == 100.0).all()
        assert not sim.ticks.index.equals(first.index)
        again = evaluate(
            {"a": {"path": str(path), "params": {"size": 5.0}}, "r": "random_trader"},
            seed=9,
            ticks=30,
            settings={"sigma": 0.0},
        )
        assert sim.stop().digest == again.digest
        assert replay(first_id).digest == replay(home / "runs" / first_id).digest

    def test_the_later_of_two_changes_holds_at_the_reset(self, market):
        sim = market(SMA).run_until(ticks=3)
        whole = {"strategies.s.params": {"fast": 2, "slow": 30}}
        fails(ConfigError, lambda: sim.set(whole), "reset()")
        sim.set(id="s", fast=5).set({"strategies.s.params.slow": 9})
        sim.add("momentum", id="m")
        fails(ConfigError, lambda: sim.set({"strategies.m.params": {"window": 3}}), "reset()")
        fails(ConfigError, lambda: sim.set(seed=8), "reset()")
        fails(ConfigError, lambda: sim.set(seed=9), "reset()")
        fails(ConfigError, lambda: sim.set({"model.step": "euler", "model.type": "gbm"}), "euler")
        sim.remove("m").reset()
        assert {name: spec.params for name, spec in sim.config.strategies.items()} == {
            "s": {"fast": 5, "slow": 9}
        }
        assert sim.config.run.seed == 9

    def test_a_run_with_much_to_say_ends(self, home, market):
        """More than a pipe holds: its supervisor's last words are its settings."""
        path = write_strategy(home, "mine", "PARAMS = {'words': ''}\n\n" + IDLE)
        words = "x" * 200_000
        sim = market({"m": {"path": str(path), "params": {"words": words}}}).run_until(ticks=3)
        sim.stop()
        assert (sim.state, sim.status["reason"]) == ("finished", "")
        assert sim.config.strategies["m"].params == {"words": words}

    def test_settings_after_the_end_are_the_next_runs(self, market):
        sim = market(SMA, ticks=40).run_until(ticks=40)
        sim.stop()
        figures, config = sim.metrics, sim.config
        sim.set(initial_cash=5.0, seed=2).set(id="s", fast=4).set({"strategies.s.params.slow": 11}, sigma=0.3)
        fails(ConfigError, lambda: sim.set(sigma=-1.0), "model.sigma")
        fails(ConfigError, lambda: sim.set(id="t", fast=4), "no strategy 't' is in the market; there are: s")
        assert (sim.config, sim.metrics) == (config, figures)
        fails(EngineError, sim.reload, "the run has ended; reset()")
        fails(ConfigError, lambda: sim.set(id="nobody", fast=3), "no strategy 'nobody'", "there are: ")
        fails(ConfigError, lambda: sim.add(5), "a strategy is a name or a path, got 5")
        fails(EngineError, lambda: sim.remove("s"), "reset()")
        config = sim.reset().config
        assert (config.portfolio.initial_cash, config.run.seed, config.model.sigma) == (5.0, 2, 0.3)
        assert config.strategies["s"].params == {"fast": 4, "slow": 11}

    def test_a_run_without_a_tick_leaves_no_folder(self, home, market):
        def kept():
            names = {path.name for path in (home / "runs").iterdir()} - {"last"}
            last = (home / "runs" / "last").resolve().name if names else None
            return names, last

        sim = market(SMA).reset()
        first = sim.reset().run_id
        assert {path.name for path in (home / "runs").iterdir()} == {first, "last"}
        result = sim.stop()
        assert (sim.folder, result.folder, len(result.ticks)) == (None, None, 0)
        assert sim.stop() is result
        assert list((home / "runs").iterdir()) == []
        fails(RunError, lambda: sim.export("copy"), "out=")

        traded = sim.reset().run_until(ticks=3).run_id
        empty = sim.reset().run_id
        assert kept() == ({traded, empty}, empty)
        sim.stop()
        assert kept() == ({traded}, traded)
        named = market(SMA, out="mine").reset()
        assert named.stop().folder == home / "mine"
        assert replay("mine").digest == named.digest

    def test_with_stops_the_market_when_the_body_raises(self, market):
        sim = market(SMA)
        with pytest.raises(ZeroDivisionError), sim:
            sim.wait(ticks=1 // (sim.run_id == ""))
        assert sim.state == "finished"
        assert sim.stop().digest == replay(sim.folder).digest


class TestChanges:
    """Settings, strategies and orders of a running market."""

    def test_settings_by_dotted_key_or_last_part(self, market):
        with market(SMA, speed=50.0) as sim:
            sim.wait(ticks=5).set(sigma=0.4, latency_ms=200).set({"model.kappa": 2, "commission_bps": 3.0})
            sim.set({"schedule.speed": 80.0}, theta=0.1)
            config = sim.config
            assert (config.model.sigma, config.model.kappa, config.model.theta) == (0.4, 2.0, 0.1)
            assert (config.execution.latency_ms, config.execution.commission_bps) == (200.0, 3.0)
            assert config.schedule.speed == sim.status["speed"] == 80.0
            sim.wait(ticks=done(sim.pause().step(2)))
            changes = [(event.key, event.value) for event in sim.recording.controls if event.action == "set"]
            assert changes == [
                ("model.sigma", 0.4),
                ("execution.latency_ms", 200.0),
                ("model.kappa", 2.0),
                ("execution.commission_bps", 3.0),
                ("model.theta", 0.1),
            ]

    def test_settings_that_cannot_be_used(self, market):
        sim = market(SMA).run_until(ticks=3)
        before = sim.config
        fails(ConfigError, lambda: sim.set(sigam=0.4), "sigma")
        fails(ConfigError, lambda: sim.set({"model.sigma": -1.0}), "model.sigma", "at least 0")
        fails(ConfigError, lambda: sim.set(sigma=float("nan")), "finite")
        fails(ConfigError, lambda: sim.set(ticks_pub=5), "ambiguous")
        fails(ConfigError, lambda: sim.set(sigma=0.5, seed=3), "run.seed", "reset()")
        assert sim.config == before
        assert not [event for event in sim.step(2).recording.controls if event.action == "set"]

    def test_settings_before_the_start_are_the_starts(self, market):
        sim = market(SMA).set(sigma=0.0, seed=77).set({"strategies.s.params.fast": 4}).set(id="s", fast=2)
        fails(ConfigError, lambda: sim.set(id="other", fast=2), "other")
        assert sim.config.run.seed == 77
        sim.run_until(ticks=5)
        assert (sim.ticks["price"] == 100.0).all()
        assert sim.status["strategies"]["s"]["params"] == {"fast": 2, "slow": 8}
        sim.stop()
        assert replay(sim.folder).config.run.seed == 77

    def test_parameters_of_a_strategy(self, market):
        sim = market(SMA).run_until(ticks=5)
        error = fails(StrategyError, lambda: sim.set(id="s", fats=4), "fats", "did you mean 'fast'")
        assert "fast" in str(error)
        fails(EngineError, lambda: sim.set(id="t", fast=4), "no strategy 't'", "s")
        assert (
            sim.step(5).status["strategies"]["s"] | {"version": 1, "error": None}
            == sim.status["strategies"]["s"]
        )
        sim.set(id="s", fast=4).set(id="s", slow=12)  # before the same tick
        sim.step(3)
        assert sim.status["strategies"]["s"]["params"] == {"fast": 4, "slow": 12}
        versions = [(event.version, event.params) for event in sim.recording.members]
        assert versions == [(1, SMA["s"]["params"]), (2, {"fast": 4, "slow": 12})]

    def test_parameters_are_refused_before_they_return(self, market):
        """Rule 8: if the new version fails, the old one trades on."""
        sim = market(SMA, speed=50.0).start().wait(ticks=5)
        for change in ({"id": "s", "fast": "x"}, {"settings": {"strategies.s.params.fast": "x"}}):
            error = fails(StrategyError, lambda change=change: sim.set(**change), "init: ", "SMA")
            assert "ctx.fast = ctx.indicator.SMA" in error.source
        fails(StrategyError, lambda: sim.set({"strategies.s.params.fast": "x", "sigma": 0.9}), "SMA")
        strategy = sim.wait(ticks=sim.status["done"] + 5).status["strategies"]["s"]
        assert (strategy["state"], strategy["version"], strategy["params"]) == (
            "trading",
            1,
            SMA["s"]["params"],
        )
        sim.set({"strategies.s.params.fast": 4, "sigma": 0.3}).wait(ticks=sim.status["done"] + 3)
        assert sim.status["strategies"]["s"]["version"] == 2
        here = done(sim.pause())
        fails(StrategyError, lambda: sim.set(id="s", slow="x"), "SMA")
        sim.set(id="s", slow=20)
        assert sim.status["strategies"]["s"]["version"] == 2
        assert sim.step().status["strategies"]["s"]["version"] == 3
        versions = [(event.version, event.params) for event in sim.recording.members]
        assert versions == [
            (1, {"fast": 3, "slow": 8}),
            (2, {"fast": 4, "slow": 8}),
            (3, {"fast": 4, "slow": 20}),
        ]
        assert sim.recording.members[-1].seq == here + 1
        sets = [event for event in sim.recording.controls if event.action == "set"]
        assert [(event.key, event.value) for event in sets] == [("model.sigma", 0.3)]
        assert sim.stop().digest == replay(sim.folder).digest

    def test_a_new_version_is_asked_for_while_the_one_before_is_on_its_way(self, home, market):
        """Whoever asked for the first one is told what became of the second."""
        path = write_strategy(
            home,
            "mine",
            "PARAMS = {'size': 1}\n\ndef init(ctx):\n    1 / ctx.get_param('size', 1)\n\n" + IDLE,
        )
        sim = market({"m": str(path)}).run_until(ticks=5)
        answers = []

        def ask(size):
            try:
                answers.append(sim.set(id="m", size=size))
            except StrategyError as error:
                answers.append(str(error))

        asking = [threading.Thread(target=ask, args=(size,)) for size in (2, 3, 4)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join(30.0)
        assert answers == [sim] * 3
        sim.step(2)
        assert [event.version for event in sim.recording.members] == [1, 2]
        fails(StrategyError, lambda: sim.set(id="m", size=0), "init: ZeroDivisionError")

    def test_a_failed_add_leaves_nothing(self, home, market):
        bad = write_strategy(home, "bad", "def init(ctx):\n    1 / 0\n\n" + IDLE)
        sim = market(SMA).run_until(ticks=5)
        for _ in range(2):  # paused: both are stamped before the same tick
            fails(StrategyError, lambda: sim.add(bad), "bad: init: ZeroDivisionError")
            assert list(sim.config.strategies) == ["s"]
            assert set(sim.status["processes"]) == {"simulator", "broker", "recorder", "s"}
        fails(EngineError, lambda: sim.reload("bad"), "no strategy 'bad'", "there are: s")
        save(bad, IDLE)
        sim.step(3)
        assert sim.status["strategies"]["bad"]["state"] == "removed"  # saving the file does not bring it back
        sim.add(bad).step(3)
        assert sim.status["strategies"]["bad"]["state"] == "trading"
        assert sim.stop().digest == replay(sim.folder).digest

    def test_a_failed_add_does_not_keep_a_market_from_starting(self, home, market):
        broken = str(write_strategy(home, "broken", "1 / 0\n"))
        sim = market({"b": broken})
        fails(StrategyError, sim.start, "ZeroDivisionError")
        fails(StrategyError, lambda: sim.add(broken, id="c"), "c: import: ZeroDivisionError")
        assert not any("c (" in words for words in sim.status["waiting_for"])
        assert done(sim.remove("b").run_until(ticks=3)) == 3

    def test_strategies_come_and_go(self, home, market):
        path = write_strategy(home, "idle", IDLE)
        sim = market(SMA).run_until(ticks=5)
        fails(ConfigError, lambda: sim.add("momentun"), "did you mean 'momentum'")
        fails(ConfigError, lambda: sim.add("momentum", id="no id"), "'no id'")
        fails(EngineError, lambda: sim.add("momentum", id="s"), "'s' is in the market")
        fails(StrategyError, lambda: sim.add("momentum", params={"windw": 3}), "did you mean 'window'")
        fails(EngineError, lambda: sim.remove("r"), "no strategy 'r'")
        assert list(sim.status["strategies"]) == list(sim.config.strategies) == ["s"]
        fails(EngineError, lambda: sim.set(id="momentum", window=3), "no strategy 'momentum'")
        sim.add("momentum", params={"window": 3}).order("BUY", 1.0, id="me")
        assert sim.status["strategies"]["momentum"]["params"] == {"window": 3}
        sim.remove("momentum").remove("momentum").reload()  # of the one that is there
        fails(EngineError, lambda: sim.add("random_trader", id="me"), "account without a strategy")
        fails(EngineError, lambda: sim.add("random_trader", id="broker"), "part of the engine")
        sim.add(path, id="i").add("random_trader").step(4)
        assert list(sim.config.strategies) == ["s", "i", "random_trader"]
        fails(ConfigError, sim.reload, "which strategy")
        fails(EngineError, lambda: sim.reload("x"), "no strategy 'x'")
        sim.remove("i").step(4)
        assert sim.status["strategies"]["i"]["state"] == "removed"
        fails(EngineError, lambda: sim.add("momentum", id="i"), "another strategy's")
        for _ in range(3):
            sim.remove("i").remove("i").add(path, id="i")
            assert sim.status["strategies"]["i"]["state"] == "trading"
        sim.step(4)
        assert sim.stop().digest == replay(sim.folder).digest

    def test_orders_by_hand(self, market):
        sim = market(SMA, settings={"latency_ms": 0, "slippage_bps": 0, "commission_bps": 0})
        sim.reset().order("buy", 1.0, id="early").run_until(ticks=3)
        early = sim.trades.set_index("id").loc["early"]
        assert (early["seq"], early["price"]) == (2, sim.ticks["price"].iloc[0])
        here = done(sim)
        sim.order("Buy", 2, tag="one").order(" sell", 0.5, id="other").step()
        trades = sim.trades.set_index("id")[["seq", "side", "qty", "price", "tag"]]
        last = sim.ticks["price"].iloc[here - 1]
        assert trades.loc["manual"].tolist() == [here + 1, "BUY", 2.0, last, "one"]
        assert trades.loc["other"].tolist() == [here + 1, "SELL", 0.5, last, ""]
        for side, qty, word in (
            ("HOLD", 1, "side"),
            ("BUY", 0, "qty"),
            ("BUY", float("inf"), "qty"),
            ("BUY", float("nan"), "nan"),
            ("BUY", "x", "qty"),
        ):
            fails(ConfigError, lambda side=side, qty=qty: sim.order(side, qty), word)
        fails(EngineError, lambda: sim.order("BUY", 1, id="s"), "'s'", "another id")
        fails(ConfigError, lambda: sim.order("BUY", 1, id="@control"), "'@control'")
        assert sim.step().trades["id"].isin(["manual", "other"]).sum() == 2

    def test_orders_by_hand_beyond_the_limit_are_errors_at_once(self, market):
        sim = market(SMA, settings={"max_position": 100.0}).reset()
        fails(EngineError, lambda: sim.order("BUY", 1e300), "1e+300, beyond portfolio.max_position 100")
        sim.order("BUY", 60.0)  # before there is a price
        fails(EngineError, lambda: sim.order("BUY", 41.0), "would be 101")
        sim.order("BUY", 40.0).run_until(ticks=3)
        fails(EngineError, lambda: sim.order("BUY", 1e-3), "would be 100.001")
        sim.order("SELL", 200.0).order("SELL", 100.0, id="other")
        fails(EngineError, lambda: sim.order("SELL", 1.0), "would be -101")
        sim.step(200)
        assert [order.qty for order in sim.recording.orders if order.id == "manual"] == [60.0, 40.0, 200.0]
        assert sim.trades.set_index("id").loc["manual", "position"].iloc[-1] == -100.0
        assert (sim.status["rejected"], sim.logs.empty) == (0, True)
        assert sim.stop().digest == replay(sim.folder).digest

    def test_what_is_told_to_a_market_that_comes_up(self, market):
        """A command counts from the moment it returns, whoever listens by then."""
        settings = {"latency_ms": 0}
        for change in ({"sigma": 0.4}, {"speed": 50.0}, {"latency_ms": 100.0}):
            sim = market(SMA, settings=settings).reset().set(change).order("BUY", 1.0).set(kappa=2.0)
            sim.run_until(ticks=4)
            told = [(event.seq, event.key.rpartition(".")[2]) for event in sim.recording.controls]
            assert told[:2] == [(1, *change), (1, "kappa")]
            assert replay(sim.stop().folder).digest == sim.digest

    def test_an_order_right_after_the_start(self, market):
        sim = market(SMA, speed=20.0, settings={"latency_ms": 0}).start().order("BUY", 1.0).wait(ticks=5)
        assert sim.trades["id"].iloc[0] == "manual"
        assert sim.stop().digest == replay(sim.folder).digest

    def test_refused_orders_of_strategies_count_too(self, home, market):
        body = "    ctx.place_market_order('BUY', 600.0)\n"
        path = write_strategy(home, "greedy", "def on_tick(ctx, tick):\n" + body)
        sim = market(str(path), settings={"max_position": 1000.0}).run_until(ticks=6)
        assert sim.status["rejected"] == (sim.logs["level"] == "reject").sum() == 5
        sim.stop()
        assert sim.status["rejected"] == 5


class TestFailing:
    """Strategies that do not load, and strategies that stop."""

    @pytest.mark.parametrize(
        ("text", "message", "line", "source"),
        [
            ("def on_tick(ctx, tick)\n    pass\n", "expected ':'", 1, "def on_tick(ctx, tick)"),
            ("import numpyy\n" + IDLE, "import: ModuleNotFoundError", 1, "import numpyy"),
            (IDLE + "\ndef init(ctx):\n    ctx.a = {}['a']\n", "init: KeyError: 'a'", 5, "ctx.a = {}['a']"),
        ],
    )
    def test_a_market_waits_for_the_mended_file(self, home, market, text, message, line, source):
        path = write_strategy(home, "mine", text)
        sim = market({"m": str(path), **SMA}, ticks=40, speed="max")
        for _ in range(2):
            error = fails(StrategyError, sim.start, "m: ", message)
            assert (error.file, error.line, error.source) == ("strategies/mine/strategy.py", line, source)
            assert sim.state == "waiting"
            assert len(sim.ticks) == 0
        assert any("m (failed" in words for words in sim.status["waiting_for"])
        fails(EngineError, sim.step, "not started")
        fails(StrategyError, lambda: sim.run_until(ticks=5), message)
        save(path, curious(home, "other", every=2).read_text())
        sim.start().wait()
        live = sim.stop()
        assert live.digest == evaluate({"m": str(path), **SMA}, seed=1, ticks=40).digest
        assert replay(sim.folder).digest == live.digest

    def test_the_saved_file_is_enough(self, home, market):
        path = write_strategy(home, "mine", "1 / 0\n")
        sim = market(str(path))
        fails(StrategyError, sim.start, "ZeroDivisionError")
        save(path, IDLE)
        until(lambda: sim.state == "paused", "the market is ready")
        assert done(sim.run_until(ticks=3)) == 3

    def test_with_leaves_nothing_of_a_market_that_does_not_start(self, home, market):
        sim = market(str(write_strategy(home, "mine", "1 / 0\n")))
        with pytest.raises(StrategyError, match="ZeroDivisionError"), sim:
            pytest.fail("it has started")
        assert (sim.state, sim.folder) == ("finished", None)
        assert not list((home / "runs").iterdir())

    def test_a_strategy_that_stops_leaves_the_market_running(self, home, market):
        path = write_strategy(
            home, "mine", "def on_tick(ctx, tick):\n    if tick['seq'] == 7:\n        1 / 0\n"
        )
        sim = market({"m": str(path), **SMA}).run_until(ticks=30)
        strategy = sim.status["strategies"]["m"]
        assert (strategy["state"], strategy["acked"]) == ("failed", 6)
        assert (strategy["error"]["file"], strategy["error"]["line"]) == ("strategies/mine/strategy.py", 3)
        assert sim.stop().errors[0].startswith("m: strategies/mine/strategy.py, line 3")
        assert sim.digest == evaluate({"m": str(path), **SMA}, seed=1, ticks=30).digest

    @pytest.mark.parametrize("latency", [0, 50, 1000])
    def test_the_books_are_noted_at_the_tick_where_it_stops(self, home, market, latency):
        """Rule 17, live and headless: the snapshot stands in the block that has the detach."""
        body = "    if tick['seq'] in (1, 37):\n        ctx.target(2 - 2 // tick['seq'])\n"
        body += "    if tick['seq'] == 37:\n        1 / 0\n"
        path = str(write_strategy(home, "fails", "def on_tick(ctx, tick):\n" + body))
        settings = {"latency_ms": latency}
        sim = market({"a": path, "b": path}, ticks=120, settings=settings).start().wait()
        sim.stop()
        headless = evaluate({"a": path, "b": path}, seed=1, ticks=120, settings=settings)
        assert sim.recording.snapshots == headless.recording.snapshots
        marked = {mark.seq for mark in sim.recording.snapshots if mark.id == "a"}
        assert {1, 37, 100, 121} <= marked
        assert replay(sim.folder).digest == sim.digest

    def test_the_books_are_noted_at_the_tick_before_which_it_leaves(self, market):
        sim = market({"m": "momentum"}, settings={"latency_ms": 1000}).run_until(ticks=40).remove("m").step(3)
        assert 41 in {mark.seq for mark in sim.recording.snapshots}
        sim.stop()

    def test_a_strategy_that_fails_as_it_leaves_has_left(self, home, market):
        gate = home / "gate"
        waits = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
        body = f"if tick['seq'] == 5:\n        {waits}\n        1 / 0\n"
        path = write_strategy(home, "mine", f"import os, time\ndef on_tick(ctx, tick):\n    {body}")
        sim = market({"m": str(path), **SMA}, speed=20.0).start()
        until(lambda: sim.status["done"] == 4 and sim.status["strategies"]["m"]["in_hook"], "tick 5")
        removing = threading.Thread(target=sim.remove, args=("m",))
        removing.start()
        until(lambda: sim.status["strategies"]["m"]["state"] == "leaving", "it is to leave")
        gate.touch()
        removing.join(20.0)
        assert sim.status["strategies"]["m"]["state"] == "removed"
        assert "ZeroDivisionError" in sim.status["strategies"]["m"]["error"]["message"]
        assert "m" not in sim.status["processes"]
        save(path, IDLE)
        sim.wait(ticks=10).add(path, id="m").wait(ticks=sim.status["done"] + 10)
        assert sim.status["strategies"]["m"]["state"] == "trading"
        assert sim.stop().digest == replay(sim.folder).digest

    def test_a_name_or_parameter_that_no_message_holds(self, home, market):
        long = "x" * 2_000_000
        sim = market(str(write_strategy(home, "mine", f"NAME = {long!r}\n" + IDLE)))
        assert sim.run_until(ticks=2).stop().recording.members[0].name == long[:100]
        sim = market(SMA).run_until(ticks=3)
        fails(ConfigError, lambda: sim.set(id="s", fast=long), "KB, at most 256 KB")
        assert done(sim.step()) == 4

    def test_hot_reload_can_be_off(self, home, market):
        path = write_strategy(home, "mine", IDLE)
        sim = market(str(path), settings={"ui.hot_reload": False}, speed=20.0).start().wait(ticks=2)
        pid = worker_of(sim, "mine")
        save(path, IDLE + "# other\n")
        sim.wait(ticks=sim.status["done"] + 10)
        sim.reload().wait(ticks=sim.status["done"] + 3)
        until(lambda: worker_of(sim, "mine") != pid, "the new version trades")
        assert sim.status["strategies"]["mine"]["version"] == 2
        sim.reload()
        assert sim.status["strategies"]["mine"]["version"] == 2

    def test_a_module_beside_the_strategy_is_watched_too(self, home, market):
        path = write_strategy(home, "mine", "import beside\n" + IDLE, beside="X = 1\n")
        with market(str(path), speed=20.0) as sim:
            sim.wait(ticks=2)
            save(path.with_name("beside.py"), "X = 2\n")
            until(lambda: sim.status["strategies"]["mine"]["version"] == 2, "the other module is loaded")


class TestReading:
    """What a handle shows of a run that goes on."""

    def test_data_have_no_gap(self, market):
        sim = market(SMA | {"r": "random_trader"}, speed="max").run_until(ticks=120)
        whole = evaluate(SMA | {"r": "random_trader"}, seed=1, ticks=120)
        pd.testing.assert_frame_equal(sim.ticks, whole.ticks)
        pd.testing.assert_frame_equal(sim.trades, whole.trades)
        pd.testing.assert_frame_equal(sim.roundtrips, whole.roundtrips)
        pd.testing.assert_frame_equal(sim.equity, whole.equity.iloc[:-1])  # that one has the end
        pd.testing.assert_frame_equal(sim.positions, whole.positions.iloc[:-1])
        assert sim.metrics["s"]["fills"] == (sim.trades["id"] == "s").sum() > 5
        assert sim.metrics == whole.metrics
        sim.resume()
        for ahead in range(200, 1000, 200):
            sim.wait(ticks=ahead)
            seqs = sim.ticks["seq"]
            assert len(seqs) >= ahead
            assert list(seqs) == list(range(1, len(seqs) + 1))
        trades = sim.stop().trades
        for _, own in trades.groupby("id"):
            assert all(later == sooner + 1 for sooner, later in pairwise(own["number"]))

    def test_status_names_what_a_person_wants_to_know(self, market):
        with market(SMA, speed=40.0) as sim:
            sim.wait(ticks=20)
            status = sim.status
            assert (status["state"], status["speed"], status["gaps"], status["foreign"]) == (
                "running",
                40.0,
                0,
                0,
            )
            assert set(status["processes"]) == {"simulator", "broker", "recorder", "s"}
            assert all(psutil.pid_exists(pid) for pid in status["processes"].values())
            assert set(status["endpoints"]) == {"ticks_pub", "orders_push", "fills_pub", "control"}
            assert status["hwm"]["ticks_pub"] == 20_000
            assert set(status["queues"]) == {"not done", "not written"}
            assert status["strategies"]["s"]["state"] == "trading"
            assert {"position", "cash", "acked", "version", "slow", "warmup"} <= set(
                status["strategies"]["s"]
            )
            until(lambda: sim.status["ticks_per_s"] > 50, "the rate is near 40 / 0.15 s")
        after = sim.status
        assert set(after) == set(status) == set(market(SMA).status)
        assert set(after["strategies"]["s"]) == set(status["strategies"]["s"])
        assert after["strategies"]["s"]["acked"] == after["done"] == len(sim.ticks)
        assert (after["processes"], after["endpoints"]) == ({}, {})
        assert after["hwm"] == status["hwm"]

    def test_another_port_is_told(self, market, caplog):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            wanted = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
            sim = market(SMA, settings={"transport.endpoints.fills_pub": wanted})
            assert sim.status["note"] == ""
            with sim:
                real = sim.status["endpoints"]["fills_pub"]
                assert real != wanted
                said = f"ports taken; this run is at: fills_pub {real}"
                assert sim.status["note"] == said
                assert [(line.name, line.message) for line in caplog.records] == [("algosim", said)]
                sim.start()
            assert sim.status["note"] == said
        assert len(caplog.records) == 1

    def test_export_is_the_run_so_far(self, home, market):
        sim = market(SMA).run_until(ticks=80)
        copy = sim.export("copy")
        assert copy == home / "copy"
        assert replay(copy).digest == sim.digest
        (home / "else").mkdir()
        (home / "else" / "notes.txt").write_text("mine")
        fails(RunError, lambda: sim.export("else"), "not empty")
        sim.step(5).export("copy")
        result = sim.stop()
        assert replay(result.export("copy")).digest == result.digest

    def test_repr_is_one_line(self, market):
        assert repr(market(SMA)) == "<Simulation of s>"
        assert repr(market({})) == "<Simulation of a market alone>"


OTHER = """
import algosim
sim = algosim.connect()
print(sim.run_id, sim.pause().state, len(sim.ticks), sim.digest)
sim.set(sigma=0.7).order("BUY", 2.0, id="far")
sim.step(3)
print(len(sim.trades[sim.trades.id == "far"]), sim.config.model.sigma)
"""


class TestSeveralHandles:
    """One market, several who hold it."""

    def test_another_process_commands_and_sees_the_same(self, market):
        with market(SMA, speed=50.0, settings={"latency_ms": 0}) as sim:
            sim.wait(ticks=10)
            said = subprocess.run(
                [sys.executable, "-c", OTHER], capture_output=True, encoding="utf-8", check=True, timeout=60
            ).stdout.split()
            run_id, state, ticks, digest, trades, sigma = said
            assert (run_id, state, trades, sigma) == (sim.run_id, "paused", "1", "0.7")
            assert done(sim) == int(ticks) + 3
            assert sim.config.model.sigma == 0.7
            assert sim.state == "paused"
            assert re.fullmatch("[0-9a-f]{64}", digest)

    def test_a_found_market_in_this_process(self, market):
        fails(EngineError, connect, "no market is running")
        sim = market(SMA).run_until(ticks=10)
        fails(EngineError, lambda: connect("nonesuch"), sim.run_id)
        other = connect(sim.run_id)
        assert repr(other) == "<Simulation of s>"
        assert (other.folder, done(other)) == (sim.folder, 10)
        other.run_until(ticks=20).set(id="s", fast=4).reload()
        assert done(sim) == 20
        result = other.stop()
        assert result.digest == sim.stop().digest
        assert (sim.state, other.state) == ("finished", "finished")
        fails(EngineError, connect, "no market is running")
        fails(EngineError, other.step, "reset()")
        other.reset().run_until(ticks=4)
        assert other.config.strategies["s"].params["fast"] == 4
        assert done(other) == 4
        assert other.run_id != sim.run_id
        other.stop()

    def test_a_found_market_knows_why_it_crashed(self, market):
        sim = market(SMA, speed=50.0).start()
        other = connect(sim.run_id)
        kill(sim.status["processes"]["simulator"])
        until(lambda: (sim.state, other.state) == ("crashed", "crashed"), "the crash")
        assert other.status["reason"] == sim.status["reason"] != ""
        assert "the simulator process was killed (SIGKILL)" in other.status["reason"]
        fails(EngineError, other.step, "the simulator process was killed (SIGKILL)", "reset()")

    def test_connect_takes_the_newest(self, market):
        first, second = market(SMA).run_until(ticks=2), market(SMA).run_until(ticks=3)
        assert connect().run_id == second.run_id
        second.stop()
        assert connect().run_id == first.run_id

    def test_who_waits_is_told_of_the_end(self, market):
        sim = market(SMA, speed=10.0).start()
        said = []

        def wait():
            try:
                sim.wait(ticks=10**9)
            except EngineError as error:
                said.append(str(error))

        thread = threading.Thread(target=wait)
        thread.start()
        sim.wait(ticks=3).stop()
        thread.join(10.0)
        assert "before that point" in said[0]


def interrupt_once(sim, tick):
    """Interrupt this process, as Ctrl-C does, once a tick is done."""

    def interrupt():
        until(lambda: sim.status["done"] >= tick, "the market runs")
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()


class TestInterrupts:
    """Ctrl-C and the kernel's stop button reach the handle, never the market's processes."""

    def test_an_interrupted_run_until_pauses(self, market):
        sim = market(SMA, speed=20.0).run_until(ticks=1)
        for journey in (lambda: sim.run_until(ticks=10**9), lambda: sim.step(10**9)):
            here = done(sim)
            interrupt_once(sim, here + 3)
            with pytest.raises(KeyboardInterrupt):
                journey()
            assert sim.state == "paused"
            assert done(sim) >= here + 3
        sim.step(2)

    def test_an_interrupted_wait_leaves_the_market_running(self, market):
        with market(SMA, speed=20.0) as sim:
            interrupt_once(sim, 3)
            with pytest.raises(KeyboardInterrupt):
                sim.wait(ticks=10**9)
            assert sim.state == "running"
            sim.wait(ticks=sim.status["done"] + 5)


START = """
import gc, os, signal, sys, time
import algosim
sim = algosim.Simulation("sma_crossover", seed=3, speed=20.0, out="run", settings={settings!r})
sim.start().wait(ticks=5)
status = sim.status
worker = status["strategies"]["sma_crossover"]["worker_pid"]
print(os.getpid(), *status["processes"].values(), worker, flush=True)
"""
FORK = """
if os.fork() == 0:
    for forbidden in (sim.pause, sim.stop):
        try:
            forbidden()
            os._exit(3)
        except algosim.EngineError as error:
            assert "fork" in str(error)
    del sim
    gc.collect()
    sys.exit(0)
_, status = os.wait()
assert status == 0
sim.pause().step(5)
print(len(sim.ticks) >= 10, sim.stop().digest, sim.state)
"""
OUTLIVED = """
if os.fork() == 0:
    os.close(1)
    time.sleep(30)
os.kill(os.getpid(), signal.SIGKILL)
"""
DROPPED = """
del sim
gc.collect()
time.sleep(30)
"""


def script(*parts):
    """Start a program that starts a market; return it and the market's process ids."""
    text = "".join(parts).replace("{settings!r}", repr(FREE))
    program = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, encoding="utf-8")
    pids = [int(word) for word in program.stdout.readline().split()]
    assert len(pids) == 6
    return program, pids


def gone(pids, within_s=3.0):
    until(lambda: not any(map(psutil.pid_exists, pids)), "the processes end", within_s)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.usefixtures("home")
class TestLives:
    """Whose end ends the market, and whose does not."""

    def test_a_fork_that_ends_leaves_the_market_alone(self):
        program, _ = script(START, FORK)
        said = program.communicate(timeout=30)[0].split()
        assert program.returncode == 0
        assert said == ["True", replay("run").digest, "finished"]

    def test_a_fork_that_goes_on_does_not_keep_the_market(self):
        program, pids = script(START, OUTLIVED)
        program.wait(10.0)
        left = until(lambda: [p for p in psutil.process_iter() if "sleep(30)" in _line(p)], "the fork lives")
        try:
            gone(pids[1:])
            assert all(process.is_running() for process in left)
        finally:
            for process in left:
                process.kill()
            program.stdout.close()
        assert len(replay("run").ticks) >= 5

    def test_a_program_that_ends_without_stop_leaves_a_whole_run(self):
        program, pids = script(START)
        program.communicate(timeout=10)
        gone(pids)
        result = replay("run")
        assert result.recording.end.state == "finished"
        assert not result.note

    def test_a_dropped_handle_ends_its_market(self):
        program, pids = script(START, DROPPED)
        try:
            gone(pids[1:])
            assert program.poll() is None
        finally:
            program.kill()
            program.communicate()
        assert replay("run").recording.end.state == "finished"


def _line(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
