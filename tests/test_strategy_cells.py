"""``%%strategy`` in a real kernel: from a cell to what trades, and what its line says all the while."""

from __future__ import annotations

import json
import os

import pytest

pytest.importorskip("ipykernel", reason="ipykernel is not installed: pip install 'algosim[lab,test]'")

from tests.kernels import Kernel

pytestmark = [pytest.mark.live, pytest.mark.slow]

HOLD = """%%strategy {name} {words}

PARAMS = {{"qty": 1.0}}

def on_tick(ctx, tick):
    ctx.target(ctx.get_param("qty") + {more})
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A workspace of the kernel's own."""
    folder = tmp_path_factory.mktemp("cells")
    for name in ("home/strategies", "runtime"):
        (folder / name).mkdir(parents=True, mode=0o700)
    return folder / "home"


@pytest.fixture(scope="module")
def kernel(home):
    kernel = Kernel(home, os.environ | {"XDG_RUNTIME_DIR": str(home.parent / "runtime")})
    kernel.run("import algosim, json")
    yield kernel
    kernel.close()


@pytest.fixture(scope="class")
def running(kernel):
    """Start a market with a strategy that comes with algosim; it is stopped afterwards."""
    cell = kernel.run("sim = %algosim start --strategy buy_and_hold --seed 3 --speed 20")
    assert cell.status == "ok", cell.text
    yield
    kernel.run("sim.stop()")


def hold(name, words="", more=0):
    return HOLD.format(name=name, words=words, more=more)


def value(kernel, expression):
    """Return the value of an expression in the kernel."""
    cell = kernel.run(f"print(json.dumps({expression}))")
    assert cell.status == "ok", cell.text
    return json.loads(cell.text)


def history(kernel, name):
    """Return what became of a strategy in this run: the events of its membership, and their versions."""
    found = f"[[type(m).__name__, m.version] for m in sim.recording.members if m.id == {name!r}]"
    kernel.run("sim.wait(ticks=len(sim.recording) + 10)")
    return value(kernel, found)


def says(kernel, cell, *words):
    """Wait until a cell's output has these words."""
    kernel.until(lambda: all(word in cell.text for word in words), f"{words} below the cell: {cell.text}")


class TestLine:
    def test_without_a_market_the_next_one_has_it(self, kernel, home):
        cell = kernel.run(hold("patient"))
        assert "no market runs; the next one has it" in cell.text
        written = (home / "strategies" / "patient" / "strategy.py").read_text("utf-8").splitlines()
        assert written[1:] == hold("patient").splitlines()[1:]
        kernel.run("sim = %algosim start --seed 1 --speed 20")
        says(kernel, cell, "patient", "version 1", "trading", "position 1", "ticks")
        kernel.run("sim.stop()")
        says(kernel, cell, "run ended", "position 1")

    def test_a_mended_one_waits_for_the_next_run(self, kernel):
        """What became of its last version in a run that has ended is nothing of this cell's."""
        kernel.run("sim = %algosim start --strategy momentum --seed 1 --speed 20")
        says(kernel, kernel.run(hold("mended").replace("ctx.target", "1 / 0 #")), "failed")
        kernel.run("sim.stop()")
        cell = kernel.run(hold("mended"))
        kernel.run("import time; time.sleep(1)")  # lines are looked at three times a second
        assert "no market runs; the next one has it" in cell.text
        assert "ZeroDivisionError" not in cell.text

    def test_a_kept_one_does_not_join_a_market_that_names_its_own(self, kernel):
        kernel.run(hold("patient"))
        kernel.run("sim = %algosim start --strategy momentum --seed 1 --speed 20")
        assert value(kernel, "list(sim.status['strategies'])") == ["momentum"]
        kernel.run("sim.stop()")


@pytest.mark.usefixtures("running")
class TestLiveLine:
    def test_warming_up_is_counted(self, kernel):
        slow = "%%strategy slow\ndef init(ctx):\n    ctx.sma = ctx.indicator.SMA(90_000)\n\n"
        cell = kernel.run(slow + "def on_tick(ctx, tick):\n    ctx.sma.update(tick['price'])\n")
        says(kernel, cell, "warming up ", "/90000")

    def test_text_never_changes(self, kernel):
        cell = kernel.run(hold("steady"))
        says(kernel, cell, "trading")
        assert cell.outputs[0].content["data"]["text/plain"] == "<strategy steady>"

    def test_another_cell_takes_over_the_line(self, kernel):
        first = kernel.run(hold("passed_on"))
        says(kernel, first, "trading")
        second = kernel.run(hold("passed_on", more=1))
        says(kernel, first, "another cell has this strategy now")
        says(kernel, second, "version 2")
        assert "another cell" in first.text


@pytest.mark.usefixtures("running")
class TestReload:
    def test_each_edit_is_one_version_and_a_rerun_is_none(self, kernel):
        for more in (0, 0, 1, 1, 1, 2):
            assert kernel.run(hold("edited", more=more)).status == "ok"
        assert history(kernel, "edited") == [["Attach", 1], ["Version", 2], ["Version", 3]]
        assert history(kernel, "edited")[3:] == []  # the watcher of files has looked meanwhile

    def test_while_it_loads_nothing_is_said_of_the_version_before(self, kernel):
        says(
            kernel, kernel.run(hold("hurried").replace("ctx.target", "1 / 0 #")), "failed", "division by zero"
        )
        slow = hold("hurried") + "\ndef init(ctx):\n    ctx.n = sum(range(20_000_000))\n"
        cell, seen = kernel.begin(slow), set()
        kernel.until(lambda: seen.add(cell.text) or "trading" in cell.text, "the mended one trades")
        kernel.finish(cell)
        assert not [text for text in seen if "failed" in text or "zero" in text]

    def test_parameters_of_the_line_come_with_it(self, kernel):
        kernel.run(hold("measured", "qty=3"))
        kernel.run(hold("measured", "qty=4", more=1))
        assert history(kernel, "measured") == [["Attach", 1], ["Version", 2]]
        assert value(kernel, "sim.config.strategies['measured'].params") == {"qty": 4}
        assert "did you mean 'qty'?" in kernel.run(hold("measured", "qt=4", more=1)).text

    def test_state_is_kept_where_that_is_wanted(self, kernel):
        text = (
            "%%strategy counting {}\ndef init(ctx):\n    ctx.log('kept %s' % ctx.kept('n'))\n"
            "def on_tick(ctx, tick):\n    ctx.set_state('n', {})\n"
        )
        kernel.run(text.format("", 1))
        kernel.run("sim.wait(ticks=len(sim.recording) + 3)")
        kernel.run(text.format("--keep-state", 2))
        kernel.run("sim.wait(ticks=len(sim.recording) + 3)")
        kernel.run(text.format("", 3))
        assert history(kernel, "counting")[-1] == ["Version", 3]
        logs = value(kernel, "[log.text for log in sim.recording.logs if log.id == 'counting']")
        assert logs == ["kept None", "kept 1", "kept None"]

    def test_a_second_account(self, kernel):
        kernel.run(hold("twice"))
        cell = kernel.run(hold("twice", "--id again qty=5"))
        says(kernel, cell, "again", "trading", "position 5")
        assert history(kernel, "twice") == history(kernel, "again") == [["Attach", 1]]


@pytest.mark.usefixtures("running")
class TestErrors:
    def test_a_cell_that_python_cannot_read(self, kernel, home):
        kernel.run(hold("broken"))
        good = (home / "strategies" / "broken" / "strategy.py").read_text("utf-8")
        cell = kernel.run(hold("broken").replace("get_param(", "get_param(("))
        assert cell.status == "error"
        assert [error["ename"] for error in cell.errors] == ["StrategyError"]
        assert cell.text.splitlines() == [
            "StrategyError: line 6: Python cannot read this line: '(' was never closed",
            '    ctx.target(ctx.get_param(("qty") + 0)',
            "version 1 of broken trades on",
        ]
        assert (home / "strategies" / "broken" / "strategy.py").read_text("utf-8") == good
        assert history(kernel, "broken") == [["Attach", 1]]

    def test_one_that_does_not_load(self, kernel):
        kernel.run(hold("unloved"))
        cell = kernel.run(hold("unloved").replace("PARAMS =", "x = missing\nPARAMS ="))
        assert cell.text.splitlines()[-3:] == [
            "StrategyError: line 3: NameError: name 'missing' is not defined",
            "    x = missing",
            "version 1 of unloved trades on",
        ]
        assert history(kernel, "unloved") == [["Attach", 1]]
        assert value(kernel, "sim.status['strategies']['unloved']['state']") == "trading"

    def test_one_whose_init_fails(self, kernel):
        cell = kernel.run("%%strategy unready\n\ndef init(ctx):\n    1 / 0\n\ndef on_tick(ctx, tick): pass\n")
        assert "StrategyError: line 4: ZeroDivisionError: division by zero\n    1 / 0" in cell.text

    def test_one_that_comes_later_while_another_cell_runs(self, kernel):
        kernel.run(hold("late"))
        text = (
            "%%strategy late\n\ndef on_tick(ctx, tick):\n    check(tick)\n\ndef check(tick):\n    {}['<b>']\n"
        )
        cell = kernel.run(text)
        other = kernel.begin("import time\nfor _ in range(3000): time.sleep(0.01)\nprint('over')")
        says(
            kernel,
            cell,
            "failed",
            "line 7: KeyError: '<b>'".replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;"),
        )
        assert not other.idle
        assert other.text == ""
        assert "line 4, in on_tick" in cell.text
        assert "<b>'" not in cell.outputs[0].content["data"]["text/html"]
        kernel.manager.interrupt_kernel()
        kernel.finish(other)
        mended = kernel.run(hold("late"))
        says(kernel, mended, "trading")
        assert [event for event, _ in history(kernel, "late")][-2:] == ["Detach", "Attach"]

    def test_a_parameter_that_is_no_more(self, kernel):
        kernel.run(hold("renamed", "qty=2"))
        cell = kernel.run(hold("renamed").replace("qty", "size"))
        says(kernel, cell, "version 2", "trading")

    def test_one_that_never_ends_is_shown_with_its_line(self, kernel):
        cell = kernel.run("%%strategy endless\n\ndef on_tick(ctx, tick):\n    while True:\n        pass\n")
        kernel.until(lambda: "on_tick used more than 1 s" in cell.text, "the end of an endless loop")
        places = ("line 4: {} while True:", "line 5: {} pass")
        assert any(place.format("on_tick used more than 1 s") in cell.text for place in places), cell.text

    def test_warnings_are_told_and_do_no_harm(self, kernel):
        cell = kernel.run("%%strategy dicey\nimport time\n\ndef on_tick(ctx, tick):\n    time.time()\n")
        assert cell.status == "ok"
        assert "line 5: " in cell.text

    @pytest.mark.parametrize(
        ("head", "words"),
        [
            ("", "give the strategy a name"),
            ("momentum", "hide it with --force"),
            ("Schön", "try sch_n"),
            ("x --forse", "did you mean '--force'?"),
            ("x --id a/b", "'a/b' cannot be an id"),
            ("x --id buy_and_hold", "another strategy in this market"),
            ("x y", "'y' has no meaning here"),
        ],
    )
    def test_a_line_that_cannot_be(self, kernel, home, head, words):
        cell = kernel.run(f"%%strategy {head}\ndef on_tick(ctx, tick): pass\n")
        assert cell.status == "error"
        assert len(cell.text.splitlines()) == 1
        assert words in cell.text
        assert not (home / "strategies" / "x").exists()

    def test_a_file_that_no_cell_wrote_stays(self, kernel, home):
        path = home / "strategies" / "mine" / "strategy.py"
        path.parent.mkdir()
        path.write_text("def on_tick(ctx, tick): pass\n", "utf-8")
        assert "write over it with --force" in kernel.run(hold("mine")).text
        assert path.read_text("utf-8") == "def on_tick(ctx, tick): pass\n"
        assert kernel.run(hold("mine", "--force")).status == "ok"
        assert "ctx.target" in path.read_text("utf-8")


@pytest.mark.usefixtures("running")
class TestSession:
    def test_the_session_replays(self, kernel):
        for more in range(3):
            kernel.run(hold("replayed", more=more))
            kernel.run("sim.wait(ticks=len(sim.recording) + 5)")
        digest = value(kernel, "sim.stop().digest")
        assert value(kernel, "algosim.replay(sim.folder).digest") == digest


class TestEnd:
    def test_a_line_does_not_look_alive_when_the_kernel_has_ended(self, home):
        kernel = Kernel(home, os.environ | {"XDG_RUNTIME_DIR": str(home.parent / "runtime")})
        kernel.run("import algosim")
        live = kernel.run(hold("orphan"))
        failed = kernel.run("%%strategy dead\ndef on_tick(ctx, tick): 1 / 0\n")
        kernel.run("sim = %algosim start --seed 1 --speed 20")
        says(kernel, live, "trading")
        says(kernel, failed, "line 2: ZeroDivisionError")
        kernel.close()
        assert live.text == "orphan · stopped: the kernel has ended"
        assert "line 2: ZeroDivisionError" in failed.text
