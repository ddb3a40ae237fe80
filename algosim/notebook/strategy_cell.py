"""``%%strategy``: from the text of a cell to a strategy that trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algosim.core.doctor import Finding, check, errors
from algosim.errors import ConfigError, StrategyError
from algosim.live.arguments import account_id
from algosim.notebook import current, kept, line_keeper
from algosim.notebook.cell_errors import in_cell
from algosim.notebook.words import Option, Words, read_words, split
from algosim.runs.own_strategies import is_shipped, own_path, save
from algosim.runs.workspace import find_strategy, shipped_folder

if TYPE_CHECKING:
    from pathlib import Path

    from algosim.live.simulation import Simulation

__all__ = ["OPTIONS", "take"]

USAGE = "%%strategy NAME [--id ID] [--keep-state] [--force] [parameter=value ...]"

OPTIONS = (
    Option("--id", "ID", "Its account; without one, its name.", account_id),
    Option("--keep-state", "", "Offer the new version what the old one kept with ctx.set_state."),
    Option("--force", "", "Take the name of a strategy of algosim, or write over a file that no cell wrote."),
)

RUNS = ("waiting", "running", "paused")


def take(line: str, cell: str) -> None:
    """Check a cell, save it as a strategy of the workspace, and have the market trade it.

    Raises
    ------
    ConfigError
        If the line cannot be used.
    StrategyError
        If the strategy does not load; what traded before trades on.
    """
    said = read_words(split(line), OPTIONS, usage=USAGE, most=1, assigns=True)
    if not said.rest:
        msg = f"give the strategy a name: {USAGE}"
        raise ConfigError(msg)
    name = said.rest[0]
    account = said.options.get("id", name)
    path = own_path(name)
    # Line 1 of the cell is the magic's; so line n of the file is line n of the cell.
    mark = f"# %%strategy {name}\n"
    _check_owner(name, path, mark, force="force" in said.options)
    sim = _running()
    findings = check(mark + cell, "cell")
    _refuse_errors(findings, _who_trades(sim, account))
    if sim is not None:
        _check_account(sim, account, path)
    save(path, mark + cell)
    kept.keep(account, path, said.assigned)
    word = "no market runs; the next one has it" if sim is None else "loading"
    line_keeper.show(account, path, [f for f in findings if f.level == "warning"], word)
    try:
        _load(sim, account, path, said)
    except StrategyError as error:
        raise in_cell(error, path, _who_trades(sim, account)) from None
    finally:
        line_keeper.loaded(account)


def _check_owner(name: str, path: Path, mark: str, *, force: bool) -> None:
    """See that the cell takes nobody's name or file without being told to."""
    if path.is_relative_to(shipped_folder()) and is_shipped(name):
        msg = f"{name!r} is a strategy of algosim, and this is its own folder; take another name"
        raise ConfigError(msg)
    if force or _first_line(path) == mark:
        return
    if path.exists():
        msg = f"no cell wrote {path}; take another name, or write over it with --force"
        raise ConfigError(msg)
    if is_shipped(name):
        msg = f"{name!r} is a strategy of algosim; take another name, or hide it with --force"
        raise ConfigError(msg)


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline()
    except OSError:
        return ""


def _refuse_errors(findings: list[Finding], who: str) -> None:
    wrong = errors(findings)
    if wrong:
        first, more = wrong[0], len(wrong) - 1
        source = first.source.strip().removeprefix("# " if first.line == 1 else "")
        lines = [f"line {first.line}: {first.message}", f"    {source}"]
        lines += [f"and {more} more: " + ", ".join(f"line {f.line}" for f in wrong[1:4])] if more else []
        msg = "\n".join([*lines, who]).rstrip()
        raise StrategyError(msg, file="cell", line=first.line, source=source)


# The market


def _running() -> Simulation | None:
    """Return the market that can take a strategy in, if there is one."""
    sim = current.peek()
    return sim if sim is not None and sim.state in RUNS else None


def _known(sim: Simulation, account: str) -> dict[str, Any] | None:
    known: dict[str, Any] | None = sim.status["strategies"].get(account)
    return None if known is None or known["state"] in ("leaving", "removed") else known


def _who_trades(sim: Simulation | None, account: str) -> str:
    """Return a sentence on the version that trades all the same, if one does."""
    known = None if sim is None else _known(sim, account)
    if known is None or known["state"] != "trading":
        return ""
    return f"version {known['version']} of {account} trades on"


def _check_account(sim: Simulation, account: str, path: Path) -> None:
    """See that the account is not that of a strategy with another file."""
    spec = sim.config.strategies.get(account)
    if spec is None or find_strategy(spec.path).path == path.resolve():
        return
    raise ConfigError(
        f"{account!r} is another strategy in this market, {spec.path}; give this one an account of its own: "
        f"--id {account}_2"
    )


def _load(sim: Simulation | None, account: str, path: Path, said: Words) -> None:
    """Have a running market trade it; one that is to start gets it into its settings."""
    if sim is None:
        waiting = current.peek()
        if waiting is not None:
            settings: dict[str, Any] = {f"strategies.{account}.path": str(path)}
            waiting.set({**settings, f"strategies.{account}.params": said.assigned})
    elif _known(sim, account) is None:
        sim.add(path, id=account, params=said.assigned)
    else:
        sim.reload(account, keep_state="keep_state" in said.options, params=said.assigned)
