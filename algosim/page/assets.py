"""What browsers load from this machine instead of from elsewhere: our own code, the fast view, plotly."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from algosim.charts.fast_view import bundle
from algosim.errors import AlgosimError

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["ASSETS"]

STAGE = Path(__file__).with_name("stage")
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
ASK_AGAIN = {"cache-control": "no-cache"}


async def stage(request: Request) -> Response:
    """Return a file of the page's own code."""
    name = request.path_params["name"]
    path = next((each for each in STAGE.iterdir() if each.name == name), None)
    if path is None or path.suffix not in KINDS:
        return PlainTextResponse("no such file", 404)
    return FileResponse(path, media_type=KINDS[path.suffix], headers=ASK_AGAIN)


async def fast_view(_request: Request) -> Response:
    """Return the fast view as a module."""
    try:
        return Response(bundle(), media_type=KINDS[".js"], headers=ASK_AGAIN)
    except AlgosimError as error:
        return PlainTextResponse(str(error), 404)


async def plotly(_request: Request) -> Response:
    """Return plotly.js as the installed package has it; to import plotly for that would take a second."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        return PlainTextResponse("plotly is not installed: pip install 'algosim[app]'", 404)
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js"
    return FileResponse(path, media_type=KINDS[".js"])


ASSETS = [
    Route("/algosim/stage/{name}", stage),
    Route("/algosim/fast_view.js", fast_view),
    Route("/algosim/plotly.js", plotly),
]
