"""How the modules of a strategy's folder are imported, and how this process is left as it was."""

from __future__ import annotations

import random
import sys
from contextlib import contextmanager
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.abc import PathEntryFinder
    from types import CodeType

__all__ = ["path_hook", "visiting"]


def path_hook(folder: Path, name_of: Callable[[Path], str]) -> Callable[[str], PathEntryFinder]:
    """Return an import hook under which the folder's modules have their author's names in tracebacks."""

    class Named(SourceFileLoader):
        def source_to_code(  # type: ignore[override]  # typeshed has it as a static method
            self, data: bytes, path: str, *, _optimize: int = -1
        ) -> CodeType:
            name = name_of(Path(path))
            code: CodeType = compile(data, name, "exec", dont_inherit=True, optimize=_optimize)
            return code

    find = FileFinder.path_hook((Named, SOURCE_SUFFIXES), (ExtensionFileLoader, EXTENSION_SUFFIXES))

    def hook(path: str) -> PathEntryFinder:
        if not Path(path).is_relative_to(folder):
            msg = "not of the strategy"
            raise ImportError(msg)
        return find(path)

    return hook


@contextmanager
def visiting(folder: Path) -> Iterator[None]:
    """Undo at the end what loading and running the strategy in `folder` changes in this process."""
    path, hooks, bytecode = sys.path[:], sys.path_hooks[:], sys.dont_write_bytecode
    dice, numpy_dice = random.getstate(), np.random.get_state()  # noqa: NPY002  (the kernel's own)
    try:
        yield
    finally:
        sys.path[:], sys.path_hooks[:], sys.dont_write_bytecode = path, hooks, bytecode
        random.setstate(dice)
        np.random.set_state(numpy_dice)  # noqa: NPY002
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file is not None and Path(file).is_relative_to(folder):
                del sys.modules[name]
