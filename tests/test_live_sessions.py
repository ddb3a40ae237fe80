"""A live session, `evaluate` and `replay` arrive at the same run, bit for bit."""

from __future__ import annotations

import os
import signal
import textwrap
import threading

import psutil
import pytest

from algosim import evaluate, replay
from algosim.errors import StrategyError
from algosim.events import Attach, Detach, Remove, Version
from tests.live_markets import fails, kill, save, until, worker_of
from tests.recorded import CURIOUS, curious, write_strategy

pytestmark = pytest.mark.live

TICKS = 300
PACED = 50.0
"""Simulated seconds per second: 300 ticks of 150 to 200 ms last about a second."""


def strategies(folder, several):
    """Return one strategy or three, as a person would write them."""
    one = {"c": {"path": str(curious(folder, "curious", every=2)), "params": {"every": 3}}}
    others = {"s": {"path": "sma_crossover", "params": {"fast": 3, "slow": 8}}, "r": "random_trader"}
    return one | others if several else one


@pytest.mark.parametrize(
    ("seed", "mode", "latency_ms", "several", "speed"),
    [
        (0, "fixed", 0, False, "max"),
        (1, "fixed", 0, True, PACED),
        (2, "fixed", 50, True, "max"),
        (3, "fixed", 1000, False, PACED),
        (4, "poisson", 0, True, "max"),
        (5, "poisson", 50, False, PACED),
        (6, "poisson", 1000, True, PACED),
        (7, "poisson", 1000, False, "max"),
    ],
)
def test_live_evaluate_and_replay_are_one_run(home, market, seed, mode, latency_ms, several, speed):
    chosen = strategies(home, several)
    settings = {"schedule.mode": mode, "execution.latency_ms": latency_ms}
    sim = market(chosen, seed=seed, settings=settings, speed=speed, ticks=TICKS, out="live")
    with sim:
        sim.wait()
    live = sim.stop()
    evaluated = evaluate(chosen, seed=seed, settings=settings, ticks=TICKS, out="evaluated")
    replayed = replay("live")

    assert len(live.recording.fills) > 50
    assert live.digest == evaluated.digest == replayed.digest
    for name in ("trades.csv", "ticks.csv", "roundtrips.csv", "metrics.json", "digest.txt"):
        assert (home / "live" / name).read_bytes() == (home / "evaluated" / name).read_bytes()
    _, *events = (home / "live" / "events.jsonl").read_bytes().splitlines()
    assert events == (home / "evaluated" / "events.jsonl").read_bytes().splitlines()[1:]
    assert replayed.recording.fills == live.recording.fills


DRAWN = """
def init(ctx):
    ctx.mean, ctx.bands = ctx.indicator.SMA(3), ctx.indicator.Bollinger(4)

def on_tick(ctx, tick):
    n, price = tick["seq"], tick["price"]
    ctx.mean.update(price)
    if n % 3:
        ctx.bands.update(price)
    if n == 20:
        ctx.late = ctx.indicator.EMA(2)
    if n > 20:
        ctx.late.update(price)
    if n % 7 == 0:
        ctx.plot("mine", None if n % 2 else price)
        ctx.plot("SMA(3)", price)
    if n % 11 == 0:
        ctx.log("eleven")
        ctx.target(n % 5)
    if n == {last}:
        ctx.log("so far")
        raise ValueError("enough")
"""


def test_what_strategies_draw_and_say_is_written_the_same(home, market):
    """Columns headless, message by message live; also of one that fails, with its last lines."""
    for name, last in (("goes", 0), ("fails", 40)):
        write_strategy(home, name, DRAWN.format(last=last))
    settings = {"schedule.mode": "fixed"}
    with market(["goes", "fails", "momentum"], seed=2, settings=settings, ticks=60, out="live") as sim:
        sim.wait()
    result = evaluate(["goes", "fails", "momentum"], seed=2, settings=settings, ticks=60, out="evaluated")
    live, evaluated = (
        (home / name / "events.jsonl").read_bytes().splitlines() for name in ("live", "evaluated")
    )
    assert len(live) > 240
    assert live[1:] == evaluated[1:]
    assert list(result.recording.plots) == list(sim.stop().recording.plots)
    assert [(log.seq, log.level) for log in result.recording.logs if log.id == "fails"][-2:] == [
        (40, "log"),
        (40, "error"),
    ]


@pytest.mark.parametrize("reveal", [True, False])
def test_a_run_ends_with_its_duration(home, market, reveal):
    """Also the fills between the last tick and the end, and what ``on_stop`` sees of them, are the same."""
    path = curious(home, "curious", every=1)
    with path.open("a", encoding="utf-8") as file:
        file.write("\n\ndef on_stop(ctx):\n    ctx.log(f'{ctx.position()} {ctx.pending()} {ctx.time()}')\n")
    settings = {"model.reveal_state": reveal, "execution.latency_ms": 100}
    sim = market(str(path), seed=5, duration="7.3s", settings=settings, out="live")
    with sim:
        sim.wait()
    live, evaluated = sim.stop(), evaluate(str(path), seed=5, duration="7.3s", settings=settings)
    assert live.recording.end == evaluated.recording.end
    assert live.recording.end.ts_sim == 7_300_000_000
    assert live.digest == evaluated.digest == replay("live").digest
    assert live.recording.logs == evaluated.recording.logs


def text(*, every):
    """Return another version of a curious strategy."""
    return textwrap.dedent(CURIOUS.format(every=every, size=1.0)).lstrip("\n")


BROKEN = "def on_tick(ctx, tick)\n    pass\n"


def test_a_session_with_everything_in_it_replays(home, market):
    """Whatever a person does in a session is in its record."""
    a, b = curious(home, "a", every=2), curious(home, "b", every=3)
    sim = market({"a": str(a)}, seed=11, speed=20.0, settings={"execution.latency_ms": 400}, out="live")

    def version(name="a"):
        return sim.status["strategies"][name]["version"]

    sim.run_until(ticks=30)
    sim.set(sigma=0.5, latency_ms=0).set({"execution.slippage_bps": 20.0}).order("BUY", 3.0, tag="by hand")
    sim.resume().wait(ticks=45)
    sim.set(speed=60.0, latency_ms=250)

    save(a, text(every=3))
    until(lambda: version() == 2, "the saved version trades")
    save(a, BROKEN)
    error = until(lambda: sim.status["strategies"]["a"]["error"], "the broken version is reported")
    assert (error["file"], error["line"]) == ("strategies/a/strategy.py", 1)
    assert "on_tick(ctx, tick)" in error["source"]
    here = sim.status["done"]
    sim.wait(ticks=here + 20)
    assert version() == 2
    save(a, text(every=2))
    until(lambda: version() == 3, "the mended version trades")
    assert sim.status["strategies"]["a"]["error"] is None

    sim.set(id="a", size=2.0)
    until(lambda: version() == 4, "the new parameter trades")
    sim.set(speed=20.0).pause()
    sim.step(5).order("SELL", 1.5, id="other").step()
    save(a, text(every=4))
    sim.reload("a", keep_state=True).resume()
    until(lambda: version() == 5, "the version with kept state trades")

    sim.add(str(b), id="second", params={"size": 3.0}).set(mode="fixed", dt_fixed_ms=40.0)
    kill(worker_of(sim, "a"))
    until(lambda: sim.status["strategies"]["a"]["state"] == "failed", "the kill is noticed")
    here = sim.status["done"]
    sim.wait(ticks=here + 10).reload("a").wait(ticks=here + 40)
    until(lambda: sim.status["strategies"]["a"]["state"] == "trading", "a fresh worker trades")

    kill(sim.status["processes"]["a"])
    until(lambda: sim.status["strategies"]["a"]["state"] == "failed", "the host's death is noticed")
    sim.order("BUY", 1.0).reload("a")
    sim.remove("second").set({"schedule.speed": "max", "execution.commission_fixed": 0.1})
    here = sim.status["done"]
    sim.run_until(ticks=here + 500)
    sim.order("SELL", 0.5)
    live = sim.stop()

    replayed = replay("live")
    assert replayed.digest == live.digest == (home / "live" / "digest.txt").read_text().strip()
    assert replayed.trades.equals(live.trades)
    assert replayed.roundtrips.equals(live.roundtrips)
    happened = [type(event) for event in live.recording.members]
    assert [happened.count(kind) for kind in (Attach, Version, Detach, Remove)] == [4, 4, 2, 1]
    assert len(live.recording.controls) > 10
    assert {fill.id for fill in live.recording.fills} == {"a", "second", "manual", "other"}


def test_versions_that_fail_replay(home, market):
    """In ``init`` as they are attached, in ``init`` as they take over, in ``on_tick``, and never mended."""
    a = curious(home, "a", every=2)
    sim = market({"a": str(a)}, seed=12, speed=30.0, settings={"execution.latency_ms": 100}, out="live")

    def strategy(name):
        return sim.status["strategies"][name]

    def error_of(name, word):
        until(
            lambda: word in (strategy(name)["error"] or {"message": ""})["message"], f"{name} fails: {word}"
        )

    sim.run_until(ticks=20)
    b = write_strategy(
        home, "b", "def init(ctx):\n    ctx.window = 1 / 0\n\ndef on_tick(ctx, tick):\n    pass\n"
    )
    error = fails(StrategyError, lambda: sim.add(str(b)), "b: init: ZeroDivisionError")
    assert (error.file, error.line, error.source) == ("strategies/b/strategy.py", 2, "ctx.window = 1 / 0")
    save(
        b,
        "def init(ctx):\n    ctx.window = ctx.get_param\n    int('x')\n\ndef on_tick(ctx, tick):\n    pass\n",
    )
    fails(StrategyError, lambda: sim.add(str(b)), "ValueError")  # a second attach before the same tick
    save(b, text(every=3))
    sim.add(str(b))
    assert strategy("b")["state"] == "trading"
    sim.resume().wait(ticks=40)

    save(a, text(every=3).replace("def init(ctx):", "def init(ctx):\n    ctx.window = [][0]"))
    error_of("a", "IndexError")
    assert (strategy("a")["state"], strategy("a")["version"]) == ("trading", 1)
    save(a, text(every=3) + "    if ctx.seen > 30:\n        ctx.place_market_order('BUY', 1 / 0)\n")
    error_of("a", "on_tick: ZeroDivisionError")
    assert strategy("a")["state"] == "failed"
    here = sim.status["done"]
    sim.wait(ticks=here + 10)
    save(a, text(every=4))
    until(lambda: strategy("a")["state"] == "trading", "a goes on by itself")
    sim.wait(ticks=sim.status["done"] + 20)

    save(b, text(every=3) + "    {}['never mended']\n")
    error_of("b", "KeyError")
    sim.remove("b").run_until(ticks=sim.status["done"] + 50)
    live = sim.stop()

    replayed = replay("live")
    assert replayed.digest == live.digest
    assert replayed.trades.equals(live.trades)
    assert replayed.errors == live.errors
    happened = [type(event) for event in live.recording.members if event.id == "b"]
    assert [happened.count(kind) for kind in (Attach, Version, Detach, Remove)] == [3, 1, 3, 0]


SLOW_INIT = """
import time

def init(ctx):
    while time.process_time() < 2.2:
        pass
    ctx.seen = 0

def on_tick(ctx, tick):
    ctx.target(len(ctx.history(100)) % 3)
"""


def test_a_version_that_dies_while_the_next_one_takes_over(home, market):
    """The next one has seen the account as it was for the one before; it begins again when it is attached."""
    path = curious(home, "a", every=1)
    settings = {"execution.latency_ms": 0, "ui.hot_reload": False, "limits.wall_s": 60.0}
    sim = market(str(path), seed=13, settings=settings, out="live").run_until(ticks=30)
    old, host = worker_of(sim, "a"), psutil.Process(sim.status["processes"]["a"])
    save(path, SLOW_INIT)
    reloading = threading.Thread(target=sim.reload)
    reloading.start()
    (fresh,) = until(lambda: [child for child in host.children() if child.pid != old], "a fresh worker")
    until(lambda: sum(fresh.cpu_times()[:2]) > 1.6, "its init runs")
    kill(old)
    reloading.join(60.0)
    until(lambda: sim.status["strategies"]["a"]["state"] == "trading", "it trades after all")
    live = sim.step(25).stop()
    assert replay("live").digest == live.digest
    assert [type(event) for event in live.recording.members] == [Attach, Detach, Attach]
    assert len(live.recording.fills) > 30


def test_a_version_that_dies_when_the_next_one_is_ready(home, market):
    """That one has begun as if it followed the one before; it begins again as it is attached."""
    path = write_strategy(home, "a", TIMED.format(more=""))
    sim = market(str(path), seed=15, settings={"ui.hot_reload": False}, out="live").run_until(ticks=20)
    save(path, TIMED.format(more="+ 1.0"))
    sim.reload()
    kill(worker_of(sim, "a"))
    until(lambda: len(sim.recording.members) == 1 and sim.status["strategies"]["a"]["acked"] == 20, "a")
    until(lambda: sim.status["strategies"]["a"]["version"] == 2, "the next one is attached")
    live = sim.step(20).stop()
    assert replay("live").digest == live.digest
    assert [type(event) for event in live.recording.members] == [Attach, Detach, Attach]


TIMED = """
def init(ctx):
    ctx.size = 1.0 + ctx.time() + len(ctx.history(50)) {more}

def on_tick(ctx, tick):
    ctx.place_market_order("BUY" if tick["seq"] % 2 else "SELL", ctx.size)
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_version_that_dies_before_the_broker_hears_of_it(home, market):
    """The account as the broker then sends it is for that version; the next one waits for its own."""
    path = write_strategy(home, "a", TIMED.format(more=""))
    sim = market(str(path), seed=14, out="live").run_until(ticks=20)
    broker = sim.status["processes"]["broker"]

    def is_now(state):
        return sim.status["strategies"]["a"]["state"] == state

    kill(worker_of(sim, "a"))
    until(lambda: is_now("failed"), "the kill is noticed")
    os.kill(broker, signal.SIGSTOP)
    try:
        save(path, TIMED.format(more="+ 1.0"))
        until(lambda: is_now("trading"), "the second version is attached")
        stepping = threading.Thread(target=sim.step, args=(5,))
        stepping.start()
        until(lambda: sim.status["tick"] == 25, "five ticks without the broker")
        kill(worker_of(sim, "a"))
        until(lambda: is_now("failed"), "the second kill is noticed")
        save(path, TIMED.format(more="+ 2.0"))
        until(lambda: is_now("trading"), "the third version is attached")
    finally:
        os.kill(broker, signal.SIGCONT)
    stepping.join(30.0)
    live = sim.step(20).stop()
    assert [(e.seq, e.version) for e in live.recording.members if isinstance(e, Attach)] == [
        (1, 1),
        (21, 2),
        (26, 3),
    ]
    assert replay("live").digest == live.digest


RENAMED = """
PARAMS = {{"{name}": 3, "qty": 1.0}}

def on_tick(ctx, tick):
    if tick["seq"] % ctx.get_param("{name}") == 0:
        ctx.target(ctx.get_param("qty"))
"""


def test_a_new_version_may_drop_a_parameter_that_was_set(home, market):
    """What was given to the version before is inherited where the new one has it; a slip is still refused."""
    path = home / "a.py"
    path.write_text(RENAMED.format(name="every"), "utf-8")
    sim = market(str(path), seed=3, settings={"ui.hot_reload": False}, out="live").run_until(ticks=5)
    sim.set(id="a", every=2, qty=5.0).step(3)
    save(path, RENAMED.format(name="nth"))
    sim.reload("a").step(3)
    assert sim.status["strategies"]["a"]["params"] == {"qty": 5.0}
    with pytest.raises(StrategyError, match="no parameter 'every'"):
        sim.set(id="a", every=4)
    live = sim.step(3).stop()
    assert [event.params for event in live.recording.members] == [{}, {"every": 2, "qty": 5.0}, {"qty": 5.0}]
    assert replay("live").digest == live.digest


def test_a_version_that_is_made_again_may_drop_a_parameter_too(home, market):
    """It is imported twice: while it is, the version before it takes over and has its number."""
    path, mark = home / "a.py", home / "importing"
    path.write_text(RENAMED.format(name="every"), "utf-8")
    settings = {"ui.hot_reload": False, "limits.sandbox": "trusted"}  # it says by a file where it is
    sim = market(str(path), seed=3, settings=settings, out="live").run_until(ticks=5)
    sim.set(id="a", every=2)
    save(
        path,
        RENAMED.format(name="nth")
        + f"\nimport pathlib, time\ntry:\n    pathlib.Path({str(mark)!r}).touch()\n"
        + "except PermissionError:\n    pass  # in the replay\ntime.sleep(0.5)\n",
    )
    reload = threading.Thread(target=sim.reload, args=("a",))
    reload.start()
    until(mark.exists, "the import")
    sim.step(1)
    reload.join()
    live = sim.step(3).stop()
    assert [event.params for event in live.recording.members] == [{}, {"every": 2}, {}]
    assert replay("live").digest == live.digest
