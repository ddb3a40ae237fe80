"""How Streamlit is called to serve the page, and where."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

import algosim
from algosim.errors import EngineError

__all__ = ["HOST", "command", "free_port"]

HOST = "127.0.0.1"


def command(port: str, word: str, **options: str) -> list[str]:
    """Return what follows ``python -m streamlit``; the rest stands in ``.streamlit/config.toml``."""
    script = Path(algosim.__file__).with_name("streamlit_app.py")
    told = {"server.headless": "true", "server.port": port, **options}
    return ["run", str(script), *(f"--{name}={value}" for name, value in told.items()), "--", word]


def free_port(wanted: int) -> int:
    """Return a port that can be bound now: the one wanted, or else one that the system gives."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    msg = "no port is free for the page"
    raise EngineError(msg)
