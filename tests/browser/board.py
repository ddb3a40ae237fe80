"""The dashboard below a cell, as a person uses it: buttons, sliders, chart, log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.live_markets import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.notebook import Notebook

ENDS = """area => [...area.querySelectorAll('.js-plotly-plot')].map(plot => plot.data[0]?.x?.at(-1) ?? 0)"""
STALE = """area => [...area.querySelectorAll('.algosim-notice .beat')]
    .some(beat => getComputedStyle(beat, '::after').visibility === 'visible')"""
NOTES = """area => [...area.querySelectorAll('.js-plotly-plot')]
    .flatMap(plot => (plot.layout.annotations ?? []).map(note => note.text))"""


class Board:
    """The dashboard in the output of a notebook's cell.

    Parameters
    ----------
    book : Notebook
    index : int
        Of the cell.
    view : bool
        It is the one in the view that JupyterLab has made of that output.
    """

    def __init__(self, book: Notebook, index: int, *, view: bool = False) -> None:
        self._book = book
        self.area = book.page.locator(".jp-LinkedOutputView") if view else book.output(index)

    def chart(self) -> float:
        """Return the simulated time at the chart's right end [s], once something is drawn; 0.0 before."""
        return max(self.area.evaluate(ENDS), default=0.0)

    def moves(self) -> None:
        """Wait until the chart is on the screen and then goes on."""
        self.area.locator(".js-plotly-plot .scatterlayer .trace").first.wait_for()
        seen = until(self.chart, "a first picture", 60.0)
        until(lambda: self.chart() > seen, "another picture", 60.0)

    def notes(self) -> list[str]:
        """Return the words of the markers on the chart."""
        return list(self.area.evaluate(NOTES))

    def state(self) -> str:
        """Return the word for how the market does."""
        return self.area.locator(".algosim-standing .pill").inner_text()

    def stands(self, word: str) -> None:
        """Wait until the market is said to be so."""
        self.area.locator(".algosim-standing .pill", has_text=word).wait_for()

    def stale(self) -> bool:
        """Whether it says that nothing comes from the kernel any more."""
        return bool(self.area.evaluate(STALE))

    def log(self) -> str:
        """Return the log."""
        return self.area.locator(".algosim-log").inner_text()

    def press(self, text: str) -> None:
        """Press a button, once it can be pressed."""
        exactly = re.compile(rf"^\s*{re.escape(text)}\s*$")  # beside an icon
        self.area.locator("button.algosim-button").filter(has_text=exactly).click()

    def knob(self, label: str) -> Locator:
        """Return the controls of a setting, by a word of its name."""
        return self.area.locator(".algosim-knob").filter(has=self._book.page.get_by_text(label))

    def slide(self, label: str, share: float) -> float:
        """Drag the slider of a setting to a share of its length; return the number that stands beside it."""
        knob = self.knob(label)
        knob.scroll_into_view_if_needed()
        field = knob.locator("input[type=number]")
        before = field.input_value()
        handle, track = knob.locator(".noUi-handle"), knob.locator(".noUi-base").bounding_box()
        at = handle.bounding_box()
        assert at is not None
        assert track is not None
        mouse = self._book.page.mouse
        mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
        mouse.down()
        mouse.move(track["x"] + track["width"] * share, at["y"] + at["height"] / 2, steps=5)
        mouse.up()
        until(lambda: field.input_value() != before, "the number beside the slider changes")
        return float(field.input_value())
