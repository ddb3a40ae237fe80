"""What a person sees of a tree of widgets, read from the widgets themselves."""

from __future__ import annotations

from html.parser import HTMLParser

import ipywidgets as widgets


def tree(widget):
    """Yield a widget and all inside of it, in order."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from tree(child)


def marked(widget, kind):
    """Say whether a widget has a CSS class."""
    return kind in widget._dom_classes  # noqa: SLF001  (ipywidgets has no other way to ask)


def markup(widget):
    """Return all HTML in a tree but the style sheet."""
    found = [each.value for each in tree(widget) if isinstance(each, widgets.HTML)]
    return "\n".join(html for html in found if not html.startswith("<style>"))


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.words, self.tags = [], []

    def handle_data(self, data):
        self.words.append(data)

    def handle_starttag(self, tag, _):
        self.tags.append(tag)


def _read(widget):
    reader = _Reader()
    reader.feed(markup(widget))
    return reader


def text(widget):
    """Return the words that the HTML in a tree shows."""
    return " ".join(_read(widget).words)


def tags(widget):
    """Return the names of the elements that a browser would make of the HTML in a tree."""
    return set(_read(widget).tags)
