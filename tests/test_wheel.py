"""What is installed has the streaming panel in it, also where npm reaches nothing."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from algosim.charts.fast_view import bundle

REPOSITORY = Path(__file__).parents[1]
SOURCES = REPOSITORY / "algosim" / "charts" / "fast_view"
BUNDLE = "algosim/charts/fast_view/bundle.js"

pytestmark = pytest.mark.slow


@pytest.fixture
def offline(tmp_path):
    """An environment whose npm reaches nothing."""
    programs = tmp_path / "bin"
    programs.mkdir()
    said = {"node": "echo v22.0.0", "npm": "echo 'npm error network ENOTFOUND' >&2\nexit 1"}
    for name, script in said.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    return os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def build(folder, out, env):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.skipif(os.name == "nt", reason="the npm that fails is a shell script")
def test_the_wheel_has_the_panel_and_the_licence_of_what_is_in_it(tmp_path, offline):
    built = build(REPOSITORY, tmp_path, offline)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        text = archive.read(BUNDLE).decode()
    assert text == bundle()
    assert "Permission is hereby granted, free of charge" in text
    assert "Leon Sorokin" in text
    assert {"algosim/strategies/sma_crossover/strategy.py", "algosim/py.typed"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "node_modules" in name or "hatch_build" in name]


@pytest.mark.skipif(os.name == "nt", reason="the npm that fails is a shell script")
def test_without_npm_and_bundle_a_build_ends_with_one_line(tmp_path, offline):
    copy = tmp_path / "algosim"
    shutil.copytree(
        SOURCES, copy / "algosim" / "charts" / "fast_view", ignore=shutil.ignore_patterns("bundle.js")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE", "algosim/__init__.py"):
        shutil.copy(REPOSITORY / name, copy / name)
    built = build(copy, tmp_path / "out", offline)
    assert built.returncode != 0
    assert built.stderr.strip() == "npm could not fetch uPlot: npm error network ENOTFOUND"
    assert not (copy / BUNDLE).exists()


def test_the_lock_file_names_hashes_and_no_address():
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not [path for path, entry in packages.items() if "resolved" in entry]
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version
