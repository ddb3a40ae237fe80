"""What subscribers say to a publisher: what they want to hear, and that they are there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from algosim.live.wire import CREDIT, SUBSCRIBE, ready_topic

if TYPE_CHECKING:
    import zmq

    from algosim.live.child import Birth
    from algosim.live.sockets import Party

__all__ = ["Gate"]

UNSUBSCRIBE = b"\x00"
_TOPIC = re.compile(r"@control ?|[\w.-]{0,64} ?")


class Gate:
    """Tells the engine's own words on a publisher's socket from what anybody may send there.

    Ready topics and credit carry a secret word, and with CURVE must come from the party whom they are
    about; a forged one would let the run begin, or run on, before everybody hears it.

    Parameters
    ----------
    birth : Birth
        Of the process that publishes; names the parties.

    Attributes
    ----------
    foreign : int
        Frames that no subscriber of ours would send.
    """

    def __init__(self, birth: Birth) -> None:
        self.foreign = 0
        self._curve = birth.security.curve
        self._nonce = birth.nonces["ready"]
        self._credit = CREDIT + birth.nonces["credit"].encode()
        self._parties: dict[str, Party] = {}
        self._broker = ""
        for party in birth.parties:
            self.allow(party)

    def allow(self, party: Party) -> None:
        """Know another party, or a new key of one."""
        self._parties[ready_topic(party.name, self._nonce)] = party
        if party.name == "broker":
            self._broker = party.key

    def ready(self, frame: zmq.Frame) -> str | None:
        """Return the name of the party that this frame says is ready; None for any other frame."""
        data = frame.bytes
        if data[:1] == UNSUBSCRIBE:
            return None
        topic = data[1:].decode("utf-8", "replace")
        party = self._parties.get(topic)
        if data[:1] == SUBSCRIBE and party is not None and self._is_from(frame, party.key):
            return party.name
        if data[:1] != SUBSCRIBE or _TOPIC.fullmatch(topic) is None:
            self.foreign += 1
        return None

    def credit(self, frame: zmq.Frame) -> int | None:
        """Return the block that this frame says is done; None for any other frame."""
        data = frame.bytes
        ours = data.startswith(self._credit) and len(data) == len(self._credit) + 8
        if not ours or not self._is_from(frame, self._broker):
            return None
        return int.from_bytes(data[-8:], "little")

    def _is_from(self, frame: zmq.Frame, key: str) -> bool:
        return not self._curve or frame.get("User-Id") == key
