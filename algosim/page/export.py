"""A run's folder as one file to download."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from algosim.runs.folder import export

__all__ = ["zipped"]


def zipped(run: Path | None, name: str) -> bytes:
    """Return a run's folder as it is now as a zip with one folder `name` in it.

    Raises
    ------
    RunError
        If there is no folder.
    """
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="algosim-export-") as scratch:
        copy = export(run, Path(scratch) / name)  # which stands still while it is packed
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(copy.rglob("*")):
                archive.write(path, Path(name) / path.relative_to(copy))
    return packed.getvalue()
