"""Strategies that attack: each file in ``hostile`` tries one way out, live and headless; none succeeds.

Whether it did is seen from outside, at what it went for, and from what it says that it got.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from algosim import evaluate, replay
from algosim.cli import main
from algosim.errors import ConfigError, StrategyError
from algosim.sandbox import landlock, macos, seccomp
from algosim.sandbox.standing import check, standing
from tests.live_markets import until

HOSTILE = Path(__file__).parent / "hostile"
SECRET = "the-secret-of-the-outside"
SEED = 271828182845904523536

confined = pytest.mark.skipif(
    not (landlock.version() and seccomp.available()), reason="this kernel has no Landlock, or no seccomp"
)

# A strategy tries one attack per tick and says what came of it.
TRIES = """
    import importlib

    ATTACKS = {attacks!r}
    AT = {at!r}

    def on_tick(ctx, tick):
        if tick["seq"] > len(ATTACKS):
            return
        name = ATTACKS[tick["seq"] - 1]
        try:
            got = importlib.import_module(name).attack(ctx, AT)
        except BaseException as error:
            ctx.log(f"{{name}} held: {{type(error).__name__}}: {{error}}")
        else:
            ctx.log(f"{{name}} {{'ESCAPED' if got else 'held'}}: {{got!r}}")
"""
QUIET = "def on_tick(ctx, tick):\n    ctx.target(tick['seq'] % 2)\n"
GROUPS = ("read", "parent", "write", "socket", "process", "signal", "limits", "kernel", "seed", "order")
DEADLY = ["fatal_old_calls"] if platform.machine() == "x86_64" else []
OWN = ("inherited", "priority", "affinity", "survive")


def names(kind):
    return sorted(path.stem for path in HOSTILE.glob(f"{kind}_*.py"))


@pytest.fixture
def target(home):
    """What attacks go for: files, a process, servers; afterwards all of it is as it was."""
    outside = home.parent / "outside"
    outside.mkdir()
    secret, file = outside.parent / "secret.txt", outside.parent / "file.txt"
    for path in (secret, file):
        path.write_text(SECRET)
        path.chmod(0o600)
    victim = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )
    before = victim_state(victim)
    server, unix = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
    address = os.path.relpath(home.parent / "u")
    unix.bind(address)
    unix.listen()
    stat = file.stat()
    yield {
        "secret": str(secret),
        "outside": str(outside),
        "victim_file": str(file),
        "victim": victim.pid,
        "port": server.getsockname()[1],
        "unix": str(home.parent / "u"),
        "workspace": str(home / "strategies" / "other"),
        "other": "other",
        "seed_hash": hashlib.sha256(str(SEED).encode()).hexdigest(),
    }
    assert list(outside.iterdir()) == []
    assert file.read_text() == secret.read_text() == SECRET
    after = file.stat()
    assert (after.st_mode, after.st_mtime, after.st_nlink) == (stat.st_mode, stat.st_mtime, 1)
    assert victim.poll() is None
    assert victim_state(victim) == before
    for listening in (server, unix):
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
        listening.close()
    victim.kill()
    victim.wait()


def victim_state(process):
    with psutil.Process(process.pid).oneshot():
        known = psutil.Process(process.pid)
        return known.nice(), known.cpu_affinity(), known.rlimit(psutil.RLIMIT_CPU)


def write(home, name, text):
    folder = home / "strategies" / name
    folder.mkdir(exist_ok=True)
    (folder / "strategy.py").write_text(textwrap.dedent(text))


def attackers(home, target):
    """Write strategies that attack: one for each kind, one for each attack that ends its process."""
    write(home, "other", QUIET)
    groups = {kind: names(kind) for kind in GROUPS}
    groups["own"] = [name for kind in OWN for name in names(kind)]
    groups |= {name: [name] for name in names("fatal")}
    for strategy, attacks in groups.items():
        write(home, strategy, TRIES.format(attacks=attacks, at=target))
        for attack in attacks:
            text = (HOSTILE / f"{attack}.py").read_text()
            (home / "strategies" / strategy / f"{attack}.py").write_text(text)
    return groups


def forgers(home, target, attacks):
    """Write strategies that each forge what their process answers."""
    for name in attacks:
        write(home, name, TRIES.format(attacks=[name], at=target))
        (home / "strategies" / name / f"{name}.py").write_text((HOSTILE / f"{name}.py").read_text())
    return attacks


def judge(result, groups):
    """Fail if an attack succeeded, or was not made."""
    said = [log.text for log in result.recording.logs]
    assert [text for text in said if "ESCAPED" in text or (SECRET in text and "held" not in text)] == []
    tried = {text.split()[0] for text in said if " held: " in text}
    assert {
        name for strategy, attacks in groups.items() for name in attacks if not strategy.startswith("fatal")
    } <= tried
    assert {order.id for order in result.recording.orders} <= {"other", "order"}
    assert max(abs(order.qty) for order in result.recording.orders if order.id == "other") <= 1.0


SETTINGS = {"limits.wall_s": 20.0, "limits.init_s": 20.0, "limits.on_tick_s": 10.0}


@confined
def test_there_are_as_many_attacks_as_one_can_think_of():
    assert len(list(HOSTILE.glob("*.py"))) >= 40


@confined
@pytest.mark.slow
def test_no_attack_on_a_live_market_succeeds(home, market, target):
    groups = attackers(home, target)
    forging = forgers(home, target, [name for name in names("forge") if name != "forge_twice"])
    sim = market(["other", *groups, *forging], seed=SEED, ticks=60, settings=SETTINGS).start()
    sim.wait()
    result = sim.stop()
    judge(result, groups)
    failed = {error.split(":")[0] for error in result.errors}
    assert failed == {*forging, *DEADLY}
    assert len(result.recording) == 60
    assert replay(result.folder).digest == result.digest


@confined
def test_answers_beforehand_are_found(home, market, target):
    write(home, "other", QUIET)
    sim = market(["other", *forgers(home, target, ["forge_twice"])], ticks=60).start()
    sim.wait()
    (error,) = sim.stop().errors
    assert error == "forge_twice: its worker answered a question that was not asked"


@confined
@pytest.mark.slow
def test_no_attack_on_a_headless_run_succeeds(home, target):
    groups = attackers(home, target)
    result = evaluate(["other", *groups], seed=SEED, ticks=60, settings=SETTINGS, out="run")
    judge(result, groups)
    assert [error for error in result.errors if not error.startswith("fatal")] == []
    assert psutil.Process().children() == [psutil.Process(target["victim"])]
    assert replay("run").digest == result.digest


@confined
def test_what_cannot_be_read_ends_a_headless_strategy_and_no_other(home, target):
    write(home, "other", QUIET)
    forging = forgers(home, target, ["forge_noise", "forge_length", "forge_nested"])
    result = evaluate(["other", *forging], seed=1, ticks=30)
    assert {error.split(":")[0] for error in result.errors} == set(forging)
    assert {order.id for order in result.recording.orders} == {"other"}
    assert len(result.recording) == 30


CONTROL = """
    import collections, datetime, json, math, random, statistics, zoneinfo
    from pathlib import Path

    import numpy as np
    import pandas as pd

    HERE = Path(__file__).parent

    def init(ctx):
        ctx.weights = np.array(json.loads((HERE / "weights.json").read_text()))
        print("weights", ctx.weights.sum(), sorted(path.name for path in HERE.iterdir()))
        Path("notes.txt").write_text("mine")
        ctx.zone = zoneinfo.ZoneInfo("Europe/Berlin")

    def on_tick(ctx, tick):
        prices = pd.Series(ctx.history(3), dtype=float)
        table = pd.DataFrame({"name": ["a", "b"] * 2, "price": np.arange(4.0)})
        means = table.groupby("name").price.mean()
        print(tick["seq"], round(float(prices.mean()), 2), means["a"], np.linalg.norm(ctx.weights))
        ctx.target(float(np.sign(ctx.weights[0, 0])) * (tick["seq"] % 3))

    def on_stop(ctx):
        print(Path("notes.txt").read_text())
"""


@pytest.mark.parametrize("live", [True, False])
def test_what_strategies_need_works_inside_and_brings_no_warning(home, market, live):
    write(home, "control", CONTROL)
    (home / "strategies" / "control" / "weights.json").write_text("[[1.0, 2.0], [3.0, 4.0]]")
    both = ["control", "sma_crossover"]
    if live:
        sim = market(both, ticks=30).start()
        sim.wait()
        result = sim.stop()
    else:
        result = evaluate(both, seed=1, ticks=30)
    assert result.errors == []
    said = [log.text for log in result.recording.logs]
    assert {log.level for log in result.recording.logs} == {"print"}
    assert said[0] == "weights 10.0 ['strategy.py', 'weights.json']"
    assert said[-1] == "mine"
    assert len(said) == 32
    assert {order.id for order in result.recording.orders} >= {"control"}


BROKEN = {
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "ctypes.string_at(0)": "killed (SIGSEGV): at {file}, line 5",
    "os._exit(3)": "ended with status 3: os._exit at {file}, line 5",
    "kept.append(bytearray(1 << 31))": "MemoryError",
    "while True: kept.append(bytearray(1 << 24))": "MemoryError",
    "open('/etc/passwd')": "a strategy may read files in its own folder only, not '/etc/passwd'",
    "[open(str(i), 'wb').write(bytes(1 << 23)) for i in range(60)] and time.sleep(9)": "more than 64 MB",
    "os.system('true')": "a strategy cannot start processes",
}


HEAD = "import ctypes, os, time\nkept = []\ndef on_tick(ctx, tick):\n"


@confined
def test_a_broken_strategy_is_told_what_it_did_and_where(home):
    code = HEAD + "    if tick['seq'] == 5:\n        {act}\n"
    for number, act in enumerate(BROKEN):
        write(home, f"broken{number}", code.format(act=act))
    result = evaluate([f"broken{number}" for number in range(len(BROKEN))], seed=1, ticks=20, out="run")
    said = dict(error.split(": ", 1) for error in result.errors)
    for number, words in enumerate(BROKEN.values()):
        file = f"strategies/broken{number}/strategy.py"
        assert words.format(file=file) in said[f"broken{number}"]
        assert f"{file}, line 5" in said[f"broken{number}"]
    assert len(result.recording) == 20
    assert replay("run").digest == result.digest


@pytest.mark.parametrize("text", ["raise KeyboardInterrupt\n", "class Odd(BaseException): pass\nraise Odd\n"])
def test_an_interrupt_at_import_is_an_error_of_the_strategy(home, text):
    write(home, "rude", text)
    with pytest.raises(StrategyError, match=rf"rude: import: .*strategy.py, line {text.count(chr(10))}"):
        evaluate("rude", seed=1, ticks=5)


def test_a_link_to_the_outside_is_not_read(home, tmp_path):
    write(home, "linked", QUIET)
    (tmp_path / "secret.txt").write_text(SECRET)
    (home / "strategies" / "linked" / "data.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(StrategyError, match="is a link to a file outside"):
        evaluate("linked", seed=1, ticks=5)


def test_a_trusted_strategy_may_do_all_until_its_run_comes_from_elsewhere(home, tmp_path):
    (tmp_path / "secret.txt").write_text(SECRET)
    write(home, "open", f"text = open({str(tmp_path / 'secret.txt')!r}).read()\nprint(text)\n{QUIET}")
    result = evaluate("open", seed=1, ticks=5, settings={"limits.sandbox": "trusted"}, out="run")
    assert [log.text for log in result.recording.logs] == [SECRET]
    assert json.loads(Path("run/provenance.json").read_text())["sandbox"]["mode"] == "trusted"
    if landlock.version():
        with pytest.raises(Exception, match="may read files in its own folder only"):
            replay("run")


def test_memory_is_limited_as_set(home):
    write(home, "hungry", f"import mmap\n{QUIET}    mmap.mmap(-1, 1 << 30)\n")
    hungry = [evaluate("hungry", seed=1, ticks=3, settings={"memory_mb": mb}).errors for mb in (512, 4096)]
    assert "Cannot allocate memory" in hungry[0][0]
    assert hungry[1] == []


@pytest.mark.usefixtures("home")
def test_strict_refuses_where_the_kernel_does_not_keep_files_and_network(monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr(macos, "fault", lambda: "not here")
    with pytest.raises(ConfigError, match=r"limits.sandbox is strict.*files"):
        evaluate("sma_crossover", ticks=5, settings={"limits.sandbox": "strict"})
    check("standard")
    assert not {row.limit: row.by for row in standing("standard")}["files"]


ELSEWHERE = """
import os, socket, subprocess, sys
from algosim.sandbox import landlock, seccomp
from algosim.sandbox.enter import enter, seal
from algosim.sandbox.terms import Terms

landlock.version, seccomp.available = (lambda: 0), (lambda: False)
enter(Terms("standard", 1024, *sys.argv[1:3]))
seal()
for act in (
    lambda: open(sys.argv[3]),
    lambda: open(sys.argv[3], "a"),
    lambda: os.listdir("/"),
    socket.socket,
    lambda: subprocess.run(["true"]),
    lambda: os.kill(1, 0),
    lambda: os.mkdir("folder"),
):
    try:
        print(act())
    except PermissionError as error:
        print(error)
open("note.txt", "w").close()
"""


@pytest.mark.skipif(os.name == "nt", reason="paths are written otherwise")
def test_where_the_kernel_keeps_nothing_words_still_do(tmp_path):
    for name in ("code", "scratch"):
        (tmp_path / name).mkdir()
    (tmp_path / "secret.txt").write_text(SECRET)
    places = [str(tmp_path / name) for name in ("code", "scratch", "secret.txt")]
    command = [sys.executable, "-c", ELSEWHERE, *places]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path / "scratch")
    words = ("may read", "may write", "may look into", "no network", "processes", "signal", "plain files")
    lines = done.stdout.splitlines()
    assert len(lines) == len(words)
    for line, word in zip(lines, words, strict=True):
        assert word in line
    assert (tmp_path / "scratch" / "note.txt").exists()


@confined
@pytest.mark.usefixtures("home")
def test_strict_runs_where_the_kernel_keeps_them():
    same = [
        evaluate("sma_crossover", seed=1, ticks=500, settings={"limits.sandbox": mode}).digest
        for mode in ("strict", "trusted")
    ]
    assert same[0] == same[1]


@confined
def test_a_worker_that_holds_the_interpreter_ends_with_its_host(home, market):
    write(home, "holds", "import re\ndef on_tick(ctx, tick):\n    re.match(r'(a+)+$', 'a' * 60 + 'b')\n")
    sim = market("holds", settings={"limits.on_tick_s": 60.0, "limits.wall_s": 60.0}).start()
    pid = until(lambda: sim.status["strategies"]["holds"].get("worker_pid"), "a worker")
    worker = psutil.Process(pid)
    os.kill(worker.ppid(), signal.SIGKILL)
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "its end", 3.0)


def test_the_status_shows_the_mode(market):
    sim = market("sma_crossover", ticks=5, settings={"limits.sandbox": "trusted"}).start()
    sim.wait()
    assert sim.status["sandbox"].startswith("trusted; not enforced: files, network")


@confined
def test_the_command_tries_out_every_limit(home, capsys):
    assert main(["sandbox", "--json"]) == 0
    limits = json.loads(capsys.readouterr().out)["limits"]
    assert list(limits) == ["files", "network", "processes", "signals", "memory", "time"]
    assert all(limit["enforced"] and limit["by"] and not limit["missing"] for limit in limits.values())
    assert main(["sandbox", "--mode", "trusted"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if "not enforced: limits.sandbox is trusted" in line] == list(
        limits
    )[:5]
    assert list(home.iterdir()) == [home / "strategies"]


def test_processes_apart_arrive_at_the_same_digest(home, capsys):
    write(home, "other", QUIET)
    arguments = ["eval", "--strategy", "other", "--seed", "3", "--ticks", "300", "--json"]
    digests = []
    for isolation in ("account", "process"):
        assert main([*arguments, "--isolation", isolation]) == 0
        digests.append(json.loads(capsys.readouterr().out)["digest"])
    assert digests[0] == digests[1]
    assert list(home.iterdir()) == [home / "strategies"]


def test_a_headless_flood_of_output_is_cut(home):
    write(home, "flood", "def on_tick(ctx, tick):\n    for n in range(2000): print(tick['seq'], n)\n")
    result = evaluate("flood", seed=1, ticks=40, settings={"limits.output_kb": 1})
    said = [log.text for log in result.recording.logs]
    assert said[:3] == ["1 0", "1 1", "1 2"]
    assert said[-1] == "... no more lines are kept (limits.output_kb)"
    assert sum(len(text) + 32 for text in said[:-1]) <= 64 * 1024 < sum(len(text) + 32 for text in said)
    assert result.errors == []
