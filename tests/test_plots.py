"""A packed sequence of plots is a list of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from algosim.events import Plot
from algosim.runs.plots import Plots

numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
drawn = st.lists(
    st.builds(
        lambda id, values: (id, values),
        st.sampled_from(["a", "b"]),
        st.dictionaries(st.sampled_from(["SMA(20)", "a", "b", "x y"]), numbers, max_size=3),
    ),
    max_size=12,
)


def filled(listed):
    plots = Plots()
    for plot in listed:
        plots.append(plot)
    return plots


@given(drawn, st.slices(14), st.integers(0, 12))
def test_it_reads_back_as_it_was_filled(points, cut, read_at):
    listed = [Plot(seq=n, id=id, values=values) for n, (id, values) in enumerate(points, 1)]
    plots = filled(listed[:read_at])
    assert list(plots) == listed[:read_at]  # reading in between changes nothing
    for plot in listed[read_at:]:
        plots.append(plot)
    assert len(plots) == len(listed)
    assert list(plots) == listed
    assert plots[cut] == listed[cut]
    assert [plots[i] for i in range(-len(listed), len(listed))] == listed * 2
    assert plots == filled(listed)
    assert plots != filled([*listed, Plot(seq=99, id="a", values={})])
