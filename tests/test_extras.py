"""What a face says where its packages are not installed."""

from __future__ import annotations

import subprocess
import sys

HIDE = "import sys; sys.modules[{missing!r}] = None; import algosim; algosim.{name}"


def test_a_face_without_its_packages_names_the_remedy(tmp_path):
    code = HIDE.format(missing="ipywidgets", name="dashboard")
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert said.returncode == 1
    last = said.stderr.splitlines()[-1]
    assert last == "ModuleNotFoundError: algosim.dashboard needs ipywidgets: pip install 'algosim[lab]'"
