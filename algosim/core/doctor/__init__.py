"""What can be seen to be wrong in a strategy's source without running it."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from algosim.core.doctor import calls, ctx, hooks, ordering, params, replay, sandbox, tick
from algosim.core.doctor.code import Code
from algosim.core.doctor.roles import find_roles
from algosim.core.doctor.text import MAX_BYTES, Finding, compile_fault, parse, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MAX_BYTES", "Finding", "check", "errors"]

MAX_FINDINGS = 200
"""Findings about one source; nobody reads more."""

MAX_COMPILED = 20_000
"""Syntax nodes up to which the compiler is asked too: its time can grow with their square."""


def check(source: bytes | str, filename: str = "strategy.py") -> list[Finding]:
    """Check a strategy's source for faults, and for what would keep a run from replaying.

    The source is neither imported nor run. Its time is bounded: sources above 1 MB are refused.

    Parameters
    ----------
    source : bytes or str
        The file as it is on disk, or its text.
    filename : str
        How findings name the file.

    Returns
    -------
    list of Finding
        Sorted by line and column; empty if there is nothing to say.
    """
    text, findings = read_text(source, filename)
    if not errors(findings):
        tree = parse(text)
        if isinstance(tree, Finding):
            return [*findings, tree]
        code = Code(tree, text)
        refused = compile_fault(text) if len(code.nodes) <= MAX_COMPILED else None
        findings += [refused] if refused else _run_rules(code)
    return sorted(findings, key=lambda finding: (finding.line, finding.column, finding.rule))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings with which a strategy cannot load or work."""
    return [finding for finding in findings if finding.level == "error"]


def _run_rules(code: Code) -> list[Finding]:
    return list(dict.fromkeys(islice(_findings(code), MAX_FINDINGS)))


def _findings(code: Code) -> Iterator[Finding]:
    """Return all findings, those of the rules on errors first."""
    for rule in chain(hooks.RULES, params.RULES):
        yield from rule(code)
    roles = find_roles(code)
    for use_rule in chain(ctx.RULES, calls.RULES, tick.RULES):
        yield from use_rule(code, roles)
    for replay_rule in chain(sandbox.RULES, replay.RULES, ordering.RULES):
        yield from replay_rule(code)
