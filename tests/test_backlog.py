"""Blocks reach the recorder in order and without a gap, whatever happens to it on the way."""

from __future__ import annotations

import msgspec
import zmq
from hypothesis import given
from hypothesis import strategies as st

from algosim.events import Event, Log, Tick
from algosim.live.backlog import BUNDLE_S, Backlog
from algosim.live.wire import Confirm

_bundle = msgspec.json.Decoder(list[list[Event]])


class Recorder:
    """Takes frames as the recorder's socket does; confirms what it has written when it is asked to."""

    def __init__(self):
        self.frames = []
        self.written = []
        self.connected = True

    def send(self, frame, flags):
        assert flags == zmq.NOBLOCK
        if not self.connected:
            raise zmq.Again
        self.frames.append(frame)

    def write(self):
        for frame in self.frames:
            for block in _bundle.decode(frame):
                if block[0].seq == len(self.written) + 1:
                    self.written.append(block)
        self.frames.clear()

    def confirm(self, *, fresh=False):
        head = {"ts_sim": 0, "ts_wall": 0, "run_id": "r", "token": "t"}
        return Confirm(seq=len(self.written), fresh=fresh, **head)


def block(seq, text=""):
    return [Tick(seq=seq, ts_sim=10 * seq, price=1.0), Log(seq=seq, id="a", text=text, end=True)]


def listening(window=256):
    recorder = Recorder()
    backlog = Backlog(recorder, window)
    backlog.confirmed(recorder.confirm(fresh=True))
    return recorder, backlog


def test_blocks_share_a_frame_once_the_first_has_waited():
    recorder, backlog = listening()
    for seq in (1, 2, 3):
        backlog.keep(block(seq))
        backlog.send(100.0)
    assert not recorder.frames
    backlog.send(100.0 + BUNDLE_S)
    assert len(recorder.frames) == 1
    recorder.write()
    assert recorder.written == [block(seq) for seq in (1, 2, 3)]


def test_a_window_of_one_does_not_wait():
    recorder, backlog = listening(window=1)
    backlog.keep(block(1))
    backlog.send(100.0)
    assert len(recorder.frames) == 1


def test_a_quarter_of_the_window_does_not_wait():
    recorder, backlog = listening(window=12)
    for seq in (1, 2, 3):
        assert not recorder.frames
        backlog.keep(block(seq))
        backlog.send(100.0)
    assert len(recorder.frames) == 1


def test_long_blocks_have_frames_of_their_own():
    recorder, backlog = listening()
    for seq in (1, 2, 3):
        backlog.keep(block(seq, "x" * 200_000))
    backlog.send(100.0)
    backlog.send(101.0)
    assert len(recorder.frames) == 3


def test_done_is_what_is_confirmed():
    recorder, backlog = listening()
    for seq in (1, 2):
        backlog.keep(block(seq))
    assert (backlog.done, backlog.done_time, len(backlog)) == (0, 0, 2)
    backlog.send(100.0)
    backlog.send(101.0)
    recorder.write()
    assert backlog.confirmed(recorder.confirm())
    assert (backlog.done, backlog.done_time, len(backlog)) == (2, 20, 0)
    assert not backlog.confirmed(recorder.confirm())


@given(st.lists(st.sampled_from(["keep", "send", "write", "confirm", "die", "return"]), max_size=80))
def test_nothing_is_lost_or_out_of_order(steps):
    recorder, backlog = listening(window=8)
    kept, now = 0, 100.0
    for step in [*steps, "return", "send", "send", "write", "confirm"]:
        now += BUNDLE_S
        if step == "keep":
            kept += 1
            backlog.keep(block(kept))
        elif step == "send":
            backlog.send(now)
        elif step == "write":
            recorder.write()
        elif step == "confirm" and recorder.connected:
            backlog.confirmed(recorder.confirm())
        elif step == "die":
            recorder.connected = False
            recorder.frames.clear()
        elif step == "return":
            recorder.connected = True
            backlog.confirmed(recorder.confirm(fresh=True))
        assert backlog.done <= len(recorder.written)
    assert [entry[0].seq for entry in recorder.written] == list(range(1, kept + 1))
    assert (backlog.done, len(backlog)) == (kept, 0)
