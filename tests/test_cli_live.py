"""`sim run` over real processes: its digest, its interrupts, its ends; and what `sim replay` says of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from algosim.runs.evaluate import evaluate
from algosim.runs.replay import replay

pytestmark = pytest.mark.live

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and terminals")
FAILING = "def on_tick(ctx, tick):\n    if tick['seq'] == 30:\n        return 1 / 0\n"
NO_START = "def init(ctx):\n    ctx.window = {}['window']\n\ndef on_tick(ctx, tick):\n    pass\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A workspace of its own, as the working folder."""
    (tmp_path / "strategies").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(home, name, text):
    path = home / "strategies" / name / "strategy.py"
    path.parent.mkdir()
    path.write_text(text, "utf-8")


def command(*arguments):
    return [sys.executable, "-m", "algosim", *map(str, arguments)]


def program(*arguments):
    return subprocess.run(command(*arguments), capture_output=True, check=False, timeout=60, encoding="utf-8")


@pytest.fixture
def running(home):
    """Start a run that has no end of its own; return it once its market ticks."""
    started = []

    def running():
        process = subprocess.Popen(
            command("run", "--strategy", "sma_crossover", "--seed", 4, "--speed", 20, "--out", "run"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=home,
        )
        started.append(process)
        for line in process.stdout:
            if "] running, " in line:
                return process
        pytest.fail(f"it ended before it ran: {process.stderr.read()}")

    yield running
    for process in started:
        process.kill()
        process.communicate()


class TestRun:
    def test_arrives_at_the_digest_of_evaluate(self, home):
        said = program("run", "--strategy", "momentum", "--seed", 4, "--ticks", 300, "--speed", "max")
        expected = evaluate("momentum", seed=4, ticks=300)
        lines = said.stdout.splitlines()
        assert (said.returncode, said.stderr) == (0, "")
        assert lines[-1] == f"digest {expected.digest}"
        assert "\x1b" not in said.stdout
        folder = home / "runs" / lines[0].split()[1].rstrip(",")
        assert (folder / "digest.txt").read_text("utf-8").strip() == expected.digest

    @pytest.mark.usefixtures("home")
    def test_prints_every_fill(self):
        arguments = ("--strategy", "sma_crossover", "--seed", 4, "--ticks", 120)
        said = program("run", *arguments, "--speed", 40, "--headless")
        fills = evaluate("sma_crossover", seed=4, ticks=120).recording.fills
        assert [
            line.split("]")[0] for line in said.stdout.splitlines() if ": BUY" in line or ": SELL" in line
        ] == [f"[{fill.ts_sim / 1e9:,.3f} s" for fill in fills]

    def test_a_strategy_that_stops_is_a_failure(self, home):
        write(home, "failing", FAILING)
        said = program("run", "--strategy", "failing", "--seed", 4, "--ticks", 60, "--speed", "max")
        assert said.returncode == 1
        assert "error: failing stopped: ZeroDivisionError: division by zero" in said.stderr.splitlines()
        assert said.stdout.splitlines()[-1].startswith("digest ")

    def test_a_strategy_that_does_not_start_is_bad_input(self, home):
        write(home, "no_start", NO_START)
        said = program("run", "--strategy", "no_start", "--seed", 4, "--ticks", 60, "--speed", "max")
        assert said.returncode == 2
        assert "KeyError" in said.stderr
        assert "Traceback" not in said.stderr

        assert not list((home / "runs").iterdir())

    @pytest.mark.usefixtures("home")
    def test_says_where_it_is_when_a_port_is_taken(self):
        arguments = ("--strategy", "sma_crossover", "--seed", 4, "--ticks", 5, "--speed", "max")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            key = "transport.endpoints.ticks_pub"
            said = program("run", *arguments, "--set", f"{key}=tcp://127.0.0.1:{port}")
        (line,) = [line for line in said.stdout.splitlines() if line.startswith("ports taken; ")]
        assert "ticks_pub tcp://127.0.0.1:" in line
        assert str(port) not in line
        assert (said.returncode, said.stderr) == (0, "")

    def test_a_crash_is_a_failure_that_names_the_process(self, running):
        run = running()
        (broker,) = [
            child for child in psutil.Process(run.pid).children(recursive=True) if "broker" in child.cmdline()
        ]
        broker.kill()
        _, err = run.communicate(timeout=20)
        assert run.returncode == 1
        assert "the broker process was killed" in err
        assert "Traceback" not in err


@posix
class TestInterrupts:
    def test_the_first_stops_cleanly(self, running):
        run = running()
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=20)
        assert run.returncode == 0
        assert "Ctrl-C again" in err
        said = program("replay", "run")
        assert said.returncode == 0
        assert said.stdout.splitlines()[-1] == out.splitlines()[-1]

    def test_whoever_ends_programs_stops_it_cleanly(self, running):
        run = running()
        run.terminate()
        out, _ = run.communicate(timeout=20)
        assert run.returncode == 0
        said = program("replay", "run")
        assert said.stdout.splitlines()[-1] == out.splitlines()[-1]
        assert out.splitlines()[-1].startswith("digest ")

    def test_the_second_leaves_nobody(self, running):
        run = running()
        children = psutil.Process(run.pid).children(recursive=True)
        assert children
        run.send_signal(signal.SIGINT)
        assert "Ctrl-C again" in run.stderr.readline()
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
        gone, alive = psutil.wait_procs(children, timeout=3)
        assert alive == []
        assert len(gone) == len(children)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")  # noqa: PTH110
class TestFullOutput:
    @pytest.mark.usefixtures("home")
    @pytest.mark.parametrize("name", ["eval", "run", "config"])
    def test_is_one_line(self, name):
        options = ("--strategy", "momentum", "--ticks", 50, "--set", "speed=max")
        with open("/dev/full", "wb") as full:  # noqa: PTH123
            said = subprocess.run(
                command(name, *(() if name == "config" else options)),
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
                timeout=60,
                encoding="utf-8",
            )
        assert (said.returncode, len(said.stderr.splitlines())) == (1, 1)
        assert said.stderr.startswith("error: cannot write the output: ")

    @pytest.mark.usefixtures("home")
    def test_ends_where_errors_cannot_be_told_either(self):
        with open("/dev/full", "wb") as full:  # noqa: PTH123
            said = subprocess.run(command("config"), stdout=full, stderr=full, check=False, timeout=60)
        assert said.returncode == 1


@posix
class TestClosedOutput:
    """Whoever reads the output leaves, as ``head`` does: the run stops, and the program goes as others do."""

    @pytest.fixture
    def recorded(self, home):
        program("eval", "--strategy", "momentum", "--seed", 1, "--ticks", 50, "--out", home / "run")

    @pytest.mark.usefixtures("recorded")
    @pytest.mark.parametrize(
        "arguments",
        [
            ("eval", "--strategy", "momentum", "--ticks", 50),
            ("eval", "--strategy", "momentum", "--ticks", 50, "--json"),
            ("replay", "run"),
            ("play", "run"),
            ("runs",),
            ("config",),
            ("doctor", "momentum"),
            ("run", "--help"),
        ],
    )
    def test_is_an_end_without_a_word(self, arguments):
        process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        assert (process.stderr.read(), process.wait(60)) == (b"", 141)
        process.stderr.close()

    def test_stops_a_run(self, running, home):
        run = running()
        children = psutil.Process(run.pid).children(recursive=True)
        assert len(children) > 4
        run.stdout.close()
        assert (run.stderr.read(), run.wait(20)) == ("", 141)
        assert psutil.wait_procs(children, timeout=3)[1] == []
        assert replay(home / "run").recording.end is not None

    @pytest.mark.usefixtures("home")
    def test_bad_input_stays_that_where_nobody_reads_of_it(self):
        process = subprocess.Popen(command("eval", "--strategy", "nope"), stderr=subprocess.PIPE)
        process.stderr.close()
        assert process.wait(60) == 2


class TestReplay:
    @pytest.fixture
    def run(self, home):
        program("eval", "--strategy", "bollinger", "--seed", 4, "--ticks", 500, "--out", "runs/first")
        return home / "runs" / "first"

    def test_says_that_nothing_differs(self, run):
        said = program("replay", "first")
        assert (said.returncode, said.stderr) == (0, "")
        digest = (run / "digest.txt").read_text("utf-8").strip()
        assert said.stdout.splitlines()[-2:] == ["replayed: no event differs", f"digest {digest}"]

    def test_a_difference_is_a_failure(self, run):
        config = run / "config.yaml"
        text = config.read_text("utf-8")
        assert "kappa: 0.8" in text
        config.write_text(text.replace("kappa: 0.8", "kappa: 0.9"), "utf-8")
        said = program("replay", "first")
        assert said.returncode == 1
        assert said.stderr.startswith("error: ")
        assert "digest" not in said.stdout

    def test_a_strategy_that_stopped_in_the_record_is_no_difference(self, home):
        write(home, "failing", FAILING)
        assert (
            program("eval", "--strategy", "failing", "--seed", 4, "--ticks", 60, "--out", "run").returncode
            == 1
        )
        assert program("replay", "run").returncode == 0

    @pytest.mark.usefixtures("run")
    def test_runs_lists_it(self):
        said = program("runs")
        expected = evaluate("bollinger", seed=4, ticks=500)
        header, row = said.stdout.splitlines()
        assert header.split() == ["run", "state", "strategies", "ticks", "trades", "P/L"]
        pnl = expected.metrics["total"]["pnl"]
        assert row.split()[1:] == ["finished", "bollinger", "500", f"{len(expected.trades)}", f"{pnl:+,.2f}"]


@posix
class TestTerminal:
    def shown(self, *arguments):
        """Return all that a terminal of 80 x 24 is sent, and the exit code."""
        import fcntl  # noqa: PLC0415  (POSIX)
        import pty  # noqa: PLC0415
        import struct  # noqa: PLC0415
        import termios  # noqa: PLC0415

        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        process = subprocess.Popen(
            command(*arguments),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment | {"TERM": "xterm-256color"},
        )
        os.close(theirs)
        data = b""
        try:
            while chunk := os.read(ours, 65536):
                data += chunk
        except OSError:  # how Linux tells that the other side has closed
            pass
        os.close(ours)
        return data.decode(), process.wait(timeout=20)

    @pytest.mark.usefixtures("home")
    def test_run_draws_a_picture_and_then_the_result(self):
        text, code = self.shown("run", "--strategy", "momentum", "--seed", 4, "--ticks", 100, "--speed", 20)
        assert code == 0
        assert text.count("Sharpe ± SE") >= 3
        digest = evaluate("momentum", seed=4, ticks=100).digest
        assert text.splitlines()[-1].strip() == f"digest {digest}"

    @pytest.mark.usefixtures("home")
    def test_headless_draws_nothing(self):
        arguments = ("run", "--strategy", "momentum", "--seed", 4, "--ticks", 100, "--speed", "max")
        text, code = self.shown(*arguments, "--headless")
        assert code == 0
        assert "Sharpe ± SE" not in text

    @pytest.mark.usefixtures("home")
    def test_eval_shows_when_it_will_be_done(self):
        text, code = self.shown("eval", "--strategy", "momentum", "--seed", 4, "--ticks", 100_000)
        assert code == 0
        assert "evaluating" in text
        assert "ETA" in text
