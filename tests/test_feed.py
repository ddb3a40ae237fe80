"""What a strategy's host takes from the stream: everything that is its own, in order, and no hole unseen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.core.desk import Books
from algosim.events import Attach, Control, Remove
from algosim.live.feed import Feed, Hole
from algosim.live.wire import Clear, Stamped, State, TickMessage

HEAD = {"ts_wall": 0, "run_id": "r"}


def tick(seq, commands):
    return TickMessage(
        seq=seq, ts_sim=seq, ts=0, price=1.0, asset_id="X", model_state=None, controls=commands, **HEAD
    )


def command(number, event):
    return Stamped(seq=number, ts_sim=0, event=event, **HEAD)


def clear(seq):
    return Clear(seq=seq, ts_sim=seq, id="a", fills=[], position=0.0, cash=0.0, **HEAD)


def state(seq):
    return State(seq=seq, ts_sim=seq, id="a", books=Books(0.0, 0.0), **HEAD)


def stream(first, last, commands_before):
    """Return a stream in which `a` is attached before tick `first`, among other commands."""
    messages, number = [], 0
    for seq in range(1, last + 1):
        events = [Control(seq=seq, action="set", key="k", value=1.0)] * commands_before.get(seq, 0)
        if seq == first:
            events.append(Attach(seq=seq, id="a", version=1, code="c"))
        for event in events:
            number += 1
            messages.append(command(number, event))
        messages.append(tick(seq, number))
    return messages


def take(feed, messages, version=1):
    for message in messages:
        if isinstance(message, TickMessage):
            feed.tick(message)
        else:
            feed.command(message, version)


def joined(feed, seq):
    """Tell the feed the account after tick `seq`; return the tick from which it is taken over."""
    feed.state(state(seq))
    taken = feed.take_over()
    return taken.seq + 1


def answered(feed, seqs):
    """Clear the account at these ticks and return the ticks that become due."""
    asked = []
    for seq in seqs:
        feed.clear(clear(seq))
        while (due := feed.due()) is not None:
            feed.take()
            asked.append(due[0].seq)
            feed.acked = due[0].seq
    return asked


streams = st.builds(
    stream, st.integers(1, 8), st.integers(9, 12), st.dictionaries(st.integers(1, 12), st.integers(1, 2))
)


@given(messages=streams, since=st.integers(0, 8))
def test_a_whole_stream_gives_every_tick_from_the_attach_on(messages, since):
    """Also to a host that heard nothing of the time before."""
    attach = next(i for i, m in enumerate(messages) if isinstance(m, Stamped) and isinstance(m.event, Attach))
    first, last = messages[attach].event.seq, messages[-1].seq
    feed = Feed("a")
    take(feed, messages[min(since, attach) :])
    assert joined(feed, first - 1) == first
    assert len(feed) == last - first + 1
    assert answered(feed, range(first, last + 1)) == list(range(first, last + 1))


@given(messages=streams, data=st.data())
def test_any_message_that_is_missing_is_noticed(messages, data):
    """By the next tick at the latest."""
    attach = next(i for i, m in enumerate(messages) if isinstance(m, Stamped) and isinstance(m.event, Attach))
    lost = data.draw(st.integers(attach + 1, len(messages) - 2))
    feed = Feed("a")
    take(feed, messages[:lost])
    following = next(i for i in range(lost + 1, len(messages)) if isinstance(messages[i], TickMessage))
    with pytest.raises(Hole):
        take(feed, messages[lost + 1 : following + 1])


def test_a_missing_clearing_is_noticed():
    feed = Feed("a")
    take(feed, stream(1, 5, {}))
    assert joined(feed, 0) == 1
    assert answered(feed, [1, 2]) == [1, 2]
    with pytest.raises(Hole, match="clearing of tick 3"):
        answered(feed, [4])


def test_ticks_of_others_and_from_after_the_removal_are_not_its_own():
    feed = Feed("a")
    take(feed, stream(3, 6, {}))
    assert joined(feed, 2) == 3
    take(feed, [command(2, Attach(seq=7, id="b", version=1, code="c")), tick(7, 2)])
    take(feed, [command(3, Remove(seq=8, id="a")), tick(8, 3), tick(9, 3)])
    assert answered(feed, range(3, 7)) == [3, 4, 5, 6]
    assert not feed.left
    assert answered(feed, [7]) == [7]
    assert feed.left


def test_clearings_of_the_time_without_the_strategy_are_not_for_it():
    feed = Feed("a")
    take(feed, stream(1, 4, {}))
    assert joined(feed, 0) == 1
    assert answered(feed, [1]) == [1]
    feed.detach()
    feed.clear(clear(2))
    take(feed, [tick(5, 1), command(2, Attach(seq=6, id="a", version=2, code="d")), tick(6, 2)], version=2)
    assert feed.due() is None
    feed.clear(clear(5))
    assert joined(feed, 5) == 6
    assert answered(feed, [6]) == [6]


@given(
    first=st.integers(1, 4),
    gap=st.integers(0, 3),
    lost_after=st.integers(0, 2),
    order=st.randoms(use_true_random=False),
)
def test_what_was_for_a_version_that_has_gone_is_not_for_the_next_one(first, gap, lost_after, order):
    """The stream and the account's frames come on two ways, each in order, and neither waits for the other.

    Version 1 is attached before tick `first` and lost when its host has heard some of that; version 2, which
    was imported beside it, is attached `gap` ticks later.
    """
    again = first + gap
    ticks = [tick(seq, 1 if seq < again else 2) for seq in range(first, again + 3)]
    attach = [command(n, Attach(seq=seq, id="a", version=n, code="c")) for n, seq in ((1, first), (2, again))]
    account = [state(first - 1), state(again - 1)]
    clears = [clear(seq) for seq in range(first, again + 3)]
    ways = [
        [attach[0], *ticks[:gap], attach[1], *ticks[gap:]],
        [account[0], *clears[:gap], account[1], *clears[gap:]],
    ]
    feed, version, heard, begun, asked = Feed("a"), 1, 0, [], []
    while any(ways):
        # What is for version 2 comes after the host has told that it is imported.
        open_ways = [
            way
            for way in ways
            if way and (version == 2 or not any(way[0] is each for each in (attach[1], account[1])))
        ]
        if version == 1 and (heard == lost_after or not open_ways):
            feed.detach()
            version, begun, asked = 2, [], []
            continue
        message = order.choice(open_ways).pop(0)
        heard += 1
        if isinstance(message, Clear):
            feed.clear(message)
        elif isinstance(message, State):
            feed.state(message)
        else:
            take(feed, [message], version)
        if (taken := feed.take_over()) is not None:
            begun.append(taken.seq + 1)
        while (due := feed.due()) is not None:
            feed.take()
            asked.append(due[0].seq)
    assert begun == [again]
    assert asked == [again, again + 1, again + 2]
