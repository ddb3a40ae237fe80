"""The doctor: every rule finds its fault on its line, sound strategies pass, and no input stops it."""

from __future__ import annotations

import time
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algosim.config import Model
from algosim.core.context import Context
from algosim.core.desk import Books, Desk
from algosim.core.doctor import MAX_BYTES, Finding, check, errors
from algosim.core.doctor.api import CALLS, INDICATORS, TICK_KEYS, VALUES
from algosim.core.indicators import Indicators
from algosim.core.market import Ticks
from algosim.core.strategy import Runner, hooks_of
from algosim.core.ticks import shown
from algosim.errors import AlgosimError

TREND = '''"""Holds one unit in the direction of two moving averages."""

import math
from collections import deque

import numpy as np

NAME = "Trend"
PARAMS = {"fast": 20, "slow": 50, "qty": 1.0, "smooth": True, "note": None, "hold": 2 * 60, "floor": -1.5}
SIDES = {"long", "short"}


def init(ctx):
    ctx.fast = ctx.indicator.SMA(ctx.get_param("fast"))
    ctx.slow = ctx.indicator.EMA(window=ctx.get_param("slow", 50))
    ctx.bands = ctx.indicator.Bollinger(20, 2.5)
    ctx.recent = deque(maxlen=10)
    ctx.trades = ctx.losses = 0
    ctx.set_state("entries", [])
    ctx.noise, ctx.scale = np.random.normal(size=5), 1.0


def spread(ctx, price, *, weight=1.0):
    fast, slow = ctx.fast.update(price), ctx.slow.update(price)
    if fast is None or slow is None:
        return None
    return weight * (fast - slow)


def on_tick(ctx, tick):
    price = tick["price"]
    ctx.recent.append(price)
    gap = spread(ctx, price, weight=ctx.scale)
    bands = ctx.bands.update(price)
    if gap is None or bands is None or not math.isfinite(gap):
        return
    side = "long" if gap > 0 else "short"
    assert side in SIDES
    qty = ctx.get_param("qty", 1)
    ctx.target(qty if gap > 0 else -qty, tag=f"gap {gap:.2f}")
    ctx.plot("gap", gap)
    ctx.plot("rms", float(np.sqrt(np.mean(np.square(ctx.recent)))))
    while True:
        ctx.trades += 1
        if ctx.trades % 2 == 0 or ctx.pending() == 0:
            break


def on_stop(ctx):
    ctx.log(f"{ctx.trades} ticks, position {ctx.position():g}, {sorted(SIDES)}")


if __name__ == "__main__":
    import time

    print(time.time(), input("run it? "))
'''

COIN = """import random
from datetime import datetime, timezone

import numpy as np

PARAMS: dict[str, float] = {"qty": 1, "p": 0.5, "every": 5}
rng = np.random.default_rng(7)


class Book:
    def __init__(self, ctx):
        self.ctx = ctx
        self.seen = {}

    def update(self, tick):
        self.seen[tick["asset_id"]] = tick.get("price", 0.0)
        return sum(1 for name in set(["a", "b"]) if name in self.seen)


def init(context):
    context.book = Book(context)
    context.side = None
    context.count = context.kept("count", 0)
    context.last = context.time()


def on_tick(context, tick, /, *rest):
    context.count += 1
    context.set_state("count", context.count)
    context.book.update(tick)
    when = datetime.fromtimestamp(tick["ts"] / 1e9, tz=timezone.utc)
    if context.count % int(context.get_param("every")) or when.year < 2000:
        return
    if random.random() < context.get_param("p"):
        context.side = random.choice(("BUY", "SELL"))
        context.place_market_order(context.side, qty=abs(context.rng.normal()) + rng.random() + 0.1)
    elif abs(context.position() + context.pending()) > 3:
        context.target(0)
    state = tick.get("model_state") or {}
    for key, value in sorted(state.items()):
        context.plot(key, value)
"""

REVERSION = """PARAMS = dict(window=20, enter=2.0, qty=1)


class Signal:
    def __init__(self, z):
        self.z = z

    def __call__(self, value):
        return 0 if value is None else -1 if value > self.z else 1 if value < -self.z else 0

    def __hash__(self):
        return hash(self.z) ^ 3


def flatten(engine):
    if engine.position() != 0:
        engine.target(0, "flat")


def make(weight):
    def on_each(ctx, tick):
        tick["mid"] = weight * tick["price"]
        score = ctx.score.update(tick["mid"])
        order = ctx.place_market_order
        wanted = ctx.signal(score)
        past = ctx.history(5)
        if wanted and past[-1] == tick["price"] and not ctx.position():
            order("BUY" if wanted > 0 else "SELL", ctx.qty, tag=None)
        elif score is not None and abs(score) < 0.5:
            flatten(ctx)
        try:
            while True:
                ctx.queue.pop()
        except IndexError:
            ctx.log(ctx.equity() - ctx.cash())

    return on_each


def init(ctx):
    ctx.qty = ctx.get_param("qty")
    ctx.score = ctx.indicator.ZScore(ctx.get_param("window"))
    ctx.signal = Signal(ctx.get_param("enter"))
    ctx.queue = [1, 2, 3]
    ctx.close = lambda: ctx.target(0)


on_tick = make(1.0)
"""

SPEC_TEMPLATE = """NAME = "SMA Crossover"
PARAMS = {"fast": 20, "slow": 50, "qty": 1}

def init(ctx):
    ctx.set_state("fast", ctx.get_param("fast", 20))
    ctx.slow = ctx.indicator.SMA(ctx.get_param("slow", 50))
    ctx.fast = ctx.indicator.SMA(ctx.get_state("fast"))

def on_tick(ctx, tick):
    f, s = ctx.fast.update(tick["price"]), ctx.slow.update(tick["price"])
    if f is None or s is None:
        return
    pos = ctx.position()
    if f > s and pos <= 0:
        ctx.place_market_order("BUY", abs(pos) + ctx.get_param("qty", 1), tag="up")
    elif f < s and pos >= 0:
        ctx.place_market_order("SELL", abs(pos) + ctx.get_param("qty", 1), tag="down")

def on_stop(ctx):
    pass
"""

SOUND = {"trend": TREND, "coin": COIN, "reversion": REVERSION, "template": SPEC_TEMPLATE}

HOOK = "def on_tick(ctx, tick):\n    "
"""Puts one statement on line 2, inside ``on_tick``."""

CALM = "def on_tick(ctx, tick):\n    pass\n"
"""A strategy of two lines without faults; what is tested follows from line 3."""


def play(source: str) -> None:
    """Run a strategy on 60 ticks with the core's own classes; raises where it does not work."""
    module = types.ModuleType("strategy")
    exec(compile(source, "strategy.py", "exec"), module.__dict__)
    desk = Desk(Books(0.0, 10_000.0), [], max_position=1e6, max_orders=100)
    runner = Runner(hooks_of(module.__dict__, "strategy"), desk, params={}, rng_seed=1, kept={})
    runner.start(0)
    prices = 100.0 + np.cumsum(np.random.default_rng(3).normal(size=60))
    ticks = Ticks(1, np.arange(1, 61) * 10**8, prices, np.zeros(60))
    for tick in shown(ticks, 0, Model(), 0):
        desk.now, desk.price = tick["ts_sim"], tick["price"]
        desk.prices.append(desk.price)
        desk.seen += 1
        runner.hooks.on_tick(runner.ctx, tick)
    runner.stop(desk.now)
    rejected = [text for level, text in desk.logs if level == "reject"]
    if rejected:
        raise AlgosimError(rejected[0])


@pytest.mark.parametrize("source", SOUND.values(), ids=SOUND.keys())
def test_sound_strategies_run_and_give_no_findings(source):
    play(source)
    assert check(source) == []
    assert check(source.encode()) == []
    assert check(source.replace("\n", "\r\n").encode()) == []
    assert check(b"\xef\xbb\xbf" + source.encode()) == []


def test_shipped_strategies_give_no_findings():
    files = sorted((Path(__file__).parents[1] / "strategies").glob("*/strategy.py"))
    assert files
    assert [finding for file in files for finding in check(file.read_bytes(), str(file))] == []


FAILING = [
    # source, rule, line, word in the message
    ("", "missing-hook", 1, "on_tick"),
    ("x = 1\n", "missing-hook", 1, "on_tick(ctx, tick)"),
    ("class S:\n    def on_tick(self, ctx, tick):\n        pass\n", "missing-hook", 2, "inside S"),
    ("class S:\n    if 1:\n        def on_tick(s, c, t):\n            pass\n", "missing-hook", 3, "inside S"),
    ("def init(ctx):\n    def on_tick(ctx, tick):\n        pass\n", "missing-hook", 2, "inside init"),
    ("def on_tik(ctx, tick):\n    pass\n", "misspelt-hook", 1, "on_tick(ctx, tick)"),
    ("x = 1\ndef onTick(ctx, tick):\n    pass\n", "misspelt-hook", 2, "on_tick"),
    ("def on_bar(ctx, bar):\n    pass\n", "misspelt-hook", 1, "on_tick"),
    ("on_tick = 5\n", "hook-not-callable", 1, "function"),
    ("on_tick = None\n", "hook-not-callable", 1, "function"),
    (CALM + "init = {}\n", "hook-not-callable", 3, "init(ctx)"),
    ("def on_tick(tick):\n    pass\n", "hook-arguments", 1, "(ctx, tick)"),
    ("def on_tick(ctx, tick, extra):\n    pass\n", "hook-arguments", 1, "extra"),
    ("def on_tick(ctx, tick, *, size):\n    pass\n", "hook-arguments", 1, "size"),
    ("on_tick = lambda ctx: None\n", "hook-arguments", 1, "(ctx)"),
    ("def tick(ctx):\n    pass\non_tick = tick\n", "hook-arguments", 1, "on_tick"),
    (CALM + "def init():\n    pass\n", "hook-arguments", 3, "init(ctx)"),
    (CALM + "def on_stop(ctx, tick):\n    pass\n", "hook-arguments", 3, "on_stop(ctx)"),
    ("def on_tick(tick, ctx):\n    ctx.target(tick['price'])\n", "hook-arguments", 1, "order"),
    (HOOK + "ctx.plase_market_order('BUY', 1)\n", "unknown-call", 2, "place_market_order"),
    (HOOK + "ctx.buy(1)\n", "unknown-call", 2, "'buy'"),
    ("def on_tick(c, t):\n    c.postion()\n", "unknown-call", 2, "position"),
    (HOOK + "act(ctx)\ndef act(engine):\n    engine.taget(1)\n", "unknown-call", 4, "target"),
    (
        HOOK + "act(c=ctx)\ndef act(c):\n    deep(1, c)\ndef deep(n, e):\n    e.lgo(n)\n",
        "unknown-call",
        6,
        "log",
    ),
    (HOOK + "[ctx.lgo(x) for x in (1, 2)]\n", "unknown-call", 2, "log"),
    (HOOK + "def f():\n        ctx.lgo(1)\n    f()\n", "unknown-call", 3, "log"),
    (HOOK + "ctx.indicators.SMA(20)\n", "unknown-attribute", 2, "indicator"),
    (
        "def init(ctx):\n    ctx.fast = ctx.indicator.SMA(2)\n" + HOOK + "ctx.fsat.update(1.0)\n",
        "unknown-attribute",
        4,
        "'fast'",
    ),
    (HOOK + "ctx.indicator.sma(20)\n", "unknown-indicator", 2, "'SMA'"),
    (HOOK + "ctx.indicator.Ichimoku(20)\n", "unknown-indicator", 2, "ZScore"),
    (HOOK + "ctx.indicator.SMA()\n", "wrong-arguments", 2, "window"),
    (HOOK + "ctx.indicator.SMA(20, 2)\n", "wrong-arguments", 2, "too many"),
    (HOOK + "ctx.get_param()\n", "wrong-arguments", 2, "name"),
    (HOOK + "ctx.position('X')\n", "wrong-arguments", 2, "ctx.position()"),
    (HOOK + "ctx.place_market_order('BUY')\n", "wrong-arguments", 2, "qty"),
    (HOOK + "ctx.place_market_order('BUY', quantity=1)\n", "wrong-arguments", 2, "'quantity'"),
    (HOOK + "ctx.set_state('a')\n", "wrong-arguments", 2, "value"),
    (HOOK + "ctx.log('a', 1)\n", "wrong-arguments", 2, "ctx.log(text)"),
    (HOOK + "if ctx.position > 0:\n        pass\n", "missing-parentheses", 2, "ctx.position()"),
    (HOOK + "x = 1 + ctx.cash\n", "missing-parentheses", 2, "ctx.cash()"),
    (HOOK + "x = abs(ctx.position)\n", "missing-parentheses", 2, "ctx.position()"),
    (HOOK + "x = -ctx.pending\n", "missing-parentheses", 2, "ctx.pending()"),
    (HOOK + "x = ctx.history[-1]\n", "missing-parentheses", 2, "ctx.history(n)"),
    (HOOK + "for p in ctx.history:\n        pass\n", "missing-parentheses", 2, "ctx.history(n)"),
    (
        HOOK + "pos = ctx.position\n    if pos <= 0:\n        pass\n",
        "missing-parentheses",
        2,
        "ctx.position()",
    ),
    (HOOK + "x = ctx.position.size\n", "missing-parentheses", 2, "ctx.position()"),
    (HOOK + "ctx.rng()\n", "not-a-call", 2, "ctx.rng.normal()"),
    (HOOK + "ctx.indicator('SMA', 20)\n", "not-a-call", 2, "ctx.indicator.SMA(20)"),
    (HOOK + "ctx.place_market_order('buy', 1)\n", "wrong-side", 2, '"BUY"'),
    (HOOK + "ctx.place_market_order(1, 1)\n", "wrong-side", 2, '"SELL"'),
    (HOOK + "ctx.place_market_order(side='long', qty=1)\n", "wrong-side", 2, "BUY"),
    (HOOK + "s = 'Sell'\n    ctx.place_market_order('Buy' if s else s, 1)\n", "wrong-side", 3, "BUY"),
    (HOOK + "ctx.place_market_order('BUY', 0)\n", "wrong-quantity", 2, "above 0"),
    (HOOK + "ctx.place_market_order('SELL', -1.5)\n", "wrong-quantity", 2, "above 0"),
    (HOOK + "ctx.place_market_order('BUY', '1')\n", "wrong-quantity", 2, "number"),
    (HOOK + "ctx.target('flat')\n", "wrong-quantity", 2, "number"),
    (HOOK + "ctx.set_state('sma', ctx.indicator.SMA(3))\n", "state-not-json", 2, "attribute"),
    (HOOK + "ctx.set_state('f', lambda x: x)\n", "state-not-json", 2, "attribute"),
    (CALM + "def init(ctx):\n    ctx.place_market_order('BUY', 1)\n", "order-outside-tick", 4, "init"),
    (CALM + "def on_stop(c):\n    c.target(1)\n", "order-outside-tick", 4, "on_stop"),
    (HOOK + "p = tick.price\n", "tick-attribute", 2, 'tick["price"]'),
    (
        "def on_tick(ctx, t):\n    p = mid(t)\ndef mid(row):\n    return row.prise\n",
        "tick-attribute",
        4,
        "price",
    ),
    (HOOK + "p = tick['prise']\n", "unknown-tick-key", 2, "'price'"),
    (HOOK + "p = tick['volume']\n", "unknown-tick-key", 2, "asset_id"),
    (HOOK + "p = tick[0]\n", "unknown-tick-key", 2, "name"),
    (CALM + "PARAMS = [20, 50]\n", "bad-params", 3, "dict"),
    (CALM + "PARAMS = None\n", "bad-params", 3, "dict"),
    (CALM + "PARAMS = {'fast', 'slow'}\n", "bad-params", 3, "dict"),
    (CALM + "PARAMS = {\n    1: 20,\n}\n", "bad-params", 4, "quotes"),
    (CALM + "PARAMS = {'f': lambda x: x}\n", "bad-params", 3, "'f'"),
    (CALM + "PARAMS = {'z': 2j}\n", "bad-params", 3, "'z'"),
]
"""Strategies that fail when they are run, as a test below makes sure."""

REFUSED = [
    # found and refused although such a strategy could be made to run, or fails in a way that takes long
    ("async def on_tick(ctx, tick):\n    pass\n", "async-hook", 1, "async"),
    ("x = 1\n" + HOOK + "yield tick\n", "generator-hook", 3, "yield"),
    (CALM + "def init(ctx):\n    ctx.x = 1\n    yield from ()\n", "generator-hook", 5, "init"),
    (HOOK + "if ctx.position:\n        pass\n", "missing-parentheses", 2, "ctx.position()"),
    (HOOK + "x = not ctx.pending\n", "missing-parentheses", 2, "ctx.pending()"),
    (HOOK + "x = ctx.position == 0\n", "missing-parentheses", 2, "ctx.position()"),
    (HOOK + "ctx.position\n", "missing-parentheses", 2, "ctx.position()"),
    (CALM + "PARAMS = {\n    'a': 1,\n    'a': 2,\n}\n", "bad-params", 5, "twice"),
    (CALM + "PARAMS = {'f': 1e999}\n", "bad-params", 3, "finite"),
    (CALM + "PARAMS = {'f': {1, 2}}\n", "bad-params", 3, "'f'"),
    (HOOK + "x = input('go?')\n", "waits-for-input", 2, "input()"),
    (HOOK + "breakpoint()\n", "waits-for-input", 2, "breakpoint()"),
    ("from pdb import set_trace as stop\n" + HOOK + "stop()\n", "waits-for-input", 3, "pdb.set_trace"),
    ("def on_tick(ctx, tick)\n    pass\n", "syntax", 1, "expected ':'"),
    ("x = (1,\ny = 2\n", "syntax", 1, "never closed"),
    ("x = 1\n  y = 2\n", "syntax", 2, "indent"),
    ("if 1:\n\tx = 1\n        y = 2\n", "syntax", 3, "spaces"),
    ("x = 'a\n", "syntax", 1, "string"),
    (CALM + "return 3\n", "syntax", 3, "return"),
    (CALM + "break\n", "syntax", 3, "break"),
    (CALM + "def f(a, a):\n    pass\n", "syntax", 3, "duplicate"),
    (CALM + "x = '\0'\n", "null-byte", 3, "null byte"),
    (CALM.encode() + b"x = 'caf\xe9'\n", "not-utf8", 3, "0xe9"),
    (CALM.encode("utf-16"), "not-utf8", 1, "UTF-16"),
    (CALM + "x = '\ud800'\n", "not-utf8", 3, "UTF-8"),
]

SUSPICIOUS = [
    ("# -*- coding: latin-1 -*-\n" + CALM, "not-utf8", 1, "latin-1"),
    (CALM + "def initialize(ctx):\n    pass\n", "misspelt-hook", 3, "init(ctx)"),
    (CALM + "def init_(ctx):\n    pass\n", "misspelt-hook", 3, "init(ctx)"),
    (CALM + "def on_start(ctx):\n    pass\n", "misspelt-hook", 3, "init(ctx)"),
    (CALM + "def on_stp(ctx):\n    pass\n", "misspelt-hook", 3, "on_stop(ctx)"),
    (HOOK + "ctx.position = 3\n", "hidden-name", 2, "ctx.position"),
    (HOOK + "x = ctx.memory\n", "unknown-attribute", 2, "ctx.memory"),
    (HOOK + "setattr(ctx, 'a', 1)\n    ctx.postion()\n", "unknown-call", 3, "position"),
    (HOOK + "p = tick.get('prise')\n", "unknown-tick-key", 2, "'price'"),
    (CALM + "NAME = 5\n", "bad-name", 3, "text"),
    ("FAST = 3\n" + CALM + "PARAMS = {'fast': FAST}\n", "bad-params", 4, "'fast'"),
    (CALM + "PARAMS = load()\n", "bad-params", 3, "write it out"),
    (CALM + "PARAMS = dict(**OTHER)\n", "bad-params", 3, "write it out"),
    ("A = 'a'\n" + CALM + "PARAMS = {A: 3}\n", "bad-params", 4, "write it out"),
    (CALM + "PARAMS = {**OTHER}\n", "bad-params", 3, "write it out"),
    ("PARAMS = {'a': 2}\nB = dict(PARAMS)\n" + HOOK + "ctx.get_param('b')\n", "unknown-param", 4, "'b'"),
    ("PARAMS = {'fast': 20}\n" + HOOK + "ctx.get_param('fats', 20)\n", "unknown-param", 3, "'fast'"),
    (HOOK + "ctx.get_param('fast')\n", "unknown-param", 2, "'fast'"),
    ("import time\n" + HOOK + "x = time.time()\n", "wall-clock", 3, "ctx.time()"),
    ("import time as t\n" + HOOK + "t.sleep(1)\n", "wall-clock", 3, "time.sleep"),
    ("from time import time\n" + HOOK + "x = time()\n", "wall-clock", 3, "time.time"),
    ("from time import perf_counter as now\n" + HOOK + "x = now()\n", "wall-clock", 3, "perf_counter"),
    (HOOK + "import time\n    x = time.monotonic()\n", "wall-clock", 3, "monotonic"),
    ("import datetime\n" + HOOK + "x = datetime.datetime.now()\n", "wall-clock", 3, "datetime.datetime.now"),
    ("from datetime import datetime as d\n" + HOOK + "x = d.utcnow()\n", "wall-clock", 3, "utcnow"),
    ("from datetime import date\n" + HOOK + "x = date.today()\n", "wall-clock", 3, "today"),
    ("import pandas as pd\n" + HOOK + "x = pd.Timestamp.now()\n", "wall-clock", 3, "Timestamp"),
    ("import time\n" + HOOK + "x = time.gmtime()\n", "wall-clock", 3, "gmtime"),
    ("import os\n" + HOOK + "x = os.urandom(8)\n", "unseeded-random", 3, "ctx.rng"),
    ("import secrets\n" + HOOK + "x = secrets.randbelow(8)\n", "unseeded-random", 3, "secrets.randbelow"),
    ("from uuid import uuid4\n" + HOOK + "x = uuid4()\n", "unseeded-random", 3, "uuid.uuid4"),
    ("import random\nr = random.SystemRandom()\n" + CALM, "unseeded-random", 2, "SystemRandom"),
    ("import random\nrandom.seed()\n" + CALM, "unseeded-random", 2, "random.seed"),
    ("import random\nr = random.Random()\n" + CALM, "unseeded-random", 2, "random.Random"),
    ("import numpy as np\nr = np.random.default_rng()\n" + CALM, "unseeded-random", 2, "default_rng"),
    (
        "from numpy import random\nr = random.default_rng(seed=None)\n" + CALM,
        "unseeded-random",
        2,
        "default_rng",
    ),
    ("import numpy\nnumpy.random.seed()\n" + CALM, "unseeded-random", 2, "numpy.random.seed"),
    (HOOK + "for x in {'a', 'b'}:\n        ctx.log(x)\n", "set-order", 2, "sorted"),
    (HOOK + "for x in set(['a', 'b']):\n        ctx.log(x)\n", "set-order", 2, "sorted"),
    (HOOK + "x = list(frozenset('ab'))\n", "set-order", 2, "sorted"),
    (HOOK + "x = [y for y in {'a', 'b'}]\n", "set-order", 2, "sorted"),
    ("S = {'a', 'b'}\n" + HOOK + "for x in S:\n        ctx.log(x)\n", "set-order", 3, "sorted"),
    (HOOK + "for x in {'a'} | {'b'}:\n        ctx.log(x)\n", "set-order", 2, "sorted"),
    (HOOK + "for x in set('a b'.split()):\n        ctx.log(x)\n", "set-order", 2, "sorted"),
    (HOOK + "for x in {str(n) for n in (1, 2)}:\n        ctx.log(x)\n", "set-order", 2, "sorted"),
    (HOOK + "x = [*{'a', 'b'}]\n", "set-order", 2, "sorted"),
    (HOOK + "ctx.log(','.join({'a', 'b'}))\n", "set-order", 2, "sorted"),
    (HOOK + "x = sorted([ctx, tick], key=id)\n", "hash-order", 2, "id()"),
    (HOOK + "x = max([1], key=lambda v: hash(v))\n", "hash-order", 2, "hash()"),
    (HOOK + "x = max([1], key=lambda v: (1, hash(v)))\n", "hash-order", 2, "hash()"),
    (HOOK + "if hash('a') % 2:\n        pass\n", "hash-order", 2, "hash()"),
    (HOOK + "x = id(ctx) < 5\n", "hash-order", 2, "id()"),
    ("import socket\n" + CALM, "sandbox", 1, "network"),
    ("import urllib.request\n" + CALM, "sandbox", 1, "urllib"),
    ("from concurrent.futures import ThreadPoolExecutor\n" + CALM, "sandbox", 1, "threads"),
    (CALM + "def f():\n    import requests\n", "sandbox", 4, "requests"),
    ("import os\n" + HOOK + "os.system('ls')\n", "sandbox", 3, "os.system"),
    (HOOK + "open('x.csv', 'w')\n", "sandbox", 2, "ctx.log"),
    (HOOK + "while True:\n        ctx.position()\n", "endless-loop", 2, "never ends"),
    (HOOK + "while True:\n        def f():\n            return 1\n", "endless-loop", 2, "never ends"),
    (HOOK + "while 1:\n        for x in ():\n            break\n", "endless-loop", 2, "never ends"),
]


def names(table):
    return [f"{rule}-{number}" for number, (_, rule, _, _) in enumerate(table)]


def only(findings: list[Finding], rule: str) -> Finding:
    assert [finding.rule for finding in findings] == [rule], findings
    return findings[0]


@pytest.mark.parametrize(("source", "rule", "line", "word"), FAILING, ids=names(FAILING))
def test_an_error_is_found_where_the_strategy_fails(source, rule, line, word):
    finding = only(check(source), rule)
    assert (finding.level, finding.line) == ("error", line)
    assert word in finding.message
    with pytest.raises((AlgosimError, AttributeError, KeyError, TypeError)):
        play(source)


@pytest.mark.parametrize(("source", "rule", "line", "word"), REFUSED, ids=names(REFUSED))
def test_an_error_is_found(source, rule, line, word):
    finding = only(check(source), rule)
    assert (finding.level, finding.line) == ("error", line)
    assert word in finding.message


@pytest.mark.parametrize(("source", "rule", "line", "word"), SUSPICIOUS, ids=names(SUSPICIOUS))
def test_a_warning_is_given(source, rule, line, word):
    finding = only(check(source), rule)
    assert (finding.level, finding.line) == ("warning", line)
    assert word in finding.message


INNOCENT = [
    "from hooks import on_tick\n",
    "from hooks import *\n",
    "import hooks\nglobals().update(vars(hooks))\n",
    "def on_tick(*args):\n    pass\n",
    "def on_tick(ctx, tick, verbose=False, *rest, deep=1, **more):\n    pass\n",
    "import functools\n@functools.cache\ndef on_tick(self):\n    pass\n",
    "on_tick = print\ninit = None\n",
    "on_tick = None\n" + CALM,
    "class Hook:\n    def __call__(self, ctx, tick):\n        pass\non_tick = Hook()\n",
    "if True:\n    def on_tick(ctx, tick):\n        pass\nelse:\n    def on_tick(ctx, tick):\n        pass\n",
    CALM + "def initialize(x):\n    return x\nY = initialize(1)\n",
    CALM + "def prices(n):\n    yield from range(n)\nZ = list(prices(3))\n",
    HOOK + "g = (x for x in (1, 2))\n    def f():\n        yield 1\n    h = lambda: (yield 2)\n",
    HOOK + "ctx.x, (ctx.y, *ctx.z) = 1, (2, 3)\n    ctx.x(ctx.y, ctx.z.q)\n",
    HOOK + "setup(ctx)\n    ctx.anything(1)\n    ctx.other.thing\nfrom my import setup\n",
    HOOK + "ctx = ctx.own\n    ctx.anything()\n",
    HOOK + "f = lambda ctx: ctx.anything()\n    f(3)\n",
    HOOK + "if hasattr(ctx, 'a') and ctx.position() is not None:\n        ctx.place_market_order(*tick)\n",
    HOOK + "ctx.target(**tick)\n    ctx.place_market_order('BUY', *tick)\n    x = ctx.indicator.made\n",
    "import time\n" + HOOK + "try:\n        pass\n    except ValueError as time:\n        time.time()\n",
    HOOK + "act(*tick, ctx)\ndef act(a, b):\n    b.anything()\n",
    "def on_tick(c, t):\n    act(*t, c)\ndef act(a, b):\n    b.anything()\n",
    HOOK + "pos = ctx.position\n    if pos() > 0:\n        pass\n",
    HOOK + "log = ctx.log or print\n    log('x')\n    note = f'{ctx.position() > 0}'\n",
    "def on_tick(c, t):\n    c.log(close('a'))\ndef close(c):\n    return c.upper()\n",
    HOOK + "tick.setdefault('b', 1)\n    tick['b'] += tick.pop('price') + len(tick.items())\n",
    HOOK + "tick['mine'] = 1\n    ctx.log(tick['mine'] or tick.get('mine'))\n",
    HOOK + "k = 'a'\n    ctx.log(tick[k])\n    tick = object()\n    tick.price\n",
    "PARAMS = {'a': [1, 2], 'b': {'c': 'd'}, 'e': -(1.5)}\n" + HOOK + "ctx.get_param('a')\n",
    HOOK + "ctx.get_param('free', 3)\n    name = 'x'\n    ctx.get_param(name)\n",
    "PARAMS = {}\nPARAMS.update(late=3)\n" + HOOK + "ctx.get_param('late')\n",
    "PARAMS = {}\nPARAMS['late'] = 3\n" + HOOK + "ctx.get_param('late')\n",
    "from setup import PARAMS\n" + HOOK + "ctx.get_param('a')\n",
    "NAME = f'Mine {1}'\n" + CALM,
    "import datetime, time\nt = datetime.timedelta(1)\nu = time.gmtime(0)\n" + CALM,
    "import time\n" + HOOK + "time = ctx.time\n    x = time()\n",
    "def time():\n    return 1\n" + HOOK + "time()\n",
    "import random, uuid\nrandom.seed(3)\nr = random.Random(4)\nu = uuid.uuid5\nx = random.random()\n" + CALM,
    "import numpy as np\nnp.random.seed(1)\nr = np.random.default_rng([1, 2])\nz = np.random.normal()\n"
    + CALM,
    HOOK + "for x in sorted({'a', 'b'}):\n        pass\n    y = any(n in 'ab' for n in {'a', 'b'})\n",
    HOOK + "for x in {1} | {2} | {3} | set():\n        ctx.get_param(x) or ctx.get_param(3)\n",
    HOOK + "for x in " + " | ".join(["{1}"] * 50) + ":\n        pass\n",
    HOOK + "for x in {1, 2}:\n        pass\n    s = {y for y in {'a'}}\n    n = len(list({'a'}))\n",
    HOOK + "if 'a' in {'a', 'b'} and id(ctx) == id(tick):\n        pass\n",
    "def input():\n    return 1\n" + HOOK + "input()\n",
    "from urllib.parse import quote\nimport os, json\nfrom . import socket\nx = os.path.join('a', 'b')\n"
    + CALM,
    HOOK + "with open('prices.csv') as f:\n        rows = f.read()\n",
    HOOK + "while True:\n        while True:\n            return\n",
    HOOK
    + "try:\n        if 1:\n            while 1:\n                {}[1]\n    except KeyError:\n        1\n",
    HOOK
    + "while True:\n        for x in ():\n            pass\n        else:\n            raise ValueError\n",
    HOOK
    + "from contextlib import suppress\n    with suppress(KeyError):\n        while 1:\n            {}[0]\n",
    "if __name__ == '__main__':\n    while True:\n        input()\nelse:\n    x = 1\n" + CALM,
    "# coding: utf-8\nx = 'Grüße'; y = r'\\d'; z = '\\d'\n" + CALM,
]


@pytest.mark.parametrize("source", INNOCENT)
def test_what_may_work_is_left_alone(source):
    assert check(source) == []


def test_the_rules_know_what_the_engine_offers():
    desk = Desk(Books(0.0, 0.0), [], max_position=1.0, max_orders=1)
    ctx = Context(desk, {}, np.random.default_rng(1), {})
    assert {name for name in dir(ctx) if not name.startswith("_")} == {*CALLS, *VALUES}
    assert {name for name in dir(Indicators()) if not name.startswith("_")} == {*INDICATORS, "made"}
    assert str(CALLS["place_market_order"]) == "(side, qty, tag=None)"
    one = Ticks(1, np.array([5]), np.array([100.0]), np.zeros(1))
    assert tuple(sorted(next(iter(shown(one, 0, Model(), 0))))) == tuple(sorted(TICK_KEYS))


def test_findings_are_sorted_and_name_file_column_and_text():
    source = "import time\n" + HOOK + "é = 'ü'; x = time.time(); ctx.tager(1)\n"
    first, second = check(source, "mine.py")
    assert (first.line, first.column, first.source) == (3, 18, source.splitlines()[2])
    assert source.splitlines()[2][first.column - 1 :].startswith("time.time")
    assert second.column > first.column
    assert str(second).startswith("mine.py:3: error: ctx has no call 'tager'")
    assert errors([first, second]) == [second]


def test_all_faults_of_a_strategy_are_listed():
    source = "import time\nPARAMS = {1: 2}\ndef init():\n    pass\n" + HOOK + "tick.price\n    input()\n"
    assert [finding.line for finding in check(source)] == [2, 3, 6, 7]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_python_does(line_end):
    source = line_end.join(["x = '\x0c'", "# \u2028 \x85", "def on_tick(ctx, tick):", "    ctx.lgo(1)", ""])
    assert only(check(source), "unknown-call").line == 4
    assert only(check(source.encode() + b"\xff"), "not-utf8").line == 5


DEEP = {
    "brackets": "x = " + "[" * 10_000 + "]" * 10_000,
    "open brackets": "(" * 10_000,
    "minus signs": "x = " + "-" * 200_000 + "1",
    "attributes": "x = a" + ".b" * 200_000,
    "sum": "x = 1" + "+1" * 200_000,
    "lambdas": "x = " + "lambda: " * 100_000 + "1",
    "blocks": "".join(" " * depth + "if x:\n" for depth in range(1000)),
}

TOO_MANY = ("brackets", "open brackets", "blocks")
"""Python counts these itself."""


@pytest.mark.parametrize(("what", "source"), DEEP.items(), ids=DEEP.keys())
def test_deep_nesting_is_a_finding(what, source):
    finding = only(check(CALM + source + "\n"), "syntax" if what in TOO_MANY else "too-deep")
    assert finding.level == "error"
    assert finding.line >= 3


def test_what_python_just_reads_the_rules_read_too():
    for depth in (50, 90, 900, 2500):
        for source in (
            "x = " + "-" * depth + "1",
            "x = a" + ".b" * depth,
            "x = " + "lambda: " * depth + "ctx",
        ):
            assert {finding.rule for finding in check(CALM + source)} <= {"too-deep"}


def large(line: str) -> str:
    return CALM + line * ((MAX_BYTES - len(CALM)) // len(line))


LARGE = {
    "comments": large("# nothing\n"),
    "one line": CALM + "x = '" + "a" * (MAX_BYTES - 100) + "'\n",
    "unknown calls": large(HOOK + "ctx.position_size_of_a_position()\n"),
    "sets": large("for x in {'a'}: pass\n"),
    "functions": large("def f(a): 0\n"),
    "lambdas": large("x = " + "lambda a: " * 800 + "a\n"),
    "attributes": large("x = a" + ".time" * 800 + "\n"),
    "a name": CALM + "def " + "i" * (MAX_BYTES - 100) + "(): 0\n",
    "a hook again and again": "def f(ctx, tick): 0\n" * 20_000 + "on_tick = f\n" * 20_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("source", LARGE.values(), ids=LARGE.keys())
def test_the_largest_source_takes_bounded_time(source):
    start = time.process_time()
    findings = check(source)
    assert time.process_time() - start < 60.0
    assert len(findings) <= 200


def test_more_than_a_megabyte_is_refused():
    for source in ("#" * (MAX_BYTES + 1), b"#" * (MAX_BYTES + 1), "é" * (MAX_BYTES // 2 + 1)):
        assert only(check(source), "too-large").level == "error"
    assert only(check(b"#" * MAX_BYTES), "missing-hook").line == 1


def whole(findings: list[Finding], source: bytes | str) -> None:
    text = source if isinstance(source, str) else source.decode("utf-8", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert all(1 <= finding.line <= lines and finding.column >= 1 for finding in findings)
    assert findings == sorted(findings, key=lambda finding: finding.line)


@given(st.text() | st.binary())
@example("\ufeff\ufeff")
@example(b"\xff\xfe")
@example("\r\r\n\x0c")
def test_any_input_gives_findings(source):
    findings = check(source)
    whole(findings, source)
    assert errors(findings)


@given(st.sampled_from(sorted(SOUND.values())), st.data())
@settings(max_examples=60)
def test_a_damaged_strategy_gives_findings(source, data):
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, min(start + 60, len(source))))
    damaged = source[:start] + data.draw(st.text(max_size=8)) + source[end:]
    findings = check(damaged)
    whole(findings, damaged)
    try:
        compile(damaged, "strategy.py", "exec")
    except (SyntaxError, ValueError):
        assert errors(findings)
