"""Shuts what Streamlit offers every visitor and the page has no use for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Closed"]

UPLOADS = "/_stcore/upload_file"


class Closed:
    """Refuses uploads, which Streamlit keeps in memory, as many as come, from whoever has a page open.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "http" and UPLOADS in scope["path"]:
            await PlainTextResponse("the page takes no files", 404)(scope, receive, send)
            return
        await self._app(scope, receive, send)
