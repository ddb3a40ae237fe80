"""The notebook face: magics, the dashboard and its views, and what the cells of a notebook show."""
