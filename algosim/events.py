"""The vocabulary: what happens in a run, as small slotted objects that are also the file format.

Every event carries `seq`, the number of the tick whose block it belongs to. ``events.jsonl`` has one
event a line; the field ``type`` names the class. Times are integer nanoseconds on the simulated clock.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = [
    "Attach",
    "Control",
    "Detach",
    "End",
    "Event",
    "Fill",
    "Level",
    "Log",
    "Member",
    "Order",
    "Plot",
    "Remove",
    "RunStart",
    "Side",
    "Snapshot",
    "Tick",
    "Version",
    "decode_line",
    "encode_line",
]

Side = Literal["BUY", "SELL"]
Level = Literal["print", "log", "reject", "error"]
Scalar = bool | int | float | str | None


class _Event(
    msgspec.Struct,
    tag_field="type",
    tag=str.lower,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """What all events share: their block, and whether they close it."""

    seq: int


class RunStart(_Event, tag="run", kw_only=True):
    """The first line of every ``events.jsonl``."""

    run_id: str
    format: int = 1
    algosim: str = ""
    epoch_ns: int = 0
    asset_id: str = "X"
    end: bool = False


class Tick(_Event, kw_only=True):
    """One price. `x` is the model's state; `price` is already rounded to ``model.tick_size``."""

    ts_sim: int
    price: float
    x: float = 0.0
    end: bool = False


class Order(_Event, kw_only=True):
    """One accepted market order of an account.

    `number` counts up per account over the whole run. `due` is when it fills at the earliest.
    `origin` is ``"strategy"``, ``"manual"`` (a command) or ``"wire"`` (a raw client's frame).
    """

    id: str
    number: int
    side: Side
    qty: float
    due: int
    tag: str = ""
    origin: Literal["strategy", "manual", "wire"] = "strategy"
    end: bool = False


class Fill(_Event, kw_only=True):
    """One order filled, with the account after it.

    `ts_sim` is the order's due time; `at` is the tick whose price and costs applied; `price` includes
    slippage, `commission` is in currency, `realized` is the profit that this fill realised, net of
    its commission.
    """

    id: str
    number: int
    side: Side
    qty: float
    ts_sim: int
    at: int
    price: float
    slippage_bps: float
    commission: float
    realized: float
    position: float
    cash: float
    tag: str = ""
    end: bool = False


class Snapshot(_Event, tag="pnl", kw_only=True):
    """An account's books at one tick: ``equity = cash + position * price``."""

    id: str
    ts_sim: int
    position: float
    cash: float
    price: float
    realized: float
    unrealized: float
    equity: float
    end: bool = False


class Control(_Event, kw_only=True):
    """A command, stamped to act before tick `seq`.

    `action` is ``"set"`` (with `key` and `value`) or one of the pacing commands ``"pause"``,
    ``"resume"``, ``"step"``, ``"speed"``, which never change the path and are not in the digest.
    """

    action: str
    key: str = ""
    value: Scalar = None
    end: bool = False


class Attach(_Event, kw_only=True):
    """A strategy trades from tick `seq` on. `code` names the folder under ``strategies/``."""

    id: str
    version: int
    code: str
    name: str = ""
    params: dict[str, Any] = {}
    end: bool = False


class Version(_Event, kw_only=True):
    """A strategy was replaced between ticks `seq` - 1 and `seq` by another version of itself."""

    id: str
    version: int
    code: str
    params: dict[str, Any] = {}
    keep_state: bool = False
    end: bool = False


class Detach(_Event, kw_only=True):
    """A strategy's last acknowledged tick is `last_ack`; recorded before tick ``last_ack + 1``.

    `version` is the one that was detached: where a version is attached and detached before the same tick,
    it never acted.
    """

    id: str
    last_ack: int
    version: int = 1
    reason: str = ""
    error: str = ""
    end: bool = False


class Remove(_Event, kw_only=True):
    """A strategy leaves the market before tick `seq`; its account goes on clearing and being marked."""

    id: str
    end: bool = False


class Plot(_Event, kw_only=True):
    """Values that a strategy drew at tick `seq`, by line name."""

    id: str
    values: dict[str, float | None]
    end: bool = False


class Log(_Event, kw_only=True):
    """A line for people: what a strategy printed, a rejected order, an error."""

    id: str
    text: str
    level: Level = "log"
    end: bool = False


class End(_Event, kw_only=True):
    """The last event of a run that ended. `ts_sim` is the end of simulated time."""

    ts_sim: int
    state: Literal["finished", "crashed"] = "finished"
    reason: str = ""
    unfilled: int = 0
    end: bool = False


Member = Attach | Version | Detach | Remove
"""What happens to a strategy's place in the market."""

Event = RunStart | Tick | Order | Fill | Snapshot | Control | Member | Plot | Log | End

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)

encode_line = _encoder.encode
decode_line = _decoder.decode
