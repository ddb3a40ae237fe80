"""A strategy's source: found by name or path, named by the hash of its files, loaded in a child process."""

from __future__ import annotations

import hashlib
import sys
import types
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from algosim.core.strategy import Hooks, explain, hooks_of, merge_parameters
from algosim.errors import StrategyError
from algosim.runs.imports import path_hook

__all__ = ["ENTRY", "Loaded", "Source", "load", "read_source", "strategy_files"]

ENTRY = "strategy.py"
"""The file of a strategy's folder that has the hooks."""

MAX_BYTES = 16_000_000
_SKIPPED = ("__pycache__", ".ipynb_checkpoints")


class Source(NamedTuple):
    """The files of a strategy, as they were when it was read.

    Attributes
    ----------
    id : str
        Its default id: the name of its folder, or of its file.
    label : str
        The entry file as its author knows it; errors name it.
    path : Path
        The entry file that is watched for changes.
    files : dict of str to bytes
        By path relative to the folder, with ``/``.
    code : str
        Hash of the files, 16 hexadecimal digits.
    """

    id: str
    label: str
    path: Path
    files: dict[str, bytes]
    code: str

    def write(self, folder: Path) -> None:
        """Copy the files into a folder, unless it has them."""
        for name, data in self.files.items():
            target = folder / name
            if not target.exists() or target.read_bytes() != data:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)


def read_source(path: Path, workspace: Path) -> Source:
    """Read the strategy whose entry file is `path`.

    ``strategy.py`` stands for its whole folder; a file of another name stands for itself.

    Raises
    ------
    StrategyError
        If a file cannot be read, or the folder has more than 16 MB.
    """
    whole = path.name == ENTRY
    names = strategy_files(path)
    _refuse_links(names, path.parent if whole else None)
    try:
        files = {
            ENTRY if not whole else name.relative_to(path.parent).as_posix(): name.read_bytes()
            for name in names
        }
    except OSError as error:
        msg = f"cannot read the strategy {path}: {error.strerror}"
        raise StrategyError(msg, file=str(path)) from error
    size = sum(map(len, files.values()))
    if size > MAX_BYTES:
        msg = f"the strategy's folder {path.parent} has {size / 1e6:.0f} MB; keep more than 16 MB elsewhere"
        raise StrategyError(msg, file=str(path))
    label = path.relative_to(workspace).as_posix() if path.is_relative_to(workspace) else str(path)
    return Source(path.parent.name if whole else path.stem, label, path, files, _hash(files))


def strategy_files(path: Path) -> list[Path]:
    """Return the files of the strategy whose entry file is `path`."""
    if path.name != ENTRY:
        return [path]
    folder = path.parent
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part in _SKIPPED or part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _refuse_links(files: list[Path], folder: Path | None) -> None:
    """Refuse links that lead out of a strategy's folder, which would bring in what it may not read."""
    for file in files:
        if folder is not None and file.is_symlink() and not file.resolve().is_relative_to(folder.resolve()):
            msg = f"{file} is a link to a file outside of the strategy's folder; copy the file there"
            raise StrategyError(msg, file=str(file))


def _hash(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        for data in (name.encode(), files[name]):
            digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:16]


class Loaded(NamedTuple):
    """A strategy's hooks and the texts that its errors quote, by the name they were compiled under."""

    hooks: Hooks
    sources: dict[str, str]

    def parameters(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return ``PARAMS`` with the given values over them; a name that is not in it is an error."""
        return merge_parameters(self.hooks, given)


def load(folder: Path, label: str, *, alone: bool = False) -> Loaded:
    """Import the strategy in a folder; to be called in a process of its own, or inside `imports.visiting`.

    Modules beside the entry file can be imported. Errors name all files as their author knows them. In a
    process that is `alone` with the strategy, an interrupt is one of its errors.

    Raises
    ------
    StrategyError
        With the learner's line, if the code does not compile, raises, or has no usable hooks.
    """
    entry = folder / ENTRY
    names = {path: _label(path, folder, label) for path in folder.rglob("*.py")}
    sources = {name: path.read_text("utf-8-sig", "replace") for path, name in names.items()}
    try:
        sources[label] = entry.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{label} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        raise StrategyError(msg, file=label) from error
    module = types.ModuleType("strategy")
    module.__file__ = str(entry)
    sys.modules["strategy"] = module
    sys.path_hooks.insert(0, path_hook(folder, lambda path: _label(path, folder, label)))
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        exec(compile(sources[label], label, "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        if isinstance(error, Exception | SystemExit) or alone:
            raise explain(error, sources, "import") from error
        raise
    try:
        return Loaded(hooks_of(module.__dict__, _name(label)), sources)
    except StrategyError as error:
        msg = f"{label}: {error}"
        raise StrategyError(msg, file=label) from error
    except Exception as error:  # of a NAME whose text raises, say
        raise explain(error, sources, "import") from error


def _label(path: Path, folder: Path, label: str) -> str:
    """Return what the author calls a file of the strategy whose entry file is called `label`."""
    inside = path.relative_to(folder).as_posix()
    return label if inside == ENTRY else label.removesuffix(ENTRY) + inside


def _name(label: str) -> str:
    path = PurePath(label)
    return path.parent.name if path.name == ENTRY else path.stem
