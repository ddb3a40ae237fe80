"""`algosim lab`: what JupyterLab is started with, and that it serves the lessons with our settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from urllib.error import URLError

import pytest

from algosim.cli import main
from algosim.cli.lab import arguments
from algosim.errors import ConfigError
from tests.live_markets import fails, until

NOTEBOOKS = ("01_first_market.ipynb", "02_latency.ipynb", "10_costs.ipynb", "10_size.ipynb")


@pytest.fixture
def lessons(home):
    folder = home / "lessons"
    folder.mkdir()
    for name in NOTEBOOKS:
        (folder / name).write_text(
            '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "utf-8"
        )
    return folder


def opened(words):
    return next(word.partition("=")[2] for word in words if word.startswith("--LabApp.default_url="))


class TestArguments:
    def test_the_list_of_lessons(self, lessons):
        words = arguments(None)
        assert f"--ServerApp.root_dir={lessons.parent}" in words
        assert opened(words) == "/lab/tree/lessons"

    @pytest.mark.parametrize("said", ["02", "02_latency", "02_latency.ipynb", "lessons/02_latency.ipynb"])
    @pytest.mark.usefixtures("lessons")
    def test_one_lesson(self, said):
        assert opened(arguments(said)) == "/lab/tree/lessons/02_latency.ipynb"

    def test_without_lessons_the_workspace(self, home):
        assert arguments(None) == [f"--ServerApp.root_dir={home}"]

    @pytest.mark.usefixtures("lessons")
    def test_what_is_not_there_is_refused(self):
        fails(ConfigError, lambda: arguments("02_latancy"), "no lesson '02_latancy'", "'02_latency'")
        fails(ConfigError, lambda: arguments("10"), "several", "10_costs.ipynb", "10_size.ipynb")

    @pytest.mark.usefixtures("home")
    def test_where_there_are_none_it_says_so(self):
        fails(ConfigError, lambda: arguments("01"), "has no notebooks")


def test_without_jupyterlab_it_says_what_to_install(monkeypatch, capsys, home):  # noqa: ARG001
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    assert main(["lab"]) != 0
    said = capsys.readouterr()
    assert said.err == "error: JupyterLab is not installed: pip install 'algosim[lab]'\n"


def test_help_shows_an_example(capsys):
    assert main(["lab", "--help"]) == 0
    said = capsys.readouterr().out
    assert "lab [LESSON] [-- OPTIONS]" in said
    assert "sim lab 01" in said


@pytest.mark.live
@pytest.mark.slow
def test_it_serves(lessons, tmp_path):
    pytest.importorskip("jupyterlab")
    jupyter = tmp_path / "jupyter"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        environment[f"JUPYTER_{name}"] = str(jupyter / name.lower())
    for name in ("SETTINGS_DIR", "WORKSPACES_DIR"):
        environment[f"JUPYTERLAB_{name}"] = str(jupyter / name.lower())
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", "--IdentityProvider.token=word"]
    process = subprocess.Popen(
        [sys.executable, "-m", "algosim", "lab", "01", "--", *options],
        cwd=lessons.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def address():
        found = list((jupyter / "runtime_dir").glob("jpserver-*.json"))
        return found and json.loads(found[0].read_text("utf-8") or "{}").get("url")

    def get(path):
        request = urllib.request.Request(url + path, headers={"Authorization": "token word"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.geturl(), answer.read()

    def listens():
        try:
            return get("api")
        except URLError:  # it tells its address before it listens
            return None

    try:
        url = until(address, "the server's address", 60.0)
        until(listens, "an answer of the server", 60.0)
        assert get("")[0].endswith("/lab/tree/lessons/01_first_market.ipynb")
        listed = json.loads(get("api/contents/lessons")[1])
        assert sorted(entry["name"] for entry in listed["content"]) == sorted(NOTEBOOKS)
        settings = json.loads(get("lab/api/settings/@jupyterlab/apputils-extension:notification")[1])
        assert settings["schema"]["properties"]["fetchNews"]["default"] == "false"
    finally:
        process.terminate()
        process.wait(20)
