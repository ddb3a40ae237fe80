"""Errands are carried out one after another, the newest of a kind, whatever became of the one before."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("ipywidgets")

from algosim.notebook.errands import Errands

WITHIN_S = 10.0


@pytest.fixture
def failures():
    return []


@pytest.fixture
def errands(failures):
    made = Errands(failures.append)
    yield made
    made.close()


def settled(errands):
    """Wait until all that was asked before is done."""
    done = threading.Event()
    errands.ask(done.set)
    assert done.wait(WITHIN_S)


def test_they_keep_their_order_and_outlive_a_failure(errands, failures):
    seen = []

    def fail():
        raise ValueError("no")

    for number in range(3):
        errands.ask(lambda number=number: seen.append(number))
        errands.ask(fail)
    settled(errands)
    assert seen == [0, 1, 2]
    assert [str(error) for error in failures] == ["no"] * 3


def test_of_errands_with_one_key_the_newest_is_carried_out(errands):
    gate, seen, done = threading.Event(), [], []
    last = threading.Event()
    errands.ask(gate.wait)
    for value in range(20):
        errands.ask(lambda value=value: seen.append(value), key="sigma", done=lambda: done.append(1))
    errands.ask(lambda: seen.append("other"), key="kappa")
    errands.ask(last.set, key="last")
    gate.set()
    assert last.wait(WITHIN_S)
    assert seen == [19, "other"]
    assert len(done) == 20  # each of them was answered


def test_the_same_key_waits_a_little_and_others_pass_it(errands):
    seen, last = [], threading.Event()
    errands.ask(lambda: seen.append("first"), key="slider")
    settled(errands)
    errands.ask(lambda: (seen.append("second"), last.set()), key="slider")
    errands.ask(lambda: seen.append("button"))
    assert last.wait(WITHIN_S)
    assert seen == ["first", "button", "second"]


def test_closing_drops_what_waits_and_leaves_no_thread(failures):
    before = threading.active_count()
    errands, gate, seen = Errands(failures.append), threading.Event(), []
    began = threading.Event()
    errands.ask(lambda: (began.set(), gate.wait()))
    assert began.wait(WITHIN_S)
    errands.ask(lambda: seen.append("late"))
    closer = threading.Thread(target=errands.close)
    closer.start()
    gate.set()
    closer.join(WITHIN_S)
    errands.ask(lambda: seen.append("too late"))
    assert threading.active_count() == before
    assert seen == []
