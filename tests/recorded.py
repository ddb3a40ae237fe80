"""Sessions with interventions, scripted and written as run folders without a live engine."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from algosim import settings
from algosim.events import Attach, Control, Detach, Order, Remove, RunStart
from algosim.events import Version as VersionEvent
from algosim.runs import folder as run_folder
from algosim.runs.execute import Execution
from algosim.runs.plan import AccountPlan, Plan, Version
from algosim.runs.recorder import Recorder
from algosim.runs.source import read_source

if TYPE_CHECKING:
    from pathlib import Path

    from algosim.config import Config

# What a version of a strategy can know: its rng, history, state, account, time. All of it decides its orders.
CURIOUS = """
    PARAMS = {{"every": {every}, "size": {size}}}

    def init(ctx):
        ctx.sma = ctx.indicator.SMA(5)
        ctx.seen = ctx.kept("seen", 0) * 1000 + 1
        ctx.log(f"kept {{ctx.kept('seen', 'nothing')}} at {{ctx.time()}}, {{ctx.position()}}")

    def on_tick(ctx, tick):
        ctx.seen += 1
        ctx.set_state("seen", ctx.seen)
        mean = ctx.sma.update(tick["price"])
        if tick["seq"] % ctx.get_param("every") or mean is None:
            return
        qty = ctx.get_param("size") * (1 + ctx.rng.random()) + len(ctx.history(700)) / 1000
        side = "BUY" if ctx.position() + ctx.pending() + ctx.rng.normal() < 0 else "SELL"
        ctx.place_market_order(side, qty, tag=f"{{ctx.seen}} {{len(ctx.history(700))}}")
        ctx.plot("mean", mean)
"""


def write_strategy(workspace: Path, name: str, text: str, **others: str) -> Path:
    """Write a strategy's folder and return its entry file; `others` are modules beside it."""
    folder = workspace / "strategies" / name
    folder.mkdir(parents=True, exist_ok=True)
    for module, content in {"strategy": text, **others}.items():
        (folder / f"{module}.py").write_text(textwrap.dedent(content).lstrip("\n"), "utf-8")
    return folder / "strategy.py"


def curious(workspace: Path, name: str, *, every: int, size: float = 1.0) -> Path:
    """Write a strategy whose orders depend on all that it can know."""
    return write_strategy(workspace, name, CURIOUS.format(every=every, size=size))


class Session(NamedTuple):
    """What happened in a run, told twice: as a plan to carry out, and as the events that tell of it."""

    plan: Plan
    events: list


class Script:
    """Collects what a person does in a session; numbers are the ticks before which it happens."""

    def __init__(self, config: Config, seed: int, last: int, *, ends_at: int | None = None) -> None:
        self.config, self.seed, self.last, self.ends_at = config, seed, last, ends_at
        self.controls: list[Control] = []
        self.accounts: dict[str, AccountPlan] = {}
        self.events: list = []

    def set(self, n: int, key: str, value: float | str) -> None:
        self._control(Control(seq=n, action="set", key=key, value=value))

    def pace(self, n: int, action: str, value: float | None = None) -> None:
        self._control(Control(seq=n, action=action, value=value))

    def _control(self, control: Control) -> None:
        self.controls.append(control)
        self.events.append(control)

    def order(
        self, n: int, side: str, qty: float, *, due: int, id: str = "manual", origin: str = "manual"
    ) -> None:
        account = self._account(id)
        number = len(account.orders) + 1
        order = Order(seq=n, id=id, number=number, side=side, qty=qty, due=due, tag="hand", origin=origin)
        account.orders.append(order)
        self.events.append(order)

    def attach(self, n: int, id: str, path: Path, **params: float) -> None:
        version = self._version(n, id, path, params)
        code = version.source.code
        self.events.append(Attach(seq=n, id=id, version=version.ordinal, code=code, name=id, params=params))

    def reload(self, n: int, id: str, path: Path, *, keep_state: bool = False, **params: float) -> None:
        version = self._version(n, id, path, params, keep_state=keep_state)
        self.events.append(
            VersionEvent(
                seq=n,
                id=id,
                version=version.ordinal,
                code=version.source.code,
                params=params,
                keep_state=keep_state,
            )
        )

    def detach(self, last_ack: int, id: str) -> None:
        version = self.accounts[id].versions[-1]
        version.active = last_ack
        event = Detach(seq=last_ack + 1, id=id, last_ack=last_ack, version=version.ordinal, reason="killed")
        self.events.append(event)

    def remove(self, n: int, id: str) -> None:
        version = self.accounts[id].versions[-1]
        if version.active is None:
            version.active = n - 1
        self.events.append(Remove(seq=n, id=id))

    def _account(self, id: str) -> AccountPlan:
        return self.accounts.setdefault(id, AccountPlan(id=id, versions=[], orders=[]))

    def _version(self, n: int, id: str, path: Path, params: dict, *, keep_state: bool = False) -> Version:
        versions = self._account(id).versions
        source = read_source(path, path.parents[2])
        reloaded = bool(versions) and versions[-1].active is None
        version = Version(
            first=n,
            since=versions[-1].since if reloaded else n,
            ordinal=len(versions) + 1,
            source=source,
            params=params,
            keep_state=keep_state,
        )
        versions.append(version)
        return version

    def session(self) -> Session:
        plan = Plan(
            config=self.config,
            seed=self.seed,
            controls=self.controls,
            accounts=list(self.accounts.values()),
            last=self.last,
            ends_at=self.ends_at,
        )
        return Session(plan, sorted(self.events, key=lambda event: event.seq))


def times(script: Script) -> list[int]:
    """Return the times [ns] of ticks 0, 1, ... of a script's market, with the commands so far."""
    plan = Plan(
        config=script.config, seed=script.seed, controls=script.controls, accounts=[], last=script.last
    )
    with Execution(plan) as execution:
        blocks = [ticks.time.tolist() for ticks, *_ in execution.blocks([])]
    return [0, *(time for block in blocks for time in block)]


def record(session: Session, folder: Path, *, crash: bool = False) -> Recorder:
    """Carry a session out and write it as the recorder of a live run does."""
    plan = session.plan
    run_folder.claim(folder)
    sources = [version.source for account in plan.accounts for version in account.versions]
    config = settings.with_settings(plan.config, {"run.seed": plan.seed})
    run_folder.save_setup(folder, folder.name, config, plan.seed, sources)
    recorder = Recorder(config, RunStart(seq=0, run_id=folder.name), folder)
    with Execution(plan) as execution:
        for block in execution.blocks(session.events):
            recorder.take(*block)
        if crash:
            recorder.close()
            return recorder
        recorder.take_end(execution.end())
    recorder.finish()
    return recorder
