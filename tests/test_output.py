"""What of a strategy's words is shown: never more than its allowance, and never a change of the rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from algosim.live.output import Allowance, cut

LEVELS = st.sampled_from(["print", "log", "reject"])
LINES = st.lists(st.tuples(LEVELS, st.text(max_size=40)), max_size=30)


@given(lines=LINES, most=st.integers(0, 2000))
def test_what_fits_is_kept_and_the_rest_counted(lines, most):
    shown = cut(lines, most)
    if shown == lines:
        return
    *kept, (level, text) = shown
    assert kept == [line for line in lines if line in kept][: len(kept)]
    assert sum(len(said) for _, said in kept) <= most
    assert level == "log"
    assert text.startswith(f"... {len(lines) - len(kept)} more lines")


def test_a_few_words_are_not_touched():
    assert cut([("print", "a"), ("log", "b")], 1000) == [("print", "a"), ("log", "b")]
    assert cut([], 0) == []


def test_errors_are_shown_whatever_else_was_said():
    flood = [("print", "x" * 100)] * 50
    assert ("error", "why") in cut([*flood, ("error", "why")], 1000)
    allowance = Allowance(1000)
    allowance.admit(flood, 0.1)
    assert allowance.admit([("print", "more"), ("error", "why")], 0.2) == [("error", "why")]


@given(parts=st.lists(st.tuples(LINES, st.floats(0.0, 3.0)), max_size=20))
def test_no_second_shows_more_than_its_allowance(parts):
    most = 500
    allowance, shown = Allowance(most), {}
    for lines, now in sorted(parts, key=lambda part: part[1]):
        for _, text in allowance.admit(lines, now):
            if not text.startswith("... "):
                shown[int(now)] = shown.get(int(now), 0) + len(text)
    assert max(shown.values(), default=0) <= most


def test_the_cut_is_told_once_a_second():
    flood, allowance = [("print", "x" * 100)] * 50, Allowance(1000)
    told = [
        text for now in (0.0, 0.3, 0.9, 1.0, 1.5) for _, text in allowance.admit(flood, now) if "more" in text
    ]
    assert len(told) == 2
