"""A browser without a browser: connects to a page's websocket and keeps what it is sent."""

from __future__ import annotations

import json
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from websockets.sync.client import connect

LONGEST_S = 20.0


def token_of(address):
    return parse_qs(urlsplit(address).query)["token"][0]


def live_url(page, token=None):
    """Return the websocket's address, with the view-only token if no other is given."""
    place = urlsplit(page.view_address)
    query = urlencode({"token": token_of(page.view_address) if token is None else token})
    return f"ws://{place.netloc}/algosim/live?{query}"


class Viewer:
    """Draws whatever it is sent, and says so unless it is `lazy`.

    Attributes
    ----------
    time, price, equity : list of float
        Of the ticks from number `first` on, as a fast view would have them.
    now : dict
        The numbers that came last.
    html, figures, tick : dict
    frames : list of str
        The kinds of what has come.
    """

    def __init__(self, page, *, window=2_000, fast=True, lazy=False, token=None, **more):
        self.window, self.fast, self.lazy = window, fast, lazy
        self.first, self.time, self.price, self.equity = 1, [], [], []
        self.now, self.html, self.figures, self.tick = {}, {}, {}, {}
        self.frames = []
        self._connection = connect(live_url(page, token), max_size=None, **more)
        self.socket = self._connection.__enter__()
        self.hello()

    def hello(self):
        self.say(kind="hello", window=self.window, fast=self.fast)

    def say(self, **words):
        self.socket.send(json.dumps(words))

    def take(self, within_s=LONGEST_S):
        """Take one frame."""
        frame = self.socket.recv(timeout=within_s)
        if isinstance(frame, bytes):
            self._points(frame)
        else:
            self._words(json.loads(frame))
        if not self.lazy:
            self.say(kind="drawn", n=len(self.frames))

    def _points(self, frame):
        size = int.from_bytes(frame[:4], "little")
        header = json.loads(frame[4 : 4 + size])
        self.frames.append(header["kind"])
        if header["kind"] in ("beat", "ended"):
            return
        rows = np.frombuffer(frame[-(-(4 + size) // 8) * 8 :], "<f8").reshape(4 + len(header["lines"]), -1)
        assert rows.shape[1] == header["count"]
        if header["kind"] == "snapshot":
            self.first, self.time, self.price, self.equity = header["first"], [], [], []
        assert header["first"] == self.first + len(self.time), "a tick is missing"
        for kept, row in zip((self.time, self.price, self.equity), rows, strict=False):
            kept += row.tolist()

    def _words(self, said):
        self.frames.append(said["kind"])
        if said["kind"] == "pieces":
            self.html |= said["html"]
            self.now = said["now"]
        elif said["kind"] == "figure":
            self.figures[said["name"]] = said["figure"]
        else:
            setattr(self, said["kind"], said)

    def until(self, ready, what, within_s=LONGEST_S):
        """Take frames until `ready(self)`."""
        deadline = time.monotonic() + within_s
        while not ready(self):
            left = deadline - time.monotonic()
            if left <= 0.0:
                pytest.fail(f"{what}: not within {within_s:g} s; the last: {self.frames[-8:]}, {self.now}")
            self.take(left)
        return self

    @property
    def last(self):
        """The number of the newest tick."""
        return self.first + len(self.time) - 1

    def close(self):
        self._connection.__exit__(None, None, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
