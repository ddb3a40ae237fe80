"""The command line: what it parses, prints and returns, compared with what the library says."""

from __future__ import annotations

import json
import math
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from algosim import settings
from algosim.cli import COMMANDS, main, sim
from algosim.cli.outcome import Session
from algosim.core.doctor import check
from algosim.runs.evaluate import evaluate

STARTING_RUNS = ("run", "eval")
RUN_OPTIONS = {"--config", "--strategy", "--seed", "--duration", "--ticks", "--set", "--out"}
FAILING = "def on_tick(ctx, tick):\n    if tick['seq'] == 30:\n        return 1 / 0\n"
NO_START = "def init(ctx):\n    ctx.window = {}['window']\n\ndef on_tick(ctx, tick):\n    pass\n"
PRINTING = (
    "def on_tick(ctx, tick):\n    ctx.target(1, tag='\\x1b[2J[red]')\n    ctx.log('\\x1b]0;owned\\x07')\n"
)


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A workspace of its own, as the working folder."""
    (tmp_path / "strategies").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(home, capsys):  # noqa: ARG001  (works in that folder)
    """Call the program in this process."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


def program(*arguments, **options):
    """Start the program in a process of its own, as a shell does."""
    command = [sys.executable, "-m", "algosim", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, **options)
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def write(home, name, text):
    path = home / "strategies" / name / "strategy.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def command_of(name):
    return sim.get_command(click.Context(sim), name)


def examples(name):
    """Return the examples in a command's help, as arguments, without what the shell would do."""
    lines = command_of(name).epilog.splitlines()
    return [shlex.split(line.partition(">")[0])[1:] for line in lines if line.startswith("  ")]


class TestHelp:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_shows_an_example(self, call, name):
        said = call(name, "--help")
        assert said.code == 0
        assert "Example:\n" in said.out
        assert f"  sim {name}" in said.out.partition("Example:")[2]

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_example_parses(self, name):
        assert examples(name)
        for command, *arguments in examples(name):
            command_of(command).make_context(command, arguments, obj=Session())

    @pytest.mark.parametrize("name", COMMANDS)
    def test_the_list_of_commands_says_what_the_command_says(self, name):
        assert command_of(name).help.splitlines()[0] == COMMANDS[name].summary

    @pytest.mark.parametrize("name", STARTING_RUNS)
    def test_a_command_that_starts_a_run_takes_all_run_options(self, name):
        taken = {flag for option in command_of(name).params for flag in option.opts}
        assert taken >= RUN_OPTIONS

    def test_without_a_command_help_is_shown(self, call):
        assert call() == call("--help")
        assert all(name in call().out for name in COMMANDS)

    def test_help_and_version_import_no_engine(self):
        heavy = "{'msgspec', 'numpy', 'pandas', 'rich', 'yaml', 'zmq'}"
        for flag in ("--help", "--version"):
            code = (
                "import sys; from algosim.cli import main; "
                f"assert main(['{flag}']) == 0; assert not {heavy} & set(sys.modules)"
            )
            subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


class TestEval:
    def test_prints_the_digest_that_evaluate_returns_last(self, call):
        said = call("eval", "--strategy", "sma_crossover", "--seed", 7, "--duration", "20s")
        assert (said.code, said.err) == (0, "")
        expected = evaluate("sma_crossover", seed=7, duration="20s").digest
        assert said.out.splitlines()[-1] == f"digest {expected}"

    def test_passes_every_option_on(self, call, home):
        (home / "mine.yaml").write_text("model: {kappa: 2.0}\nschedule: {mode: fixed}\n", "utf-8")
        said = call(
            *("eval", "--config", "mine.yaml", "--strategy", "momentum", "--strategy", "bollinger"),
            *("--seed", 3, "--ticks", 300, "--set", "sigma=0.4", "--set", "latency_ms=0"),
            *("--set", "strategies.momentum.params.window=5", "--out", "here", "--json"),
        )
        expected = evaluate(
            ["momentum", "bollinger"],
            seed=3,
            ticks=300,
            config={"model": {"kappa": 2.0}, "schedule": {"mode": "fixed"}},
            settings={
                "model.sigma": 0.4,
                "execution.latency_ms": 0,
                "strategies.momentum.params": {"window": 5},
            },
        )
        told = json.loads(said.out)
        assert told["digest"] == expected.digest
        assert list(told)[-1] == "digest"
        assert (home / "here" / "digest.txt").read_text("utf-8").strip() == expected.digest
        assert Path(told["folder"]) == home / "here"

    def test_json_has_the_metrics_with_null_for_nan(self, call):
        said = call("eval", "--strategy", "buy_and_hold", "--seed", 1, "--ticks", 50, "--json")
        expected = evaluate("buy_and_hold", seed=1, ticks=50)
        told = json.loads(said.out)
        assert math.isnan(expected.metrics["total"]["sharpe"])
        for name, figures in expected.metrics.items():
            finite = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in figures.items()}
            assert told["metrics"][name] == finite
        assert (told["seed"], told["ticks"], told["errors"]) == (1, 50, {})

    def test_table_has_a_column_per_account_and_the_total(self, call):
        names = ["momentum", "random_trader"]
        said = call("eval", "--strategy", names[0], "--strategy", names[1], "--seed", 5, "--ticks", 2000)
        lines = {line[:25].strip(): line[25:].split() for line in said.out.splitlines()[1:-1]}
        metrics = evaluate(names, seed=5, ticks=2000).metrics
        assert lines[""] == [*names, "total"]
        columns = [metrics[name] for name in (*names, "total")]
        assert lines["final equity"] == [f"{column['final_equity']:,.2f}" for column in columns]
        assert lines["trades (fills)"] == [f"{column['fills']:,}" for column in columns]

    @pytest.mark.usefixtures("home")
    def test_piped_output_is_the_same_each_time_and_plain(self):
        arguments = ("eval", "--strategy", "sma_crossover", "--seed", 2, "--ticks", 400)
        colored = os.environ | {"FORCE_COLOR": "1", "COLUMNS": "40"}
        first, second = program(*arguments), program(*arguments, env=colored)
        assert first == second
        assert (first.code, first.err) == (0, "")
        assert "\x1b" not in first.out

    def test_a_fresh_seed_is_shown_and_repeats_the_run(self, call):
        first = call("eval", "--strategy", "random_trader", "--ticks", 200)
        seed = first.out.splitlines()[0].rpartition("seed ")[2]
        again = call("eval", "--strategy", "random_trader", "--ticks", 200, "--seed", seed)
        assert again == first

    def test_a_strategy_that_stops_is_told_with_its_line(self, call, home):
        write(home, "failing", FAILING)
        said = call("eval", "--strategy", "failing", "--seed", 1, "--ticks", 100)
        assert said.code == 1
        assert said.err.splitlines()[0] == "error: failing stopped: ZeroDivisionError: division by zero"
        assert "strategies/failing/strategy.py, line 3" in said.err
        assert said.out.splitlines()[-1].startswith("digest ")

    def test_json_stays_json_when_a_strategy_stops(self, call, home):
        write(home, "failing", FAILING)
        said = call("eval", "--strategy", "failing", "--seed", 1, "--ticks", 100, "--json")
        assert said.code == 1
        assert "ZeroDivisionError" in json.loads(said.out)["errors"]["failing"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "remedy"),
        [
            (["evla"], "did you mean 'eval'?"),
            (["eval", "--tick", "10"], "--ticks"),
            (["eval", "--ticks", "none"], "sim eval --help"),
            (["eval", "--ticks", "0"], "--ticks"),
            (["eval", "--seed", "-1", "--ticks", "9"], "--seed"),
            (["eval", "--strategy", "sma_crossover"], "how long"),
            (["eval", "--strategy", "smacrossover", "--ticks", "9"], "did you mean 'sma_crossover'?"),
            (["eval", "--ticks", "9", "--set", "model.sigme=1"], "did you mean 'sigma'?"),
            (["eval", "--ticks", "9", "--set", "sigma"], "model.sigma=0.3"),
            (["eval", "--ticks", "9", "--set", "sigma=-1"], "at least 0"),
            (["eval", "--duration", "soon"], "60s"),
            (["eval", "--ticks", "9", "--config", "none.yaml"], "none.yaml"),
            (["eval", "--ticks", "9", "--out", "strategies"], "name a new folder"),
            (["run", "--ticks", "9", "--speed", "0"], "schedule.speed"),
            (["run", "--ticks", "9", "--speed", "fast"], "schedule.speed"),
            (["replay", "none"], "algosim runs"),
            (["replay"], "RUN"),
            (["doctor", "none.py"], "none.py"),
            (["new-strategy", "sma_crossover"], "--force"),
        ],
    )
    def test_is_told_in_one_line_with_the_remedy(self, call, home, arguments, remedy):
        write(home, "other", "def on_tick(ctx, tick):\n    pass\n")
        said = call(*arguments)
        assert said.code == 2
        assert said.out == ""
        (line,) = said.err.splitlines()
        assert line.startswith("error: ")
        assert remedy in line.replace(Path(sys.argv[0]).name, "sim").replace("pytest", "sim")

    def test_a_strategy_that_does_not_start_is_told_with_its_line(self, call, home):
        write(home, "no_start", NO_START)
        said = call("eval", "--strategy", "no_start", "--seed", 1, "--ticks", 100)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("error: ")
        assert "KeyError" in said.err.splitlines()[0]
        assert "strategies/no_start/strategy.py, line 2" in said.err

    def test_the_process_ends_with_the_same_codes(self, home):
        write(home, "failing", FAILING)
        fine = program("eval", "--strategy", "buy_and_hold", "--seed", 1, "--ticks", 50)
        failed = program("eval", "--strategy", "failing", "--seed", 1, "--ticks", 50)
        wrong = program("eval", "--strategy", "nobody", "--ticks", 50)
        assert [said.code for said in (fine, failed, wrong)] == [0, 1, 2]
        assert "Traceback" not in failed.err + wrong.err


class TestNewStrategy:
    def test_what_it_writes_runs_and_has_no_findings(self, call, home):
        path = home / "strategies" / "my_sma" / "strategy.py"
        assert call("new-strategy", "my_sma").out.splitlines()[0] == f"wrote {path}"
        assert check(path.read_bytes(), str(path)) == []
        result = evaluate("my_sma", seed=1, ticks=3000)
        assert result.errors == []
        assert len(result.trades) > 0
        assert result.recording.members[0].name == "My sma"

    def test_needs_no_folder_beforehand(self, call, home):
        (home / "strategies").rmdir()
        assert call("new-strategy", "first").code == 0
        assert (home / "strategies" / "first" / "strategy.py").is_file()

    def test_goes_into_the_workspace_from_a_folder_below(self, call, home, monkeypatch):
        (home / "deep" / "down").mkdir(parents=True)
        monkeypatch.chdir(home / "deep" / "down")
        assert call("new-strategy", "mine").code == 0
        assert (home / "strategies" / "mine" / "strategy.py").is_file()

    @pytest.mark.parametrize("force", [[], ["--force"]])
    def test_overwrites_nothing(self, call, home, force):
        path = write(home, "mine", "# work of a week\n")
        said = call("new-strategy", "mine", *force)
        assert said.code == 2
        assert str(path) in said.err
        assert path.read_text("utf-8") == "# work of a week\n"

    def test_hides_a_shipped_strategy_only_when_told(self, call, home):
        assert call("new-strategy", "momentum").code == 2
        assert not (home / "strategies" / "momentum").exists()
        assert call("new-strategy", "momentum", "--force").code == 0
        assert (home / "strategies" / "momentum" / "strategy.py").is_file()

    @pytest.mark.parametrize("name", ["My sma!", "../up", "a/b", "3x", "CON", "", "a.b", "naïve", "x" * 65])
    def test_refuses_a_bad_name_and_proposes_a_good_one(self, call, home, name):
        said = call("new-strategy", name)
        assert said.code == 2
        assert list((home / "strategies").iterdir()) == []
        better = said.err.split()[-1]
        assert call("new-strategy", better).code == 0


class TestDoctor:
    def test_prints_each_finding_with_its_line(self, call, home):
        path = write(home, "wrong", "import time\n\ndef on_tik(ctx, tick):\n    ctx.t = time.time()\n")
        said = call("doctor", path)
        found = check(path.read_bytes(), str(path))
        assert said.code == 1
        assert [line for line in said.out.splitlines() if line.startswith(str(path))] == list(map(str, found))
        assert "    def on_tik(ctx, tick):" in said.out.splitlines()

    def test_takes_a_name_a_folder_or_a_file(self, call, home):
        path = write(home, "wrong", "def on_tik(ctx, tick):\n    pass\n")
        (found, *_) = check(path.read_bytes(), str(path))
        for what in ("wrong", path.parent, path):
            assert call("doctor", what).out.splitlines()[0] == str(found)
        assert call("doctor", "strategies/wrong").out.startswith("strategies/wrong/strategy.py:1: error: ")

    def test_json_is_what_check_returns(self, call, home):
        path = write(home, "wrong", "def on_tik(ctx, tick):\n    pass\n")
        told = json.loads(call("doctor", path, "--json").out)
        (found, *_) = check(path.read_bytes(), str(path))
        assert told[0] == {name: getattr(found, name) for name in found.__struct_fields__}

    @pytest.mark.parametrize("name", ["sma_crossover", "bollinger", "buy_and_hold", "random_trader"])
    def test_has_nothing_against_what_is_shipped(self, call, name):
        assert call("doctor", name).code == 0

    def test_warnings_alone_are_no_failure(self, call, home):
        path = write(
            home, "warned", "import random\n\ndef on_tick(ctx, tick):\n    random.SystemRandom().random()\n"
        )
        levels = {finding.level for finding in check(path.read_bytes(), "x")}
        assert levels == {"warning"}
        assert call("doctor", "warned").code == 0


class TestConfig:
    def test_prints_the_default_configuration(self, call):
        assert call("config").out == settings.default_text()

    def test_what_it_prints_is_the_default(self, call, home):
        (home / "config.yaml").write_text(call("config").out, "utf-8")
        common = ("eval", "--strategy", "sma_crossover", "--seed", 9, "--ticks", 200)
        assert call(*common, "--config", "config.yaml") == call(*common)


def test_other_peoples_text_cannot_steer_the_terminal(call, home):
    write(home, "printing", PRINTING + "    if tick['seq'] == 9:\n        raise ValueError('\\x1b[31m')\n")
    said = call("eval", "--strategy", "printing", "--seed", 1, "--ticks", 20)
    assert said.code == 1
    assert "ValueError" in said.err
    assert "\x1b" not in said.out + said.err


def test_a_strategy_that_fails_at_its_first_tick_fails_the_run(home, call):
    write(home, "typo", "def on_tick(ctx, tick):\n    ctx.foo()\n")
    said = call("eval", "--strategy", "typo", "--ticks", 60, "--seed", 1)
    assert said.code == 1
    assert "typo stopped: AttributeError: ctx has no 'foo'" in said.err


def test_rejected_orders_are_told(call):
    said = call("eval", "--strategy", "buy_and_hold", "--ticks", 20, "--seed", 1, "--set", "max_position=0.5")
    assert "buy_and_hold: 20 orders rejected, the last: order rejected: position plus pending" in said.out
