"""What the browser whose script is running may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from algosim.page import session

if TYPE_CHECKING:
    from algosim.page.roles import Role

__all__ = ["role"]


def role() -> Role | None:
    """Return ``"drive"``, ``"view"``, or None where the visitor is to be sent to the printed address."""
    headers = {str(name): str(value) for name, value in st.context.headers.items()}
    token = st.query_params.get("token")
    return session.current().access.role(token, headers, st.context.ip_address)
