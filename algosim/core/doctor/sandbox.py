"""Rules on what a strategy's process does not offer: network, processes, files, people, endless time."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.code import Code
    from algosim.core.doctor.text import Finding

__all__ = ["RULES", "endless_loops", "forbidden_imports", "questions", "side_effects"]

_FORBIDDEN = {
    module: kind
    for kind, modules in {
        "network": "socket socketserver ssl select selectors urllib urllib3 http requests httpx aiohttp "
        "ftplib smtplib poplib imaplib telnetlib xmlrpc websocket websockets zmq",
        "processes of its own": "subprocess multiprocessing pty",
        "threads or event loops": "threading _thread concurrent asyncio",
        "machine code": "ctypes cffi",
    }.items()
    for module in modules.split()
}
_HARMLESS = ("urllib", "parse")

_PROCESS_CALLS = ("system", "popen", "fork", "forkpty", "kill", "killpg")
_PROCESS_PREFIXES = ("spawn", "exec", "posix_spawn")

_ASKING = ("input", "breakpoint")
_ASKING_IMPORTED = (
    *("pdb.set_trace", "getpass.getpass", "code.interact"),
    *("sys.stdin.read", "sys.stdin.readline", "sys.stdin.readlines"),
)

_LEAVING = ("exit", "quit")
_LEAVING_IMPORTED = ("sys.exit", "os._exit", "os.abort")
_OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_ENDS = (ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Await)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


def forbidden_imports(code: Code) -> Iterator[Finding]:
    """Find imports of what the sandbox keeps away from strategies."""
    for node in code.nodes:
        paths: list[list[str]] = []
        if isinstance(node, ast.Import):
            paths = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            paths = [[*node.module.split("."), alias.name] for alias in node.names]
        modules = {path[0]: None for path in paths if path[0] in _FORBIDDEN and tuple(path[:2]) != _HARMLESS}
        for module in modules:
            message = f"{module}: the sandbox gives a strategy no {_FORBIDDEN[module]}"
            yield code.warning(node, "sandbox", message)


def side_effects(code: Code) -> Iterator[Finding]:
    """Find processes started through ``os``, and files opened for writing."""
    for node, reference in code.references:
        module, _, name = reference.partition(".")
        if module == "os" and (name in _PROCESS_CALLS or name.startswith(_PROCESS_PREFIXES)):
            yield code.warning(
                node, "sandbox", f"os.{name}: the sandbox gives a strategy no processes of its own"
            )
    for node in code.nodes:
        if isinstance(node, ast.Call) and code.builtin(node.func) == "open" and _writes(node):
            message = "a file that a strategy writes is not part of the run; use ctx.log or ctx.plot"
            yield code.warning(node, "sandbox", message)


def questions(code: Code) -> Iterator[Finding]:
    """Find calls that wait for somebody at a keyboard."""
    for node in code.nodes:
        if isinstance(node, ast.Call):
            name = code.builtin(node.func)
            name = name if name in _ASKING else code.imported(node.func)
            if name in _ASKING or name in _ASKING_IMPORTED:
                message = (
                    f"nobody answers {name}() in a running strategy; use PARAMS for input, ctx.log to look"
                )
                yield code.error(node, "waits-for-input", message)


def endless_loops(code: Code) -> Iterator[Finding]:
    """Find ``while True`` with no way out."""
    for node in code.nodes:
        if not isinstance(node, ast.While) or not isinstance(node.test, ast.Constant) or not node.test.value:
            continue
        if not _can_end(code, node) and not _is_guarded(code, node):
            message = "this loop never ends and holds up the market; on_tick is called again at every tick"
            yield code.warning(node, "endless-loop", message)


def _writes(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return any(set("wax+").intersection(text) for text in texts)


def _can_end(code: Code, loop: ast.While) -> bool:
    stack: list[tuple[ast.AST, bool]] = [(statement, True) for statement in loop.body]
    while stack:
        node, ours = stack.pop()
        if isinstance(node, _ENDS) or (isinstance(node, ast.Break) and ours) or _leaves(code, node):
            return True
        if not isinstance(node, _OWN_SCOPE):
            inside = ours and not isinstance(node, _LOOPS)
            stack += [(child, inside) for child in ast.iter_child_nodes(node)]
    return False


def _leaves(code: Code, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return code.builtin(node.func) in _LEAVING or code.imported(node.func) in _LEAVING_IMPORTED


def _is_guarded(code: Code, node: ast.AST) -> bool:
    """Whether an exception may end the loop: it stands in a ``try`` or ``with`` of its function."""
    around = code.parent[node]
    while not isinstance(around, (*_OWN_SCOPE, ast.Module)):
        if isinstance(around, (ast.Try, ast.TryStar, ast.With)):
            return True
        around = code.parent[around]
    return False


RULES = (forbidden_imports, side_effects, questions, endless_loops)
