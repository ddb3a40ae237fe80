"""Who may drive the page and who may watch it."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROXY_HEADER", "Access", "Role", "fresh_access", "is_local"]

Role = Literal["drive", "view"]

PROXY_HEADER = "x-algosim-proxy"
"""Carries the secret that Jupyter's proxy and the page share: who comes with it, Jupyter has let in."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """The two tokens of a page process, and who gets in without one.

    `for_one` says that the page was started by hand on this machine: whoever sits at it may drive.
    `proxy` is the secret that Jupyter's proxy sends along, empty where there is none.
    """

    drive: str
    view: str
    for_one: bool = False
    proxy: str = ""

    def role(self, token: str | None, headers: Mapping[str, str], peer: str | None) -> Role | None:
        """Return what a visitor may do, None for nothing.

        Parameters
        ----------
        token : str or None
            From the address; a wrong one is refused also where none is needed.
        headers : mapping of str to str
            Of the request, names in any case.
        peer : str or None
            The address that the request comes from; None is this machine.
        """
        if token:
            return self._by_token(token)
        low = {name.lower(): value for name, value in headers.items()}
        if self.proxy and hmac.compare_digest(low.get(PROXY_HEADER, "").encode(), self.proxy.encode()):
            return "drive"
        at_hand = self.for_one and is_local(low, peer) and self.same_origin(low)
        return "drive" if at_hand else None

    def _by_token(self, token: str) -> Role | None:
        if hmac.compare_digest(token.encode(), self.drive.encode()):
            return "drive"
        return "view" if hmac.compare_digest(token.encode(), self.view.encode()) else None

    def same_origin(self, headers: Mapping[str, str]) -> bool:
        """Say whether a websocket is opened by a page of this server, or by no page at all.

        Jupyter checks the origin of what comes through its proxy, and the host there is another.
        """
        low = {name.lower(): value for name, value in headers.items()}
        if self.proxy and hmac.compare_digest(low.get(PROXY_HEADER, "").encode(), self.proxy.encode()):
            return True
        origin = low.get("origin")
        return origin is None or urlsplit(origin).netloc == low.get("host")


def fresh_access(*, for_one: bool = False, proxy: str = "") -> Access:
    """Return new random tokens."""
    drive, view = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    return Access(drive=drive, view=view, for_one=for_one, proxy=proxy)


def is_local(headers: Mapping[str, str], peer: str | None) -> bool:
    """Say whether a visitor sits at this machine, and asked for it by that name.

    The name tells a browser that was led here by somebody else's page, whose name then means this machine.
    """
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    named = host == "localhost" or _loopback(host)
    return named and "x-forwarded-for" not in headers and (peer is None or _loopback(peer))


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
