"""Charts: one palette, one feed and one set of figures for the notebook and the page."""
