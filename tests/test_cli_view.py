"""The faces of a live run, the picture and the lines, drawn from runs that `evaluate` recorded."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from algosim.cli.lines import Lines
from algosim.cli.view import Figures, Size, dashboard
from algosim.runs.evaluate import evaluate
from algosim.runs.recording import Recording

NAMES = ["momentum", "bollinger", "random_trader", "sma_crossover", "buy_and_hold", "mean_reversion"]
SIZES = [Size(80, 24), Size(120, 40)]


@pytest.fixture(scope="module")
def one():
    return evaluate("sma_crossover", seed=42, ticks=3000)


@pytest.fixture(scope="module")
def many():
    return evaluate(NAMES, seed=42, ticks=3000)


def status_of(names, **other):
    health = {"state": "running", "version": 1, "position": 0.0, "error": None}
    return {
        "state": "running",
        "waiting_for": [],
        "ticks_per_s": 6.7,
        "speed": 1.0,
        "gaps": 0,
        "foreign": 0,
        "strategies": {name: dict(health) for name in names},
    } | other


def draw(recording, status, config, figures, size):
    console = Console(file=io.StringIO(), width=size.width, height=size.height)
    console.print(dashboard(recording, status, config, figures, size))
    return console.file.getvalue().splitlines()


def begun(result):
    """Return the same run before its first tick."""
    recording = Recording()
    recording.add([result.recording.start])
    return recording


class TestPicture:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("run", ["one", "many"])
    def test_fits_and_keeps_its_height(self, request, run, size):
        result = request.getfixturevalue(run)
        status = status_of(result.recording.accounts())
        later = draw(
            result.recording, status, result.config, Figures(result.metrics, result.rolling_metrics), size
        )
        waiting = status | {"state": "waiting", "waiting_for": ["sma_crossover (import 3.1 s)"]}
        first = draw(begun(result), waiting, result.config, Figures({}, {}), size)
        assert len(first) == len(later) < size.height
        assert max(map(len, first + later)) <= size.width

    def test_headings_stand_where_they_stood(self, one):
        status = status_of(one.recording.accounts())
        later = draw(one.recording, status, one.config, Figures(one.metrics, one.rolling_metrics), SIZES[0])
        first = draw(begun(one), status, one.config, Figures({}, {}), SIZES[0])
        titles = [(i, line) for i, line in enumerate(first) if "equity" in line or "tag" in line]
        assert len(titles) == 2
        assert all(later[i] == line for i, line in titles)

    def test_shows_the_figures(self, many):
        status = status_of(NAMES[:2])
        drawn = draw(
            many.recording, status, many.config, Figures(many.metrics, many.rolling_metrics), Size(120, 40)
        )
        for name in (*NAMES[:2], "total"):
            figures = many.metrics[name]
            (row,) = [line for line in drawn if line.startswith(name) and "±" in line]
            assert row.split()[1:] == [
                f"{figures['final_equity']:,.2f}",
                f"{figures['pnl']:+,.2f}",
                f"{100 * figures['max_drawdown']:,.2f}",
                "%",
                f"{figures['sharpe']:,.1f}",
                "±",
                f"{figures['sharpe_se']:,.1f}",
                f"{100 * figures['exposure']:,.2f}",
                "%",
                f"{figures['fills']:,}",
            ]

    def test_shows_the_last_trades_newest_first(self, one):
        drawn = draw(one.recording, status_of(["sma_crossover"]), one.config, Figures({}, {}), Size(80, 24))
        times = [line.split()[0] for line in drawn if " BUY " in line or " SELL " in line]
        assert len(times) >= 5
        assert times == [f"{fill.ts_sim / 1e9:,.3f}" for fill in one.recording.fills[: -len(times) - 1 : -1]]

    def test_names_strategies_that_have_no_row(self, many):
        drawn = draw(many.recording, status_of(NAMES), many.config, Figures({}, {}), SIZES[0])
        assert "2 more strategies" in drawn[1]

    def test_shows_what_is_unusual(self, one):
        status = status_of(["sma_crossover"], gaps=3, foreign=1200)
        status["strategies"]["sma_crossover"] |= {
            "state": "failed",
            "error": {"message": "ZeroDivisionError: x"},
        }
        drawn = draw(one.recording, status, one.config, Figures({}, {}), SIZES[0])
        assert "gaps 3" in drawn[1]
        assert "foreign 1,200" in drawn[1]
        assert any("failed" in line and "ZeroDivisionError: x" in line for line in drawn)

    def test_shows_other_peoples_text_as_text(self):
        code = evaluate("buy_and_hold", seed=1, ticks=20)
        fill = code.recording.fills[0]
        fill.tag = "[red]\x1b[2J"
        drawn = draw(code.recording, status_of(["buy_and_hold"]), code.config, Figures({}, {}), Size(120, 30))
        assert any("[red]?[2J" in line for line in drawn)
        assert not any("\x1b" in line for line in drawn)


class TestLines:
    def grown(self, result, steps):
        """Give a recording the run's events in parts; yield the lines after each."""
        whole, recording = result.recording, begun(result)
        lines = Lines(recording, result.config)
        for first in range(0, len(whole), steps):
            last = min(first + steps, len(whole))
            recording.add_ticks(whole.ticks_between(first + 1, last))
            for events in (whole.members, whole.orders, whole.fills, whole.logs):
                recording.add([event for event in events if first < event.seq <= last])
            yield lines, recording, lines.news()

    def test_every_fill_is_told_once(self, one):
        told = [
            line for _, _, news in self.grown(one, 20) for line in news if "BUY" in line or "SELL" in line
        ]
        assert told == [
            f"[{fill.ts_sim / 1e9:,.3f} s] sma_crossover: {fill.side} {fill.qty:g} at {fill.price:,.4f}, "
            f'position {fill.position:g} "{fill.tag}"'
            for fill in one.recording.fills
            if fill.seq <= len(one.recording)
        ]

    def test_a_flood_is_cut_and_counted(self, many):
        ((_, _, news),) = self.grown(many, len(many.recording))
        fills = [line for line in news if "BUY" in line or "SELL" in line]
        (more,) = [line for line in news if line.endswith("fills more")]
        cut = int(more.split()[-3].replace(",", ""))
        assert len(fills) + cut == sum(fill.seq <= len(many.recording) for fill in many.recording.fills)
        assert len(fills) < 50

    def test_equity_is_that_of_the_run_at_every_look(self, many):
        curve = many.equity["total"].to_numpy()
        for lines, recording, _ in self.grown(many, 500):
            shown = lines.standing(status_of(NAMES)).rpartition("equity ")[2]
            assert shown == f"{curve[len(recording) - 1]:,.2f}"

    def test_says_what_a_run_waits_for(self, one):
        status = status_of([], state="waiting", waiting_for=["sma_crossover (import 3.1 s)"])
        assert Lines(begun(one), one.config).standing(status) == "waiting for sma_crossover (import 3.1 s)"

    def test_tells_of_logs_and_strategies_that_stop(self, tmp_path):
        path = tmp_path / "loud.py"
        path.write_text(
            "def on_tick(ctx, tick):\n    print('at', tick['seq'])\n    1 / (3 - tick['seq'])\n", "utf-8"
        )
        result = evaluate(path, seed=1, ticks=10)
        news = Lines(result.recording, result.config).news()
        assert "before tick 1: loud trades, version 1" in news
        assert "before tick 3: loud stopped: ZeroDivisionError: division by zero" in news
        assert [line for line in news if "print" in line] == [
            f"tick {n}, loud, print: at {n}" for n in (1, 2, 3)
        ]
