"""The page's server: opens the session as it starts, carries it to every browser, ends it as it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from algosim.board.pump import Pump
from algosim.errors import AlgosimError
from algosim.page import session as sessions
from algosim.page.arrival import arrived
from algosim.page.assets import ASSETS
from algosim.page.audience import Audience
from algosim.page.broadcast import Broadcast
from algosim.page.dress import dress
from algosim.page.latest import LatestTick
from algosim.page.opening import open_session

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from algosim.page.seat import Seat
    from algosim.page.session import Session

__all__ = ["ROUTES", "lifespan"]

FOLLOW_S = 0.5
"""How often an ended run's successor is looked for."""

WAKE_S = 0.05
"""Browsers that ask for everything again are answered together."""


class Live:
    """A session on the air: its pump, its audience, and what reads beside the pump."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.audience = Audience()
        self._loop = asyncio.get_running_loop()
        self._broadcast = Broadcast(session, self.audience, self._post)
        self._pump = Pump(session.source, self._broadcast.refresh)
        self._latest = LatestTick(session, lambda frame: self._post(lambda: self.audience.put("tick", frame)))
        self._waking: asyncio.TimerHandle | None = None
        self._following = asyncio.create_task(self._follow())
        session.changed = self._pump.wake
        self._pump.start()

    def _post(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call)

    async def _follow(self) -> None:
        """Go over to the run that takes the place of one that has ended."""
        while True:
            await asyncio.sleep(FOLLOW_S)
            with contextlib.suppress(AlgosimError):  # it ends, or stands still, just as it is asked
                await asyncio.to_thread(self.session.follow_on)

    def wake(self) -> None:
        """Let a frame come soon, also of a run that stands still."""
        if self._waking is None:
            self._waking = self._loop.call_later(WAKE_S, self._awake)

    def _awake(self) -> None:
        self._waking = None
        self._pump.wake()

    async def close(self) -> None:
        """End, and with it a run that is the page's."""
        self._following.cancel()
        self.session.changed = lambda: None
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._pump.stop()
        self._broadcast.close()
        self._latest.close()
        self.session.close()


class _Air:
    live: Live | None = None


@contextlib.asynccontextmanager
async def lifespan(_app: object) -> AsyncGenerator[dict[str, Any], None]:
    """Open the session of this process, and end it."""
    plan = arrived(sys.argv[1:])
    try:
        session = await asyncio.to_thread(open_session, plan)
    except AlgosimError as error:  # there is nothing to serve, and who started this reads the last line
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
    sessions.install(session)
    dress()
    try:
        await asyncio.to_thread(session.start)
        _Air.live = Live(session)
        yield {}
    finally:
        await (_Air.live.close() if _Air.live is not None else asyncio.to_thread(session.close))


async def ready(request: Request) -> Response:
    """Tell a launcher that this is its page."""
    role = sessions.current().access.role(request.query_params.get("token"), {}, "")
    return Response(status_code=204 if role else 403)


async def live(socket: WebSocket) -> None:
    """Show the run to one browser; what it says changes what it is sent, and nothing else."""
    on_air = _Air.live
    peer = socket.client.host if socket.client else ""
    access = sessions.current().access
    role = access.role(socket.query_params.get("token"), socket.headers, peer)
    if on_air is None or role is None or not access.same_origin(socket.headers):
        await socket.close(1008)
        return
    await socket.accept()
    audience = on_air.audience
    seat = audience.enter()
    writer = asyncio.create_task(_write(socket, seat))
    try:
        while True:
            said = await socket.receive_text()
            if audience.hear(seat, said):
                on_air.wake()
    except (WebSocketDisconnect, KeyError):  # KeyError: it sent bytes
        pass
    finally:
        audience.leave(seat)
        writer.cancel()


async def _write(socket: WebSocket, seat: Seat) -> None:
    """Send what waits for a browser, as fast as it takes it."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it has left
        while True:
            frame = await seat.next()
            if isinstance(frame, bytes):
                await socket.send_bytes(frame)
            else:
                await socket.send_text(frame)


ROUTES = [WebSocketRoute("/algosim/live", live), Route("/algosim/ready", ready), *ASSETS]
