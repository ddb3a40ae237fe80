"""``%algosim`` in a real kernel, over a real market: what each word does, and what a wrong one gets."""

from __future__ import annotations

import json
import os
import re

import psutil
import pytest

from algosim.notebook.commands import COMMANDS
from algosim.runs.evaluate import evaluate

pytest.importorskip("ipykernel", reason="ipykernel is not installed: pip install 'algosim[lab,test]'")

from tests.kernels import Kernel

pytestmark = [pytest.mark.live, pytest.mark.slow]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A workspace of the kernel's own."""
    folder = tmp_path_factory.mktemp("magics")
    for name in ("home/strategies", "runtime"):
        (folder / name).mkdir(parents=True, mode=0o700)
    return folder / "home"


@pytest.fixture(scope="module")
def kernel(home):
    kernel = Kernel(home, os.environ | {"XDG_RUNTIME_DIR": str(home.parent / "runtime")})
    assert kernel.run("import algosim, json").text == ""
    yield kernel
    kernel.close()


def value(kernel, expression):
    """Return the value of an expression in the kernel."""
    cell = kernel.run(f"print(json.dumps({expression}))")
    assert cell.status == "ok", cell.text
    return json.loads(cell.text)


@pytest.fixture
def started(kernel):
    """Start a fresh market and name it `sim`."""

    def start(line="--strategy momentum --seed 7 --speed 20"):
        cell = kernel.run(f"sim = %algosim start {line}")
        assert cell.status == "ok", cell.text

    return start


class TestWords:
    def test_an_import_brings_the_magics_and_little_else(self, home):
        other = Kernel(home, os.environ)
        try:
            heavy = "[m for m in ('numpy', 'pandas', 'plotly', 'ipywidgets') if m in sys.modules]"
            assert other.run(f"import sys, algosim; print({heavy})").text == "[]\n"
            assert other.run("%load_ext algosim\n%load_ext algosim").status == "ok"
            assert "start" in other.run("%algosim help").text
        finally:
            other.close()

    def test_help_lists_every_subcommand(self, kernel):
        said = kernel.run("%algosim help").text
        assert [line.split()[1] for line in said.splitlines()[: len(COMMANDS)]] == list(COMMANDS)

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_subcommand_explains_itself(self, kernel, name):
        said = kernel.run(f"%algosim help {name}").text
        assert said.startswith(f"%algosim {name}")
        assert COMMANDS[name].about in said

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("pauze", "did you mean 'pause'?"),
            ("start --sed 42", "did you mean '--seed'?"),
            ("start --seed", "--seed needs a value"),
            ("start --seed x", "'x' is not a whole number"),
            ("start --strategy sma_crosover", "did you mean 'sma_crossover'?"),
            ("start --speed fast", "schedule.speed"),
            ("start sigm=1", "did you mean 'sigma'?"),
            ("set", "%algosim set sigma=0.4"),
            ("set sigma = 0.4", "write sigma=0.4, in one word"),
            ("set sigma 0.4", "write sigma=0.4, in one word"),
            ("set my sigma=0.4", "'my' has no meaning here"),
            ("sigma=0.4", "write %algosim set sigma=0.4"),
            ("speed 5", "write %algosim set speed=5"),
            ("pause now", "write: %algosim pause"),
            ("replay nothing", "no run 'nothing' here"),
            ("doctor nothing", "nothing"),
            ("help pauze", "did you mean 'pause'?"),
            ("present --prot 1", "did you mean '--port'?"),
            ("set 'sigma=1", "a quote is not closed"),
        ],
    )
    def test_a_wrong_word_gets_one_line(self, kernel, line, words):
        cell = kernel.run(f"%algosim {line}")
        assert cell.status == "error"
        assert words in cell.text
        assert len(cell.text.splitlines()) == 1
        assert len(cell.outputs) == 1

    @pytest.mark.parametrize(
        ("text", "first"),
        [
            ("%algosim st", ["start", "step", "stop", "status", "strategies"]),
            ("x = %algosim metr", ["metrics"]),
            ("%algosim start --se", ["--seed"]),
            ("%algosim start --strategy sma", ["sma_crossover"]),
            ("%algosim start --config g", ["gbm"]),
            ("%algosim set sig", ["sigma="]),
            ("%algosim set model.ka", ["model.kappa="]),
            ("%algosim set mode=", ["poisson", "fixed"]),
            ("%algosim help ct", ["ctx"]),
            ("%%strategy my_sma --k", ["--keep-state"]),
            ("%%strategy sma_crossover fa", ["fast="]),
        ],
    )
    def test_tab(self, kernel, text, first):
        assert kernel.complete(text) == first

    def test_set_offers_nothing_that_waits_for_a_reset(self, kernel):
        offered = kernel.complete("%algosim set ")
        assert "sigma=" in offered
        assert "execution.latency_ms=" in offered
        assert not {"seed=", "model.type=", "run.seed=", "type="} & set(offered)

    def test_question_mark_shows_examples(self, kernel):
        (page,) = kernel.run("%algosim?").reply["payload"]
        assert "%algosim start --strategy sma_crossover --seed 42" in page["data"]["text/plain"]


class TestMarket:
    def test_a_run_is_that_of_evaluate(self, kernel, started):
        started("--strategy momentum --seed 7 --ticks 300 --speed max")
        kernel.run("sim.wait()\nresult = %algosim stop")
        expected = evaluate("momentum", seed=7, ticks=300)
        assert value(kernel, "result.digest") == expected.digest
        assert "replayed: no event differs" in kernel.run("%algosim replay").text
        assert f"digest {expected.digest[:12]}" in kernel.run("result").text

    def test_pause_and_steps(self, kernel, started):
        started()
        paused = kernel.run("sim.wait(ticks=5)\n%algosim pause").text
        tick = value(kernel, "len(sim.recording)")
        assert paused.startswith(f"paused at tick {tick}, ")
        assert kernel.run("%algosim step 10").text.startswith(f"stepped to tick {tick + 10}, ")
        assert kernel.run("%algosim step").text.startswith(f"stepped to tick {tick + 11}, ")
        assert value(kernel, "len(sim.recording)") == tick + 11
        assert kernel.run("%algosim resume").status == "ok"
        assert kernel.run(f"sim.wait(ticks={tick + 13})").status == "ok"

    def test_settings_act_from_the_next_tick(self, kernel, started):
        started()
        said = kernel.run(
            "sim.wait(ticks=3)\n%algosim set sigma=0.4 latency_ms=200\n%algosim pause\n%algosim step"
        ).text
        assert "model.sigma = 0.4, execution.latency_ms = 200 from the next tick on" in said
        controls = value(kernel, "[[c.key, c.value] for c in sim.recording.controls if c.action == 'set']")
        assert controls == [["model.sigma", 0.4], ["execution.latency_ms", 200.0]]
        refused = kernel.run("%algosim set seed=1")
        assert refused.status == "error"
        assert "reset" in refused.text

    def test_a_strategys_parameters(self, kernel, started):
        started()
        assert "momentum: window = 5" in kernel.run("%algosim set --id momentum window=5").text
        kernel.run("sim.wait(ticks=len(sim.recording) + 5)")
        versions = value(kernel, "[m.params for m in sim.recording.members if m.version == 2]")
        assert versions == [{"window": 5}]
        assert "did you mean 'window'?" in kernel.run("%algosim set --id momentum windw=5").text
        assert kernel.complete("%algosim set --id ") == ["momentum"]
        assert "window=" in kernel.complete("%algosim set --id momentum ")

    def test_what_it_shows(self, kernel, started):
        started("--strategy momentum --seed 7 --ticks 300 --speed max")
        kernel.run("sim.wait()")
        expected = evaluate("momentum", seed=7, ticks=300)
        assert value(kernel, "get_ipython().run_line_magic('algosim', 'metrics') == sim.metrics")
        assert value(kernel, "len(get_ipython().run_line_magic('algosim', 'trades'))") == len(expected.trades)
        trades = kernel.run("%algosim trades 2").text
        assert trades.count("momentum") == 2
        status = kernel.run("%algosim status").text
        assert "finished" in status
        assert f"tick {300}" in status

    def test_export_and_runs(self, kernel, started, home):
        started("--strategy momentum --seed 7 --ticks 20 --speed max")
        kernel.run("sim.wait()\n%algosim stop")
        assert kernel.run("%algosim export copy").status == "ok"
        assert (home / "copy" / "digest.txt").read_text("utf-8").strip() == value(kernel, "sim.digest")
        name = value(kernel, "sim.run_id")
        assert name in kernel.run("%algosim runs").text
        assert name in kernel.complete("%algosim replay ")
        assert "replayed" in kernel.run(f"%algosim replay {name}").text

    def test_a_new_start_ends_the_old_market(self, kernel, started):
        started()
        old = value(kernel, "[list(sim.status['processes'].values()), sim.run_id]")
        started()
        assert old[1] != value(kernel, "sim.run_id")
        left = psutil.wait_procs(
            [psutil.Process(pid) for pid in old[0] if psutil.pid_exists(pid)], timeout=5
        )[1]
        assert left == []

    def test_start_again_and_reset(self, kernel, started):
        started("--strategy momentum --seed 7 --ticks 20 --speed max")
        kernel.run("sim.wait()")
        first = value(kernel, "[sim.run_id, sim.digest]")
        kernel.run("%algosim start\nsim.wait()")
        second = value(kernel, "[sim.run_id, sim.digest]")
        assert first[0] != second[0]
        assert first[1] == second[1]
        assert "momentum" in kernel.run("%algosim reset").text
        assert value(kernel, "sim.state") in ("starting", "waiting")
        kernel.run("%algosim stop")

    def test_the_newest_market_is_meant(self, kernel, started):
        started()
        kernel.run("mine = algosim.Simulation('bollinger', seed=1, speed=5).start()")
        assert "bollinger" in kernel.run("%algosim status").text
        kernel.run("sim.stop(); mine.stop()")


class TestBar:
    def test_a_long_evaluation_shows_how_far_it_is_and_leaves_nothing(self, kernel):
        cell = kernel.begin("result = algosim.evaluate('sma_crossover', seed=1, ticks=400_000)")
        kernel.until(lambda: "evaluating " in cell.text, "a bar")
        assert "%" in cell.text
        kernel.finish(cell)
        assert cell.status == "ok"
        assert cell.text == ""
        assert [output.content["data"] for output in cell.outputs] == [{}]

    def test_a_short_one_shows_nothing(self, kernel):
        assert kernel.run("result = algosim.evaluate(None, seed=1, ticks=10)").outputs == []


class TestInterrupts:
    def test_an_interrupted_evaluation_says_so_in_a_few_lines_and_leaves_no_process(self, kernel):
        cell = kernel.begin("algosim.evaluate('sma_crossover', seed=1, ticks=20_000_000)")
        kernel.until(lambda: "evaluating " in cell.text, "a bar")
        children = psutil.Process(kernel.manager.provisioner.pid).children(recursive=True)
        assert children
        kernel.manager.interrupt_kernel()
        kernel.finish(cell)
        self.says_it_shortly(cell, "algosim.evaluate(")
        assert psutil.wait_procs(children, timeout=10.0)[1] == []
        assert kernel.run("1 + 1").text == "2"

    def test_an_interrupted_wait_for_a_market_too(self, kernel, started):
        started()
        cell = kernel.begin("print('begun', flush=True)\nsim.run_until(ticks=10_000_000)")
        kernel.until(lambda: "begun" in cell.text, "its begin")
        kernel.manager.interrupt_kernel()
        kernel.finish(cell)
        self.says_it_shortly(cell, "sim.run_until(")
        assert value(kernel, "sim.state") == "paused"
        kernel.run("sim.stop()")

    def test_what_a_cell_does_itself_is_shown_as_ever(self, kernel):
        code = "def mine():\n    print('begun', flush=True)\n    while True: pass\nmine()"
        cell = kernel.begin(code)
        kernel.until(lambda: "begun" in cell.text, "its begin")
        kernel.manager.interrupt_kernel()
        kernel.finish(cell)
        self.says_it_shortly(cell, "mine()", "while True: pass")

    def says_it_shortly(self, cell, *lines):
        (error,) = cell.errors
        assert error["ename"] == "KeyboardInterrupt"
        plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error["traceback"]))
        assert all(line in plain for line in lines)
        assert "site-packages" not in plain
        assert "algosim/" not in plain
        assert len(plain.splitlines()) < 20
