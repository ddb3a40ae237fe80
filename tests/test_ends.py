"""Our ends of pipes: bytes arrive whole and in order, nothing ever waits; also where threads carry them."""

from __future__ import annotations

import contextlib
import os
import select

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.live.ends import bridged, end_of


def piped(make):
    """Return our ends of two pipes, and the other ends as streams."""
    (to_read, to_feed), (to_drain, to_write) = os.pipe(), os.pipe()
    ours = os.fdopen(to_read, "rb", buffering=0), os.fdopen(to_write, "wb", buffering=0)
    theirs = os.fdopen(to_feed, "wb", buffering=0), os.fdopen(to_drain, "rb", buffering=0)
    return make(ours[0], "in"), make(ours[1], "out"), ours, theirs


def close(*things):
    for each in things:
        each.close()


def read_all(end):
    """Read until the other side is closed, as a poll says that there is something."""
    data = b""
    while True:
        assert select.select((end.fd,), (), (), 10.0)[0]
        part = end.read(1000)
        if not part:
            return data
        data += part


both = pytest.mark.parametrize(
    "make", [bridged, pytest.param(end_of, marks=pytest.mark.skipif(os.name == "nt", reason="the same"))]
)


@both
@given(parts=st.lists(st.binary(min_size=1, max_size=3000), max_size=8))
def test_bytes_arrive_whole_and_in_order(make, parts):
    reading, writing, ours, (feed, drain) = piped(make)
    with pytest.raises(BlockingIOError):
        reading.read(1)
    for part in parts:
        feed.write(part)
        assert writing.write(memoryview(part)) == len(part)
    feed.close()
    assert read_all(reading) == b"".join(parts)
    wanted, data = sum(map(len, parts)), b""
    while len(data) < wanted:
        data += drain.read(wanted - len(data))
    assert data == b"".join(parts)
    close(reading, writing, *ours, drain)


@both
def test_a_reader_that_does_not_read_is_not_waited_for(make):
    reading, writing, ours, (feed, drain) = piped(make)
    left, block = 0, memoryview(bytes(1 << 16))
    with contextlib.suppress(BlockingIOError):
        while left < 1 << 28:
            left += writing.write(block)
    assert left < 1 << 28
    while left:
        left -= len(drain.read(min(left, 1 << 20)))
    assert select.select((), (writing.fd,), (), 10.0)[1]
    close(reading, writing, *ours, feed, drain)


@both
def test_a_reader_that_is_gone_is_noticed(make):
    reading, writing, ours, (feed, drain) = piped(make)
    drain.close()
    sent = 0
    with contextlib.suppress(OSError):
        while sent < 10_000_000:
            select.select((), (writing.fd,), (), 10.0)
            sent += writing.write(memoryview(b"x" * 1000))
    assert sent < 10_000_000
    close(reading, writing, *ours, feed)
