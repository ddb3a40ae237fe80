"""The presentation page, for ``streamlit run algosim/streamlit_app.py``; `algosim present` starts it too."""

import sys
from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from algosim.page.closed import Closed
from algosim.page.server import ROUTES, lifespan

__all__ = ["app"]

HERE = Path(__file__).parent

# Streamlit puts a script's folder first, where our modules would pass for others: notebook, config, events.
sys.path[:] = [place for place in sys.path if place != str(HERE)]

app = App(HERE / "page" / "script.py", lifespan=lifespan, routes=ROUTES, middleware=[Middleware(Closed)])
