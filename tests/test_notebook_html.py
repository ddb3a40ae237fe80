"""What objects look like in a cell's output, as IPython asks for it; and the bar of long computations."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

pytest.importorskip("IPython", reason="IPython is not installed: pip install 'algosim[lab,test]'")

from IPython.core.interactiveshell import InteractiveShell

import algosim
from algosim.board.tables import positions_table
from algosim.board.tidy import Cell, Table
from algosim.core.context import Context
from algosim.core.indicators import Indicators
from algosim.core.strategy import Hooks
from algosim.errors import ConfigError
from algosim.notebook import extension
from algosim.notebook.answers import Findings
from algosim.notebook.cell_errors import fault_of
from algosim.notebook.help_card import HOOKS, TICK, Card
from algosim.notebook.words import Option, read_words, split
from algosim.runs.accounts import Accounts
from algosim.runs.evaluate import evaluate
from algosim.runs.progress import reporting

TAGS = re.compile(r"<style>.*?</style>|<[^>]*>", re.DOTALL)
NASTY = '<img src="x" onerror="alert(1)">'


@pytest.fixture(scope="module")
def shell():
    shell = InteractiveShell()
    extension.load(shell)
    yield shell
    shell.atexit_operations()


@pytest.fixture(scope="module")
def result():
    return evaluate("sma_crossover", seed=3, ticks=800)


def looks(shell, value):
    """Return the HTML and the text of a value."""
    data, _ = shell.display_formatter.format(value)
    return data.get("text/html", ""), data["text/plain"]


def words(html):
    return " ".join(TAGS.sub(" ", html).split())


class TestLooks:
    def test_metrics_stay_a_dict(self, result):
        assert type(result.metrics) is not dict
        assert result.metrics == {name: dict(of) for name, of in result.metrics.items()}
        assert {**result.metrics} == result.metrics

    def test_metrics(self, shell, result):
        html, text = looks(shell, result.metrics)
        figures = result.metrics["sma_crossover"]
        for shown_as in (f"{figures['fills']}", f"{100 * figures['win_rate']:.1f} %"):
            assert shown_as in words(html)
            assert shown_as in text
        assert "total" not in text  # says nothing more than the only account

    def test_several_accounts_have_a_total(self, shell):
        html, text = looks(shell, evaluate(["momentum", "bollinger"], seed=3, ticks=200).metrics)
        assert all(name in text and name in html for name in ("momentum", "bollinger", "total"))

    def test_a_result_is_one_constant_line_of_text(self, shell, result):
        html, text = looks(shell, result)
        assert text == f"<Result 800 ticks, {len(result.trades)} trades>"
        assert result.digest[:12] in html

    def test_a_market_that_has_not_started(self, shell):
        html, text = looks(shell, algosim.Simulation("momentum", seed=5))
        assert text == "<Simulation of momentum>"
        assert "state new" in words(html)
        assert "seed 5" in words(html)

    def test_trades_are_a_frame_and_what_is_cut_out_of_them_too(self, shell, result):
        trades = result.trades
        html, _ = looks(shell, trades)
        assert words(html).count("sma_crossover") == min(20, len(trades))
        assert f"{trades['price'].iloc[-1]:,.4f}" in html
        assert words(looks(shell, trades.tail(2))[0]).count("sma_crossover") == 2
        assert "dataframe" in looks(shell, trades[["price"]])[0]  # pandas' own
        assert trades.groupby("side", observed=True)["qty"].sum().sum() == trades["qty"].sum()

    def test_what_others_wrote_is_escaped(self, shell, tmp_path):
        path = tmp_path / "nasty.py"
        path.write_text(f"def on_tick(ctx, tick):\n    ctx.target(tick['seq'] % 2, tag='{NASTY}')\n", "utf-8")
        html, _ = looks(shell, evaluate(path, seed=1, ticks=20).trades)
        assert "onerror" in html
        assert "<img" not in html
        findings = algosim.doctor(path)
        assert "<img" not in looks(shell, Findings(NASTY, findings))[0]
        assert "<img" not in Table(("", NASTY), [(NASTY, Cell(NASTY, "bad"))]).html()

    def test_a_second_load_changes_nothing(self, shell):
        matchers = list(shell.Completer.custom_matchers)
        extension.load(shell)
        assert shell.Completer.custom_matchers == matchers


class TestCard:
    def test_it_has_all_that_strategies_meet(self):
        card = repr(Card())
        offered = [name for name, _ in inspect.getmembers(Context, inspect.isfunction) if name[0] != "_"]
        made = [name for name, _ in inspect.getmembers(Indicators, inspect.isfunction) if name[0] != "_"]
        for name in offered:
            assert f"ctx.{name}(" in card
        for name in made:
            assert f"ctx.indicator.{name}(" in card
        for name in Context(None, {}, None, {}).__dict__:
            assert name.startswith("_") or f"ctx.{name}" in card

    def test_hooks_and_ticks_are_the_real_ones(self, tmp_path):
        assert {name.lower() for name in HOOKS} == set(Hooks._fields)
        path = tmp_path / "says.py"
        path.write_text("def on_tick(ctx, tick):\n    ctx.log(' '.join(tick))\n", "utf-8")
        (log,) = evaluate(path, seed=1, ticks=1).recording.logs
        assert set(log.text.split()) == set(TICK)


class TestWords:
    OPTIONS = (Option("--seed", "N", "", int), Option("--fast", "", ""), Option("--id", "ID", "", many=True))

    def read(self, line, **rules):
        return read_words(split(line), self.OPTIONS, usage="it", **rules)

    def test_options_assignments_and_the_rest(self):
        said = self.read("run1 --seed 4 --fast a=1 b=[1] x.y=true --id=u --id v", most=1, assigns=True)
        assert said.options == {"seed": 4, "fast": True, "id": ["u", "v"]}
        assert said.assigned == {"a": 1, "b": [1], "x.y": True}
        assert said.rest == ["run1"]

    def test_values_are_read_as_yaml(self):
        said = self.read("a=1 b=0.5 c=true d=text e='two words' f=1e-3", assigns=True)
        assert said.assigned == {"a": 1, "b": 0.5, "c": True, "d": "text", "e": "two words", "f": 1e-3}

    def test_a_backslash_is_part_of_a_path(self):
        assert split(r"export C:\runs\new 'a b'") == ["export", r"C:\runs\new", "a b"]

    @pytest.mark.parametrize("line", ["--sed 1", "--seed", "--fast=1", "word", "'open", "a=1"])
    def test_what_cannot_be(self, line):
        with pytest.raises(ConfigError):
            self.read(line)


class TestFaults:
    def test_the_last_of_the_cells_own_lines_counts(self, tmp_path):
        path = tmp_path / "strategies" / "mine" / "strategy.py"
        frames = (
            "strategies/mine/strategy.py, line 4, in on_tick\n    check(1)\n"
            "strategies/mine/strategy.py, line 7, in check\n    return 1 / 0\n"
            "ZeroDivisionError: division by zero"
        )
        fault = fault_of({"message": "on_tick: ...", "frames": frames}, path)
        assert fault == (
            "ZeroDivisionError: division by zero",
            7,
            "return 1 / 0",
            "line 4, in on_tick\n    check(1)\nline 7, in check\n    return 1 / 0",
        )

    def test_without_lines_the_message_is_all(self, tmp_path):
        fault = fault_of({"message": "on_tick took more than 1 s", "frames": ""}, tmp_path / "strategy.py")
        assert fault == ("on_tick took more than 1 s", 0, "", "")


class TestLight:
    def test_outside_of_a_notebook_nothing_of_one_is_imported(self):
        heavy = ("IPython", "ipywidgets", "numpy", "pandas", "plotly", "zmq")
        code = f"import sys, algosim; print([m for m in {heavy} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=30)
        assert done.stdout.strip() == b"[]"

    def test_nobody_is_told_by_default(self):
        with reporting("evaluating", None) as told:
            assert told is None


def test_an_error_in_the_table_of_accounts_keeps_its_line():
    """The file is the row's own strategy; with it, the line would be cut off."""
    message = "on_tick: ZeroDivisionError: division by zero (strategies/mine/strategy.py, line 7): 1 / 0"
    status = {"strategies": {"mine": {"state": "failed", "error": {"message": message}}}}
    assert "division by zero, line 7" in positions_table(Accounts(100.0), status, 10.0)
