"""Processes killed, stopped and starved: nobody is left, what was recorded replays, somebody says why."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time

import psutil
import pytest
from msgspec.structs import asdict

from algosim import connect, evaluate, replay
from algosim.config import Config
from algosim.errors import EngineError, StrategyError
from algosim.events import Attach, Detach
from tests.live_markets import FREE, fails, kill, save, until, worker_of

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.name == "nt", reason="POSIX signals"),
]

NAME = "sma_crossover"
BUSY = {"schedule.dt_mean_ms": 100.0, "execution.latency_ms": 150.0}
PACE = 100.0
"""Simulated seconds per second: a thousand ticks in one."""

PARTS = ("simulator", "broker", "recorder", NAME)


def pids(sim, *names):
    """Return the process ids of a market's parts by name: also of the supervisor and of a worker."""
    found = dict(sim.status["processes"])
    found["supervisor"] = psutil.Process(found["simulator"]).ppid()
    return {**found, **{f"worker of {name}": worker_of(sim, name) for name in names}}


def lives(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(processes, within_s=3.0):
    """Wait until none of these processes is there, at most 3 s."""
    until(lambda: not [each for each in processes if lives(each)], f"the end of {processes}", within_s)


def members(sim):
    return [psutil.Process(pid) for pid in pids(sim, NAME).values()]


def somewhere(sim, most=400):
    """Let a market run to a tick that nobody knows before."""
    sim.wait(ticks=random.randint(1, most))


def replays(sim, result):
    """A run's folder and its replay agree; return the replay."""
    again = replay(sim.folder)
    assert again.digest == result.digest == result.recording.digest
    assert len(again.recording) == len(result.recording)
    return again


def write(home, name, text):
    path = home / "strategies" / name / "strategy.py"
    path.parent.mkdir()
    path.write_text(textwrap.dedent(text), "utf-8")
    return path


# Killed


@pytest.mark.parametrize("part", ["supervisor", "simulator", "broker"])
def test_an_engine_process_that_is_killed_ends_the_run(market, part):
    sim = market(NAME, speed=PACE, settings=BUSY).start()
    somewhere(sim)
    processes = members(sim)
    kill(pids(sim)[part])
    all_gone(processes)
    assert sim.state == "crashed"
    assert f"the {part} process was killed (SIGKILL)" in sim.status["reason"]
    error = fails(EngineError, sim.wait, f"the {part} process was killed", str(sim.folder), "reset()")
    assert "\n" not in str(error)
    result = sim.stop()
    replays(sim, result)
    assert len(result.recording) > 0
    assert set(json.loads((sim.folder / "metrics.json").read_bytes())) == {NAME, "total"}
    assert (sim.folder / "digest.txt").read_text() == result.digest + "\n"


def test_who_waits_for_a_run_that_crashes_hears_of_it(market):
    sim = market(NAME, speed=PACE, settings=BUSY).start()
    broker = pids(sim)["broker"]
    sim.wait(ticks=20)
    killer = threading.Timer(0.5, kill, [broker])
    killer.start()
    fails(EngineError, lambda: sim.wait(ticks=10**9), "the broker process was killed")
    killer.join()


def test_a_recorder_that_is_killed_is_replaced_once(market):
    sim = market(NAME, seed=3, speed=PACE, settings=BUSY, ticks=1500).start()
    somewhere(sim)
    kill(pids(sim)["recorder"])
    sim.wait()
    result = sim.stop()
    events = map(json.loads, (sim.folder / "events.jsonl").read_text().splitlines())
    assert [event["seq"] for event in events if event["type"] == "tick"] == list(range(1, 1501))
    evaluated = evaluate(NAME, seed=3, settings=BUSY, ticks=1500, out="evaluated")
    assert replays(sim, result).digest == evaluated.digest
    for name in ("trades.csv", "ticks.csv", "roundtrips.csv", "metrics.json", "digest.txt"):
        assert (sim.folder / name).read_bytes() == (evaluated.folder / name).read_bytes()


def test_a_recorder_that_is_killed_twice_ends_the_run(market):
    sim = market(NAME, speed=PACE, settings=BUSY).start()
    somewhere(sim)
    first = pids(sim)["recorder"]
    kill(first)
    second = until(lambda: sim.status["processes"].get("recorder", first) != first and pids(sim), "another")
    sim.wait(ticks=sim.status["done"] + 50)
    assert sim.status["recorder_restarts"] == 1
    processes = members(sim)
    kill(second["recorder"])
    all_gone(processes, 6.0)  # another recorder comes up first, and closes the books
    fails(EngineError, sim.pause, "the recorder process was killed")
    result = sim.stop()
    replays(sim, result)
    assert (sim.folder / "digest.txt").read_text() == result.digest + "\n"
    assert set(json.loads((sim.folder / "metrics.json").read_bytes())) == {NAME, "total"}


def test_the_books_are_closed_though_broker_and_recorder_are_killed(market):
    sim = market(NAME, speed=PACE, settings=BUSY).start()
    somewhere(sim)
    processes, parts = members(sim), pids(sim)
    for part in ("recorder", "broker"):
        kill(parts[part])
    all_gone(processes, 6.0)  # another recorder comes up first, and closes the books
    assert "process was killed" in sim.status["reason"]
    result = sim.stop()
    replays(sim, result)
    assert (sim.folder / "digest.txt").read_text() == result.digest + "\n"


@pytest.mark.parametrize("part", [NAME, f"worker of {NAME}"])
def test_a_strategy_that_is_killed_leaves_the_market_alone(market, part):
    sim = market([NAME, "momentum"], speed=PACE, settings=BUSY).start()
    somewhere(sim)
    at, before = sim.status["done"], pids(sim, NAME, "momentum")
    worker = psutil.Process(before[f"worker of {NAME}"])
    kill(before[part])
    until(lambda: sim.status["strategies"][NAME]["state"] == "failed", "the failure is known", 1.0)
    all_gone([worker], 1.0)
    assert "killed" in sim.status["strategies"][NAME]["error"]["message"]
    assert "reload" in sim.status["strategies"][NAME]["error"]["message"]
    sim.wait(ticks=at + 300)
    assert sim.status["strategies"]["momentum"]["acked"] >= at + 300

    sim.reload(NAME)
    sim.wait(ticks=sim.status["done"] + 200)
    assert sim.status["strategies"][NAME]["state"] == "trading"
    result = sim.stop()
    kinds = [type(event) for event in result.recording.members if event.id == NAME]
    assert kinds == [Attach, Detach, Attach]
    replays(sim, result)


LAUNCHER = """
    import os, sys, time
    import algosim

    sim = algosim.Simulation({name!r}, seed=1, speed={speed}, settings={settings!r}, out="launched").start()
    sim.wait(ticks=20)
    if {fork}:
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
    else:
        child = 0
    workers = [each["worker_pid"] for each in sim.status["strategies"].values()]
    print(child, *sim.status["processes"].values(), *workers, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("fork", [False, True])
def test_everything_ends_with_the_launching_process(home, fork):
    """Even where a fork of it holds the pipe whose end would tell."""
    write(home, "holder", GREEDY)
    script = LAUNCHER.format(name=[NAME, "holder"], speed=PACE, settings=BUSY | FREE, fork=fork)
    (home / "launcher.py").write_text(textwrap.dedent(script), "utf-8")
    launcher = subprocess.Popen([sys.executable, "launcher.py"], stdout=subprocess.PIPE, encoding="utf-8")
    child, *ours = map(int, launcher.stdout.readline().split())
    assert len(ours) == 7
    processes = [psutil.Process(pid) for pid in ours]
    processes.append(processes[0].parent())
    launcher.kill()
    try:
        all_gone(processes)
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
        launcher.communicate()
    saved = replay("launched")
    assert len(saved.recording) >= 20
    assert (home / "launched" / "digest.txt").read_text().strip() == saved.digest
    assert not list((home.parent / "runtime").rglob("*.json"))


GREEDY = """
    import re

    def on_tick(ctx, tick):
        if tick["seq"] == 30:
            re.match("(a|a)*$", "a" * 60 + "b")  # for hours, and no other thread ever runs
"""


@pytest.mark.parametrize("part", ["greedy", "supervisor"])
def test_a_strategy_that_lets_no_other_thread_run_dies_with_its_host(home, market, part):
    write(home, "greedy", GREEDY)
    sim = market("greedy", settings={"limits.on_tick_s": 60.0, "limits.wall_s": 60.0}).start()
    processes = {name: psutil.Process(pid) for name, pid in pids(sim, "greedy").items()}
    until(lambda: sim.status["strategies"]["greedy"]["in_hook"] and sim.status["done"] == 29, "tick 30")
    processes[part].kill()
    all_gone([processes["worker of greedy"]] if part == "greedy" else processes.values())


HEADLESS = """
    import algosim
    algosim.evaluate("greedy", seed=1, ticks=100, settings={"limits.on_tick_s": 60.0, "limits.wall_s": 60.0})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel must do it")
def test_a_headless_strategy_that_lets_no_other_thread_run_dies_with_its_launcher(home):
    write(home, "greedy", GREEDY)
    launcher = subprocess.Popen([sys.executable, "-c", textwrap.dedent(HEADLESS)])
    children = psutil.Process(launcher.pid).children
    (child,) = until(children, "a child")
    until(lambda: child.cpu_times().user > 1.0, "tick 30, which takes all the time there is")
    launcher.kill()
    launcher.wait()
    all_gone([child], 1.0)


# Stopped


@pytest.mark.slow
def test_processes_that_stand_still_lose_nothing(market):
    """Each of them for a second, one after the other."""
    sim = market(NAME, seed=5, speed=PACE, settings=BUSY, ticks=3000).start()
    for part in ["supervisor", *PARTS, f"worker of {NAME}"]:
        pid = pids(sim, NAME)[part]
        sim.wait(ticks=sim.status["done"] + 50)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.0)
        os.kill(pid, signal.SIGCONT)
    sim.wait()
    result = sim.stop()
    assert not result.errors
    assert result.digest == evaluate(NAME, seed=5, settings=BUSY, ticks=3000).digest


def test_a_process_that_stands_still_is_named(market):
    sim = market(NAME, speed=PACE, settings=BUSY).start()
    broker = pids(sim)["broker"]
    os.kill(broker, signal.SIGSTOP)
    try:
        assert "broker (no answer)" in sim.status["waiting_for"]
    finally:
        os.kill(broker, signal.SIGCONT)


@pytest.mark.slow
def test_a_host_that_stands_still_is_detached(market):
    """After five seconds in which the market waits for it."""
    sim = market([NAME, "momentum"], speed=PACE, settings=BUSY).start()
    host = pids(sim)[NAME]
    os.kill(host, signal.SIGSTOP)
    begin = time.monotonic()
    until(lambda: sim.status["strategies"][NAME]["state"] == "failed", "the failure is known")
    assert 4.0 < time.monotonic() - begin < 8.0
    assert "said nothing for 5 s" in sim.status["strategies"][NAME]["error"]["message"]
    at = sim.status["done"]
    sim.wait(ticks=at + 100)
    replays(sim, sim.stop())


@pytest.mark.slow
def test_stop_does_not_wait_for_a_supervisor_that_stands_still(market):
    sim = market(NAME, speed=PACE, settings=BUSY).start()
    somewhere(sim)
    processes = members(sim)
    os.kill(pids(sim)["supervisor"], signal.SIGSTOP)
    begin = time.monotonic()
    result = sim.stop()
    assert time.monotonic() - begin < 6.0
    assert "the supervisor process was killed" in sim.status["reason"]
    assert not result.note
    all_gone(processes)
    replays(sim, result)


# Ends


CLINGY = "def on_tick(ctx, tick):\n    pass\ndef on_stop(ctx):\n    while True: pass\n"


def test_stop_takes_three_seconds_at_most(home, market):
    """One strategy hangs in on_tick, another in on_stop; a third gets its turn."""
    write(home, "stuck", "import time\ndef on_tick(ctx, tick):\n    time.sleep(60)\n")
    write(home, "clingy", CLINGY)
    write(home, "polite", "def on_tick(ctx, tick):\n    pass\ndef on_stop(ctx):\n    print('bye')\n")
    sim = market(["stuck", "clingy", "polite"], speed=PACE, settings=BUSY).start()
    until(lambda: sim.status["strategies"]["stuck"]["in_hook"], "the hang")
    processes = [psutil.Process(pid) for pid in pids(sim, "stuck", "clingy", "polite").values()]
    begin = time.monotonic()
    result = sim.stop()
    assert time.monotonic() - begin < 3.0
    all_gone(processes, 0.1)
    assert result.recording.end is not None
    assert {error.partition(":")[0] for error in result.errors} == {"stuck", "clingy"}
    assert "bye" in [log.text for log in result.recording.logs if log.id == "polite"]
    replays(sim, result)


def test_a_terminated_supervisor_brings_the_run_to_its_end(market):
    sim = market(NAME, speed=PACE, settings=BUSY).start()
    somewhere(sim)
    processes = members(sim)
    os.kill(pids(sim)["supervisor"], signal.SIGTERM)
    all_gone(processes)
    assert sim.state == "finished"
    result = sim.stop()
    assert result.recording.end is not None
    replays(sim, result)


def test_a_slow_strategy_is_waited_for_at_the_end_of_a_run(home, market):
    """Its last ticks take longer than it would have after a stop, but nobody has said stop."""
    write(home, "slow", "import time\ndef on_tick(ctx, tick):\n    time.sleep(0.025)\n")
    sim = market("slow", ticks=120).start()
    sim.wait()
    result = sim.stop()
    assert not result.errors
    assert result.recording.end is not None
    assert len(result.recording) == 120


# Strategies that misbehave


MISBEHAVING = {
    "loop": ("while True: pass", "on_tick used more than 0.5 s (strategies/loop/strategy.py, line 6)"),
    "sleep": ("time.sleep(60)", "on_tick did not return within 4 s (strategies/sleep/strategy.py, line 6)"),
    "leave": ("os._exit(3)", "status 3"),
    "pipes": ("os.closerange(0, 100)", "its worker"),
    "pipes_and_loop": ("os.closerange(0, 100)\n            while True: pass", "closed its pipe"),
    "frames": ("[os.write(fd, b'\\x05\\x00\\x00\\x00rubbish' * 9) for fd in range(4, 20)]", "cannot be read"),
    "memory": ("x = bytearray(1 << 40)", "MemoryError"),
    "killed": ("os.kill(os.getpid(), 9)", "killed"),
    "plots": ("[ctx.plot(f'{n:050}', n) for n in range(20_000)]", "more in one tick than"),
    "raises": ("raise SystemExit(4)", "SystemExit"),
}
HARMLESS = {
    "chatter": "print('x' * 10_000_000); [print() for n in range(100_000)]",
    "stdout": "os.write(1, b'\\xff\\x00rubbish\\n' * 1_000_000)",
}
STRATEGY = """
    import contextlib, os, time

    def on_tick(ctx, tick):
        if tick["seq"] == 5:
            {act}
"""


@pytest.mark.slow
def test_strategies_that_misbehave_leave_the_others_alone(home, market):
    for name, act in (HARMLESS | {name: act for name, (act, _) in MISBEHAVING.items()}).items():
        text = STRATEGY.format(act=act)
        if name in ("frames", "stdout"):
            text = text.replace("            [", "            with contextlib.suppress(OSError): [")
        write(home, name, text)
    settings = {"limits.on_tick_s": 0.5, "limits.wall_s": 4.0, **BUSY}
    sim = market([NAME, *MISBEHAVING, *HARMLESS], settings=settings, ticks=300).start()
    sim.wait()
    result = sim.stop()
    said = dict(error.split(": ", 1) for error in result.errors)
    assert set(said) == set(MISBEHAVING)
    for name, (_, words) in MISBEHAVING.items():
        assert words in said[name], name
    for name in HARMLESS:
        shown = [log.text for log in result.recording.logs if log.id == name]
        assert sum(map(len, shown)) <= 70_000
    alone = evaluate(NAME, seed=1, settings=BUSY, ticks=300)
    ours = result.trades[result.trades["id"] == NAME].reset_index(drop=True)
    assert ours.equals(alone.trades.reset_index(drop=True))
    replays(sim, result)


BAD = "strategies/bad/strategy.py"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def init(ctx):\n    while True: pass\n", f"init used more than 0.5 s ({BAD}, line 2)"),
        ("import time\nwhile True: pass\n", f"import used more than 0.5 s ({BAD}, line 2)"),
        ("import os\nos._exit(9)\n", "status 9"),
        ("def init(ctx):\n    import os\n    os.closerange(0, 50)\n", "its worker"),
    ],
)
def test_a_strategy_that_does_not_start_holds_the_market_back(home, market, text, words):
    path = write(home, "bad", text + "def on_tick(ctx, tick):\n    pass\n")
    sim = market(["bad", NAME], ticks=50, settings={"limits.init_s": 0.5, "ui.hot_reload": False})
    fails(StrategyError, sim.start, "bad: ", words)
    assert sim.status["done"] == 0
    save(path, "def on_tick(ctx, tick):\n    pass\n")
    sim.reload("bad")
    sim.start().wait()
    assert len(sim.stop().recording) == 50


def test_an_endless_on_stop_is_cut_off(home, market):
    write(home, "clingy", CLINGY)
    sim = market("clingy", ticks=50, settings={"limits.on_stop_s": 0.5}).start()
    sim.wait()
    result = sim.stop()
    texts = [log.text for log in result.recording.logs]
    assert "on_stop used more than 0.5 s (strategies/clingy/strategy.py, line 4)" in texts
    assert result.recording.end is not None


PARENT = """
    import subprocess

    mine = subprocess.Popen(["sleep", "60"])

    def on_tick(ctx, tick):
        print(mine.pid)
"""


def test_what_a_strategy_has_started_ends_with_it(home, market):
    write(home, "parent", PARENT)
    sim = market("parent", ticks=5, settings={"limits.sandbox": "trusted"}).start()
    sim.wait()
    started = psutil.Process(int(sim.stop().recording.logs[0].text))
    all_gone([started])


# Ports, and engines side by side


def test_taken_ports_are_replaced_by_free_ones(market):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = f"tcp://127.0.0.1:{squatter.getsockname()[1]}"
        sim = market(NAME, speed=PACE, settings={"transport.endpoints.ticks_pub": taken}).start()
        endpoints = sim.status["endpoints"]
        assert len({taken, *endpoints.values()}) == 5
        assert connect(sim.run_id).status["endpoints"] == endpoints
        sim.run_until(ticks=sim.status["tick"] + 50)
        assert len(sim.stop().recording) >= 50


@pytest.mark.parametrize("name", ["control", "ticks_pub", "fills_pub"])
def test_a_taken_port_that_must_be_that_one_is_an_error(market, name):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        settings = {f"transport.endpoints.{name}": f"tcp://127.0.0.1:{port}", "transport.strict_ports": True}
        sim = market(NAME, settings=settings)
        before = set(psutil.Process().children(recursive=True))
        fails(EngineError, sim.start, f"cannot bind tcp://127.0.0.1:{port}", "strict_ports")
        all_gone(set(psutil.Process().children(recursive=True)) - before)


def test_two_engines_side_by_side(market):
    """Both on the default ports, which only one of them can have."""
    defaults = {
        f"transport.endpoints.{name}": at for name, at in asdict(Config().transport.endpoints).items()
    }
    one, two = (market(NAME, seed=seed, speed=PACE, settings=defaults | BUSY) for seed in (1, 2))
    one.start()
    two.start()
    endpoints = [*one.status["endpoints"].values(), *two.status["endpoints"].values()]
    assert len(set(endpoints)) == 8
    for sim in (one, two):
        sim.wait(ticks=sim.status["done"] + 100)
        replays(sim, sim.stop())


@pytest.mark.slow
def test_killed_and_started_again(market):
    """At once, on the same ports, again and again; nothing piles up in this process."""
    me = psutil.Process()
    sim = market(NAME, speed=PACE, settings=BUSY, out="again")

    def kill_it():
        sim.start().wait(ticks=20)
        processes = members(sim)
        kill(pids(sim)["supervisor"])
        until(lambda: sim.state == "crashed", "the crash is seen", 1.0)
        return processes

    kill_it()
    files, threads = me.num_fds(), me.num_threads()
    for _ in range(3):
        sim.reset()
        processes = kill_it()
        until(lambda: me.num_fds() <= files and me.num_threads() <= threads, "nothing has piled up")
    all_gone(processes)


def test_the_connection_file(home, market):
    runtime = home.parent / "runtime"

    def files():
        return sorted(path for path in runtime.rglob("*") if path.is_file())

    crashed = market(NAME, speed=PACE).start()
    (stale,) = files()
    assert stat.S_IMODE(stale.stat().st_mode) == 0o600
    assert stat.S_IMODE(stale.parent.stat().st_mode) == 0o700
    parts, processes = pids(crashed), members(crashed)
    os.kill(parts["recorder"], signal.SIGSTOP)  # it would clean up
    kill(parts["supervisor"])
    kill(parts["recorder"])
    all_gone(processes)
    assert files() == [stale]
    sim = market(NAME, speed=PACE).start()
    (fresh,) = files()
    assert fresh != stale
    assert json.loads(fresh.read_bytes())["endpoints"] == sim.status["endpoints"]
    sim.stop()
    assert files() == []


# A full disk


FULL = """
    import resource, sys
    import algosim

    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    sim = algosim.Simulation({name!r}, seed=1, speed="max", settings={settings!r}, out="full").start()
    try:
        sim.wait()
    except algosim.EngineError as error:
        print(error)
    print(sim.state, len(sim.stop().recording))
"""


def test_a_full_disk_stops_the_run_loudly(home):
    """Here it is a limit on the size of files; the write fails half-way, like on a full disk."""
    script = textwrap.dedent(FULL.format(name=NAME, settings=BUSY | FREE))
    (home / "full.py").write_text(script, "utf-8")
    done = subprocess.run(
        [sys.executable, "full.py"], capture_output=True, timeout=60, encoding="utf-8", check=True
    )
    error, end = done.stdout.splitlines()
    assert "the recorder process gave up: cannot write" in error
    assert "File too large" in error
    state, ticks = end.split()
    assert state == "crashed"
    saved = replay("full")
    assert saved.note == ""
    assert len(saved.recording) == int(ticks) > 500
    rows = (home / "full" / "ticks.csv").read_text().splitlines()
    assert len(rows) == 1 + int(ticks)
    assert (home / "full" / "digest.txt").read_text().strip() == saved.digest
