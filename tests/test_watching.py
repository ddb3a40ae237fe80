"""A save is seen once it has settled, and once only."""

from __future__ import annotations

import pytest

from algosim.live.watching import Watch


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("one", "utf-8")
    return path


def test_a_save_is_seen_once_after_it_has_settled(file):
    watch = Watch(file, on=True)
    assert [watch.changed() for _ in range(3)] == [False, False, False]
    file.write_text("another", "utf-8")
    assert [watch.changed() for _ in range(4)] == [False, True, False, False]


def test_what_somebody_loads_anyway_is_no_news(file):
    watch = Watch(file, on=True)
    file.write_text("another", "utf-8")
    watch.note()
    assert [watch.changed() for _ in range(3)] == [False, False, False]
    file.write_text("and a third", "utf-8")
    assert [watch.changed() for _ in range(3)] == [False, True, False]


def test_a_look_between_the_save_and_the_load_does_not_make_it_news(file):
    watch = Watch(file, on=True)
    file.write_text("another", "utf-8")
    assert not watch.changed()
    watch.note()
    assert [watch.changed() for _ in range(3)] == [False, False, False]
