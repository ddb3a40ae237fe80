"""What of a strategy's words is shown: never more than its allowance, and the rest is counted to the line."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from algosim import replay
from algosim.live.output import Allowance, Output, cut
from tests.live_markets import until

LEVELS = st.sampled_from(["print", "log", "reject"])
LINES = st.lists(st.tuples(LEVELS, st.text(alphabet="abc ", max_size=40)), max_size=30)
TOLD = re.compile(r"\.\.\. ([\d,]+) more lines are not shown \(limits\.output_kb\)")


def counted(lines):
    """Return how many lines are shown, and how many others are told of."""
    told = [match[1] for _, text in lines if (match := TOLD.fullmatch(text))]
    return len(lines) - len(told), sum(int(number.replace(",", "")) for number in told)


@given(lines=LINES, most=st.integers(0, 2000))
def test_what_fits_is_kept_and_the_rest_counted(lines, most):
    kept, more = cut(lines, most)
    assert kept == lines[: len(kept)]
    assert len(kept) + more == len(lines)
    assert sum(len(said) for _, said in kept) <= most


def test_a_few_words_are_not_touched():
    assert cut([("print", "a"), ("log", "b")], 1000) == Output([("print", "a"), ("log", "b")])
    assert cut([], 0) == Output([])


def test_errors_are_shown_whatever_else_was_said():
    flood = [("print", "x" * 100)] * 50
    assert ("error", "why") in cut([*flood, ("error", "why")], 1000).lines
    allowance = Allowance(1000)
    shown = len(allowance.admit(Output(flood), 0.1))
    told, error = allowance.admit(Output([("print", "more"), ("error", "why")]), 0.2)
    assert error == ("error", "why")
    assert counted([told]) == (0, 51 - shown)


@given(parts=st.lists(st.tuples(LINES, st.integers(0, 5), st.floats(0.0, 3.0)), max_size=20), last=LINES)
def test_no_second_shows_more_than_its_allowance_and_no_line_is_lost(parts, last):
    most = 500
    allowance, shown, said, seen = Allowance(most), {}, len(last), []
    for lines, more, now in sorted(parts, key=lambda part: part[2]):
        said += len(lines) + more
        admitted = allowance.admit(Output(lines, more), now)
        seen += admitted
        for _, text in admitted:
            if not TOLD.fullmatch(text):
                shown[int(now)] = shown.get(int(now), 0) + len(text)
    seen += allowance.last(Output(last))
    assert max(shown.values(), default=0) <= most
    assert sum(counted(seen)) == said


def test_the_cut_is_told_once_a_second():
    flood, allowance = Output([("print", "x" * 100)] * 50), Allowance(1000)
    told = [text for now in (0.0, 0.3, 0.9, 1.0, 1.5, 2.0) for _, text in allowance.admit(flood, now)]
    assert len([text for text in told if TOLD.fullmatch(text)]) == 2


CHATTER = """
def on_tick(ctx, tick):
    for i in range(400):
        print(tick["seq"], i)
    if tick["seq"] == ctx.get_param("fails"):
        raise ValueError("enough")


PARAMS = {"fails": 0}


def on_stop(ctx):
    for i in range(3000):
        print("bye", i)
"""


def chatter(home, name):
    path = home / "strategies" / f"{name}.py"
    path.write_text(CHATTER, "utf-8")
    return {"path": str(path)}


class TestLive:
    """Fast printing, as people meet it: what is shown and what is told of are all that was said."""

    def lines(self, sim, name):
        return counted([(log.level, log.text) for log in sim.recording.logs if log.id == name])

    def test_to_the_end_of_the_run(self, home, market):
        sim = market({"a": chatter(home, "a")}, ticks=300, settings={"limits.output_kb": 20}).start().wait()
        sim.stop()
        shown, told = self.lines(sim, "a")
        assert told > 100_000
        assert shown + told == 300 * 400 + 3000
        assert replay(sim.folder).digest == sim.digest

    def test_up_to_its_failure_or_its_removal(self, home, market):
        """An error line tells of it at once; the strategy that leaves has its last words."""
        fails = {**chatter(home, "a"), "params": {"fails": 20}}
        sim = market({"a": fails, "b": chatter(home, "b")}, settings={"limits.output_kb": 20})
        sim.run_until(ticks=30).remove("b").step(1)  # it leaves before the next tick
        until(lambda: sum(self.lines(sim, "b")) == 30 * 400 + 3000, "its last words")
        sim.stop()
        assert sum(self.lines(sim, "a")) == 20 * 400 + 1
        assert sum(self.lines(sim, "b")) == 30 * 400 + 3000
