"""The page behind Jupyter's proxy: how jupyter-server-proxy starts it, and its card in the launcher."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

from algosim.page.calling import command
from algosim.page.plan import BEHIND_PROXY, SECRET
from algosim.page.roles import PROXY_HEADER

__all__ = ["setup"]

ICON = Path(__file__).with_name("stage") / "icon.svg"
START_S = 60.0


def setup() -> dict[str, Any]:
    """Return what jupyter-server-proxy is to do.

    Jupyter lets in who may use it, and checks the origin of what it passes on under another host's name; so
    Streamlit's own checks of that are off here, and only here. A secret that the proxy sends along tells the
    page that a request came this way: the port alone, which others on this machine may find, shows nothing.
    """
    secret = secrets.token_urlsafe(24)
    options = {"server.enableCORS": "false", "server.enableXsrfProtection": "false"}
    return {
        "command": [sys.executable, "-m", "streamlit", *command("{port}", BEHIND_PROXY, **options)],
        "environment": {SECRET: secret},
        "request_headers_override": {PROXY_HEADER: secret},
        "timeout": START_S,
        "launcher_entry": {
            "enabled": True,
            "title": "algosim page",
            "icon_path": str(ICON),
            "category": "Other",
        },
        "new_browser_tab": True,
    }
