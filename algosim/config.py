"""What can be configured: the settings of a run with their types, ranges and defaults.

Comments give the unit. `algosim.settings` loads, checks and changes a `Config`; building one of these
classes directly checks nothing. ``default.yaml`` says in words what each setting does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

__all__ = [
    "Config",
    "Conflate",
    "Endpoints",
    "Execution",
    "Hwm",
    "Limits",
    "Metrics",
    "Model",
    "Portfolio",
    "Run",
    "Schedule",
    "Section",
    "StrategySpec",
    "Transport",
    "Ui",
]

NonNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
# At least one nanosecond, and few enough of them that thousands of such gaps fit 64 bits.
GapMs = Annotated[float, Meta(ge=1e-6, le=1e9)]
DelayMs = Annotated[float, Meta(ge=0, le=1e9)]
# Bounds that keep every sum of a run far from the end of floating-point numbers.
Money = Annotated[float, Meta(gt=0, le=1e12)]
Fee = Annotated[float, Meta(ge=0, le=1e9)]
TickSize = Annotated[float, Meta(ge=0, le=1e9)]
Bps = Annotated[float, Meta(ge=0, le=10_000)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]

EndpointText = Annotated[
    str,
    Meta(
        pattern=r"^tcp://(\[[0-9A-Fa-f:]+\]|[^\s:/\[\]]+):(\*|[0-9]{1,5})\Z",
        description="an address such as tcp://127.0.0.1:5555",
    ),
]
# No space and no leading "@": topics end at a space, and "@control" is a topic.
AssetId = Annotated[
    str,
    Meta(pattern=r"^\w[\w.-]{0,31}\Z", description="text of at most 32 letters, digits, '_', '.' and '-'"),
]
# No dot: ids are a part of dotted keys.
Id = Annotated[
    str,
    Meta(pattern=r"^\w[\w-]{0,63}\Z", description="text of at most 64 letters, digits, '_' and '-'"),
]
_PART = "a part of the engine"
RESERVED_IDS = {
    "manual": "the account of orders placed by hand",
    "total": "that of all accounts together",
    **dict.fromkeys(("supervisor", "simulator", "broker", "recorder", "controller", "observer"), _PART),
}
"""Ids that no strategy may have."""

PathText = Annotated[str, Meta(pattern=r"^[^\x00]+\Z", description="a path")]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named group of settings."""


class Endpoints(Section, frozen=True):
    """Where the engine's sockets bind."""

    ticks_pub: EndpointText = "tcp://127.0.0.1:5555"
    orders_push: EndpointText = "tcp://127.0.0.1:5556"
    fills_pub: EndpointText = "tcp://127.0.0.1:5557"
    control: EndpointText = "tcp://127.0.0.1:5558"


class Hwm(Section, frozen=True):
    """High-water marks: the queue length of a socket."""

    ticks_pub: Count = 20_000  # messages
    orders: Count = 20_000  # messages
    fills_pub: Count = 20_000  # messages


class Conflate(Section, frozen=True):
    """Which observers keep only the newest message."""

    ui_ticks_sub: bool = True


class Transport(Section, frozen=True):
    """The wire between the processes of a live run."""

    type: Literal["zmq"] = "zmq"
    endpoints: Endpoints = Endpoints()
    hwm: Hwm = Hwm()
    conflate: Conflate = Conflate()
    strict_ports: bool = False
    security: Literal["curve", "none"] = "curve"
    window: Annotated[int, Meta(ge=1, le=100_000)] = 256  # ticks
    external: tuple[Id, ...] = ()


class Model(Section, frozen=True):
    """The price model. A unit of model time has `seconds_per_unit` simulated seconds."""

    type: Literal["vasicek", "brownian", "gbm"] = "vasicek"
    step: Literal["exact", "euler"] = "exact"
    kappa: NonNegative = 0.8  # 1/unit
    theta: float = 0.0  # that of x
    sigma: NonNegative = 0.2  # that of x, per sqrt(unit)
    mu: float = 0.0  # that of x, per unit
    P0: Money = 100.0  # currency
    x0: float = 0.0  # log price (exponential) or currency (additive)
    price_map: Literal["exponential", "additive"] = "exponential"
    floor: Money = 0.0001  # currency
    tick_size: TickSize = 0.0001  # currency
    seconds_per_unit: Positive = 1.0  # seconds per unit
    reveal_state: bool = True
    asset_id: AssetId = "X"


class Schedule(Section, frozen=True):
    """When ticks arrive."""

    mode: Literal["poisson", "fixed"] = "poisson"
    dt_fixed_ms: GapMs = 200.0  # simulated ms
    dt_mean_ms: GapMs = 150.0  # simulated ms
    speed: Positive | Literal["max"] = 1.0  # simulated seconds per wall second


class Execution(Section, frozen=True):
    """How orders become fills, and what they cost."""

    latency_ms: DelayMs = 50.0  # simulated ms
    slippage_bps: Bps = 1.0  # basis points of the price
    commission_bps: Bps = 0.5  # basis points of the traded value
    commission_fixed: Fee = 0.0  # currency per fill


class Portfolio(Section, frozen=True):
    """What an account starts with and may hold."""

    initial_cash: Money = 10_000.0  # currency
    max_position: Money = 1e6  # units of the asset, long or short


class StrategySpec(Section, frozen=True):
    """A strategy's code and its parameters."""

    path: PathText
    params: dict[str, Any] = {}


class Metrics(Section, frozen=True):
    """How performance is measured."""

    seconds_per_year: Positive = 252 * 6.5 * 3600  # simulated seconds
    interval_s: Annotated[float, Meta(ge=0.001, le=1e9)] = 1.0  # simulated seconds
    window_s: Positive = 300.0  # simulated seconds


class Run(Section, frozen=True):
    """One run: its randomness, its length and what it leaves."""

    seed: Annotated[int, Meta(ge=0)] | None = None
    duration_s: Annotated[float, Meta(ge=0, le=1e9)] = 0.0  # simulated seconds
    ticks: Annotated[int, Meta(ge=0, le=1_000_000_000_000)] = 0  # ticks
    export_dir: PathText | None = None
    epoch: str = "2025-01-01T00:00:00Z"
    snapshot_every: Count = 100  # ticks


class Ui(Section, frozen=True):
    """What people see while it runs."""

    throttle_fps: Annotated[float, Meta(gt=0, le=1000)] = 10.0  # redraws per wall second
    hot_reload: bool = True


class Limits(Section, frozen=True):
    """What a learner's code may use."""

    init_s: Positive = 4.0  # CPU seconds
    on_tick_s: Positive = 1.0  # CPU seconds
    on_stop_s: Positive = 2.0  # CPU seconds
    wall_s: Positive = 10.0  # wall seconds
    slow_ms: Positive = 50.0  # wall ms
    orders_per_tick: Count = 100  # orders
    output_kb: Annotated[int, msgspec.Meta(ge=1, le=512)] = 64  # KiB per wall second; a message has 1 MB
    sandbox: Literal["standard", "strict", "trusted"] = "standard"
    memory_mb: Annotated[int, Meta(ge=256, le=1_000_000)] = 1024  # MiB of address space


class Config(Section, frozen=True):
    """Everything that a run is set up with. ``Config()`` is the default market."""

    transport: Transport = Transport()
    model: Model = Model()
    schedule: Schedule = Schedule()
    execution: Execution = Execution()
    portfolio: Portfolio = Portfolio()
    strategies: dict[str, StrategySpec] = msgspec.field(
        default_factory=lambda: {"sma_crossover": StrategySpec(path="sma_crossover")}
    )
    metrics: Metrics = Metrics()
    run: Run = Run()
    ui: Ui = Ui()
    limits: Limits = Limits()
