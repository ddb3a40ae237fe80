"""The page's parts without a server: who may do what, and what waits for a browser that is slow."""

from __future__ import annotations

import asyncio
import json
from functools import reduce
from operator import getitem

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim import evaluate
from algosim.charts.feed import Feed
from algosim.charts.palette import DARK
from algosim.charts.panel_figures import equity_figure, returns_figure
from algosim.charts.point_messages import Message
from algosim.page.audience import Audience, plain
from algosim.page.frames import packed
from algosim.page.pictures import Pictures
from algosim.page.roles import fresh_access, is_local
from algosim.page.seat import AHEAD, Points, Seat

WINDOW = 500
HERE = {"host": "localhost:8501"}


class TestRoles:
    def test_tokens(self):
        access = fresh_access()
        assert access.role(access.drive, {}, "192.0.2.1") == "drive"
        assert access.role(access.view, HERE, None) == "view"
        assert access.drive != access.view
        for wrong in ("x", access.drive[:-1], access.view + "x", "é"):
            assert access.role(wrong, HERE, None) is None

    def test_without_a_token_only_a_page_for_one_person_lets_in_who_sits_at_it(self):
        assert fresh_access().role(None, HERE, None) is None
        access = fresh_access(for_one=True)
        assert access.role(None, HERE, None) == "drive"
        assert access.role(None, HERE | {"origin": "http://localhost:8501"}, None) == "drive"
        assert access.role(None, HERE | {"origin": "http://localhost:3000"}, None) is None  # another's page
        assert access.role("", {"Host": "127.0.0.1:8501"}, "127.0.0.1") == "drive"
        assert access.role(None, {"host": "[::1]:8501"}, "::1") == "drive"
        assert access.role("wrong", HERE, None) is None
        for headers, peer in (
            (HERE, "192.0.2.7"),
            (HERE | {"X-Forwarded-For": "192.0.2.7"}, "127.0.0.1"),
            ({"host": "rebound.example:8501"}, "127.0.0.1"),  # a name that somebody else has led here
            ({"host": "localhost.example:8501"}, None),
            ({}, None),
        ):
            assert access.role(None, headers, peer) is None, (headers, peer)
            assert not is_local({name.lower(): value for name, value in headers.items()}, peer)

    def test_jupyters_proxy_is_known_by_its_secret(self):
        access = fresh_access(proxy="secret")
        come = {"host": "hub.example.org", "X-Algosim-Proxy": "secret", "origin": "https://elsewhere.example"}
        assert access.role(None, come, "127.0.0.1") == "drive"
        assert access.same_origin(come)
        assert access.role(None, come | {"X-Algosim-Proxy": "guess"}, None) is None
        assert access.role(None, HERE, None) is None
        assert fresh_access().role(None, {"x-algosim-proxy": ""}, None) is None

    @pytest.mark.parametrize(
        ("origin", "same"),
        [
            (None, True),  # no page has opened it
            ("http://localhost:8501", True),
            ("http://localhost:8502", False),
            ("http://127.0.0.1:8501", False),
            ("https://example.org", False),
            ("null", False),
            ("", False),
        ],
    )
    def test_origins(self, origin, same):
        headers = HERE if origin is None else HERE | {"origin": origin}
        assert fresh_access(for_one=True).same_origin(headers) is same


@given(st.text(), st.lists(st.floats(allow_nan=False)))
def test_numbers_stand_where_a_browser_can_look_at_them(label, numbers):
    values = np.array(numbers, dtype="<f8")
    frame = packed(Message({"kind": "append", "label": label}, values.tobytes()))
    size = int.from_bytes(frame[:4], "little")
    assert json.loads(frame[4 : 4 + size]) == {"kind": "append", "label": label}
    begin = -(-(4 + size) // 8) * 8
    assert np.frombuffer(frame[begin:], "<f8").tolist() == numbers
    assert len(frame) % 8 == 0


class Browser:
    """One that a test lets draw; it knows what it must not miss."""

    def __init__(self, audience, *, fast=True):
        self.audience, self.seat = audience, audience.enter()
        self.drawn, self.tick, self.slots, self.html = 0, None, {}, {}
        self.say(kind="hello", window=WINDOW, fast=fast)

    def say(self, **words):
        return self.audience.hear(self.seat, json.dumps(words))

    def draw(self, count):
        for _ in range(min(count, self.seat.on_its_way)):
            self._take(asyncio.run(self.seat.next()))
            self.drawn += 1
        self.say(kind="drawn", n=self.drawn)

    def _take(self, frame):
        if isinstance(frame, bytes):
            kind, _, tick = frame.decode().partition(" ")
            if kind == "news":
                assert self.tick is not None
                assert int(tick) == self.tick + 1, "a tick is missing"
            self.tick = int(tick)
            return
        said = json.loads(frame)
        if said["kind"] == "pieces":
            self.html |= said["html"]
        else:
            self.slots[said["kind"]] = said["value"]


class Hall:
    """A server, what is newest in it, and up to three browsers."""

    def __init__(self):
        self.audience, self.now, self.slots, self.html = Audience(), 0, {}, {}
        self.browsers = [Browser(self.audience)]

    def frames(self, count):
        for _ in range(count):
            self.now += 1
            whole = [f"whole {self.now}".encode()] if self.audience.wanted.whole else []
            self.audience.tell({WINDOW: Points([f"news {self.now}".encode()], whole)})

    def put(self, name):
        self.slots[name] = self.slots.get(name, 0) + 1
        self.audience.put(name, json.dumps({"kind": name, "value": self.slots[name]}))

    def piece(self, name):
        self.html[name] = f"{name} at {self.now}"
        self.audience.pieces({name: self.html[name]}, {})

    def draw(self, count):
        self.browsers[count % len(self.browsers)].draw(count)

    def hello(self, who):
        self.browsers[who % len(self.browsers)].say(kind="hello", window=WINDOW)

    def come(self, most):
        if len(self.browsers) < most:
            self.browsers.append(Browser(self.audience))


ACTS = st.one_of(
    st.tuples(st.just("frames"), st.integers(1, 30)),
    st.tuples(st.just("put"), st.sampled_from(["tick", "figure.equity"])),
    st.tuples(st.just("piece"), st.sampled_from(["cards", "log"])),
    st.tuples(st.just("draw"), st.integers(0, 40)),
    st.tuples(st.just("hello"), st.integers(0, 2)),
    st.tuples(st.just("come"), st.just(3)),
)


@given(st.lists(ACTS, max_size=60))
def test_what_waits_is_bounded_and_who_catches_up_sees_the_newest(acts):
    hall = Hall()
    for name, word in acts:
        getattr(hall, name)(word)
        assert all(browser.seat.on_its_way <= AHEAD for browser in hall.browsers)
    for _ in range(2):  # one frame for those that wait for the whole, one for what they lack besides
        for browser in hall.browsers:
            browser.draw(AHEAD)
        hall.frames(1)
    for browser in hall.browsers:
        browser.draw(AHEAD)
        assert browser.seat.on_its_way == 0
        assert (browser.tick, browser.slots, browser.html) == (hall.now, hall.slots, hall.html)


def test_one_without_the_fast_view_is_sent_its_own_window_and_no_points():
    audience = Audience()
    browser, other = Browser(audience, fast=False), Browser(audience)
    assert audience.wanted.plain == audience.wanted.windows == {WINDOW}
    audience.tell({WINDOW: Points([b"news 1"], [b"whole 1"])})
    for window in (WINDOW, 2_000):
        audience.put(plain(window), json.dumps({"kind": "price", "value": window}))
    browser.draw(9)
    other.draw(9)
    assert (browser.tick, browser.slots) == (None, {"price": WINDOW})
    assert (other.tick, other.slots) == (1, {})
    audience.leave(browser.seat)
    assert not audience.wanted.plain
    assert len(audience) == 1


def test_once_no_points_come_the_rest_still_does():
    audience = Audience()
    browser = Browser(audience)
    audience.put("stopped", json.dumps({"kind": "stopped", "value": "why"}))
    assert browser.seat.on_its_way == 0  # it waits for the points
    audience.halt()
    browser.draw(9)
    assert browser.slots == {"stopped": "why"}


def test_a_browser_cannot_have_drawn_what_has_not_left():
    """One that says so without taking anything would let frames wait for it without bound."""

    async def greedy():
        seat = Seat()
        for _ in range(1_000):
            if seat.has_room:
                seat.put("frame")
            seat.drew(10**9)
        assert seat.on_its_way == AHEAD
        for _ in range(AHEAD):
            await seat.next()
        seat.drew(10**9)
        assert seat.on_its_way == 0

    asyncio.run(greedy())


def test_many_windows_are_few_to_the_server():
    audience = Audience()
    for window in range(-1, 60_000, 601):
        seat = audience.enter()
        audience.hear(seat, json.dumps({"kind": "hello", "window": window}))
        assert seat.window >= min(window, 50_000)
    assert len(audience.wanted.windows) < 10


def test_a_figures_numbers_are_sent_once_for_both_themes(home):
    feed = Feed(10_000.0)
    feed.update(evaluate("sma_crossover", seed=1, ticks=800, isolate=False, out=home / "run").recording)
    frames = Pictures().follow(feed, frozenset())
    for name, draw in (("equity", equity_figure), ("returns", returns_figure)):
        expected = draw(feed.series(), DARK)
        sent = json.loads(frames[f"figure.{name}"])["figure"]
        dark = sent["light"]
        for path, value in sent["dark"]:
            *way, last = path
            reduce(getitem, way, dark)[last] = value
        assert dark["layout"] == json.loads(json.dumps(expected["layout"]))
        assert [trace.get("line") for trace in dark["data"]] == [t.get("line") for t in expected["data"]]
        assert "bdata" not in json.dumps(sent["dark"])
