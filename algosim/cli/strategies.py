"""The commands about strategies: ``sim new-strategy`` and ``sim doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from algosim.cli.outcome import FAILED, FINE, example
from algosim.cli.text import clean, plural
from algosim.errors import ConfigError
from algosim.runs.inspection import doctor as inspect
from algosim.runs.own_strategies import is_shipped, own_path

if TYPE_CHECKING:
    from algosim.core.doctor import Finding

__all__ = ["doctor", "new_strategy"]

_TEMPLATE = Path(__file__).with_name("strategy_template.txt")


@click.command(
    "new-strategy",
    epilog=example("sim new-strategy my_sma", "sim eval --strategy my_sma --seed 1 --ticks 5000"),
)
@click.argument("name")
@click.option("--force", is_flag=True, help="Take a name that a strategy of algosim has, and hide that one.")
def new_strategy(name: str, *, force: bool) -> None:
    """Start a strategy of your own from a template.

    Writes strategies/NAME/strategy.py into the workspace: the nearest folder upwards that has strategies/, or
    else the working folder. The file runs as it is. No existing file is ever overwritten.
    """
    path = own_path(name)
    if is_shipped(name) and not path.exists() and not force:
        raise ConfigError(f"{name!r} is a strategy of algosim; take another name, or hide it with --force")
    title = name.replace("_", " ").replace("-", " ")
    text = _TEMPLATE.read_text("utf-8").replace("My strategy", title[0].upper() + title[1:], 1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{error.filename} exists; take another name, or edit that one") from error
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    click.echo(f"wrote {path}")
    click.echo(f"try it: sim eval --strategy {name} --seed 1 --ticks 5000")


@click.command(
    "doctor", epilog=example("sim doctor my_sma", "sim doctor strategies/my_sma/strategy.py --json")
)
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of findings.")
def doctor(file: str, *, as_json: bool) -> int:
    """Check a strategy without running it.

    FILE is a strategy's file, folder or name. Finds what keeps a strategy from loading or working (errors),
    and what would make its runs differ or looks like a slip (warnings). Ends with 1 if there is an error.
    """
    findings = inspect(file)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(findings), indent=2).decode())
    else:
        _print_findings(findings, file)
    return FAILED if any(finding.level == "error" for finding in findings) else FINE


def _print_findings(findings: list[Finding], file: str) -> None:
    for finding in findings:
        click.echo(clean(str(finding)))
        if finding.source.strip():
            click.echo(f"    {clean(finding.source.strip())}")
    if not findings:
        click.echo(f"{clean(file)}: no findings")
        return
    errors = sum(finding.level == "error" for finding in findings)
    click.echo(f"{plural(errors, 'error')}, {plural(len(findings) - errors, 'warning')}")
