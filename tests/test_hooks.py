"""Hooks whose code never runs, which only their being called shows: an error, live as headless."""

from __future__ import annotations

import pytest

from algosim import evaluate, replay
from algosim.errors import StrategyError
from tests.recorded import write_strategy

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("home")]

PLAIN = "\n\ndef calm(ctx, tick=None):\n    pass\n"
LATE = {
    "generator": ("def work(*given):\n    given[0].target(1.0)\n    yield\n", "write it without yield"),
    "coroutine": ("async def work(*given):\n    given[0].target(1.0)\n", "write def without async"),
    "async generator": (
        "async def work(*given):\n    given[0].target(1.0)\n    yield\n",
        "write def without async",
    ),
}


def strategy(home, text, hook):
    """Return a strategy with a hook that a decorator has made; nobody sees its kind without calling it."""
    hooks = [
        f"{name} = {'made(work)' if name == hook else 'calm'}\n" for name in ("init", "on_tick", "on_stop")
    ]
    made = "\n\ndef made(function):\n    return lambda *given: function(*given)\n\n\n"
    return str(write_strategy(home, "late", text + PLAIN + made + "".join(hooks)))


@pytest.mark.parametrize("kind", LATE)
def test_on_tick(home, market, kind):
    text, remedy = LATE[kind]
    path = strategy(home, text, "on_tick")
    sim = market(path, ticks=20).start().wait()
    sim.stop()
    headless = evaluate(path, seed=1, ticks=20)
    assert sim.digest == headless.digest == replay(sim.folder).digest
    for run in (sim, headless):
        [stop] = [event for event in run.recording.members if hasattr(event, "last_ack")]
        assert (stop.seq, stop.last_ack) == (1, 0)
        assert remedy in stop.error
        assert remedy in run.recording.logs[-1].text
        if kind != "async generator":  # which has begun nowhere that could be shown
            assert text.splitlines()[0] in stop.error


@pytest.mark.parametrize("kind", LATE)
def test_init(home, market, kind):
    path = strategy(home, LATE[kind][0], "init")
    for start in (lambda: evaluate(path, seed=1, ticks=20), market(path).start):
        with pytest.raises(StrategyError, match=LATE[kind][1]):
            start()


@pytest.mark.parametrize("kind", LATE)
def test_on_stop(home, market, kind):
    path = strategy(home, LATE[kind][0], "on_stop")
    sim = market(path, ticks=20).start().wait()
    sim.stop()
    for run in (sim, evaluate(path, seed=1, ticks=20)):
        [line] = run.recording.logs
        assert line.level == "error"
        assert LATE[kind][1] in line.text


def test_what_else_a_hook_returns_is_its_own_affair(home):
    for value in ("5", "[1]", "object()", "iter([])"):
        path = write_strategy(
            home, "gives", f"def on_tick(ctx, tick):\n    ctx.target(1.0)\n    return {value}\n"
        )
        assert not evaluate(str(path), seed=1, ticks=20).errors


@pytest.mark.parametrize("read", ["sys.stdin.read()", "input()"])
def test_a_hook_that_asks_finds_nothing_to_read(home, market, read):
    """What its process gets from the run is not its to take."""
    path = str(
        write_strategy(
            home, "asks", f"import sys\n\n\ndef on_tick(ctx, tick):\n    {read}\n    ctx.target(1.0)\n"
        )
    )
    sim = market(path, ticks=20).start().wait()
    sim.stop()
    headless = evaluate(path, seed=1, ticks=20)
    assert sim.digest == headless.digest
    assert [error.splitlines()[-1] for error in headless.errors] == ["EOFError: EOF when reading a line"] * (
        read == "input()"
    )


def test_what_is_no_text_is_no_end_of_a_strategys_process(home, market):
    """A NAME that cannot be written, lines that are no UTF-8: the learner's own error is what is told."""
    broken = {
        "name": "class Name:\n    def __str__(self):\n        return 1 / 0\n\n\nNAME = Name()\n\n\n",
        "line": "print('\\ud800')\n1 / 0\n\n\n",
    }
    for name, text in broken.items():
        path = str(write_strategy(home, name, text + "def on_tick(ctx, tick):\n    pass\n"))
        for start in (lambda path=path: evaluate(path, seed=1, ticks=5), market(path).start):
            with pytest.raises(StrategyError, match="import: ZeroDivisionError: division by zero"):
                start()
