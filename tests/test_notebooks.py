"""The stored notebooks: executed, with their outputs, and the same when they are executed again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbval is not installed: pip install 'algosim[lab,test]'")
pytest.importorskip("nbval", reason="nbval is not installed: pip install 'algosim[lab,test]'")

FOLDER = Path(__file__).parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def path(request):
    return request.param


def test_every_cell_was_executed(path):
    """What was not is compared with nothing."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert cells
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell.outputs) for cell in cells) > 0.8 * len(cells)


def test_nothing_of_a_machine_is_in_it(path):
    notebook = nbformat.read(path, as_version=4)
    assert set(notebook.metadata) == {"kernelspec"}
    assert notebook.metadata.kernelspec.name == "python3"
    text = path.read_text("utf-8")
    assert not [place for place in ("/home/", "/tmp/", "/Users/", "\\\\Users\\\\") if place in text]


@pytest.mark.live
@pytest.mark.slow
def test_it_is_the_same_again(path, tmp_path):
    (tmp_path / "strategies").mkdir()
    shutil.copy(path, tmp_path)
    options = ["--nbval", "--nbval-sanitize-with", str(FOLDER / "sanitize.cfg"), "--nbval-cell-timeout", "60"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            ".",
            *options,
            path.name,
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=110,
    )
    assert done.returncode == 0, done.stdout
