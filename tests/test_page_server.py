"""The page's server, with real processes and sockets: who gets in, what all see, and that nothing is left."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import zipfile
from html import unescape
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import algosim
from algosim import evaluate, present, replay
from algosim.errors import ConfigError, EngineError
from algosim.live.connection import connection_files
from algosim.page.opening import open_session
from algosim.page.plan import Market, Plan
from algosim.page.process import Page
from algosim.page.proxy import setup
from algosim.page.seat import AHEAD
from tests.kernels import Kernel
from tests.live_markets import FREE, fails, kill, until
from tests.pages import Viewer, token_of

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="POSIX signals"),
]

CENT = 0.005
QUICK = {"schedule.dt_mean_ms": 30.0, "execution.latency_ms": 50.0}


@pytest.fixture
def page(market):  # noqa: ARG001  (whose fixture looks for what is left, after this one's end)
    """Start pages; afterwards they and all that they started are gone."""
    opened = []

    def make(source=None):
        opened.append(Page(source, port=0) if isinstance(source, Plan) else present(source, port=0))
        return opened[-1]

    yield make
    for each in opened:
        family = family_of(each)
        each.close()
        _, alive = psutil.wait_procs(family, timeout=5.0)
        assert not alive


def family_of(page):
    """Return the page's process and those that it has started."""
    try:
        process = psutil.Process(page.pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def own(**settings):
    return Plan(market=Market(strategy=["sma_crossover"], seed=5, settings=FREE | QUICK | settings))


class TestWhatIsSeen:
    def test_a_page_opened_late_has_all_of_it_and_the_runs_own_equity(self, market, page):
        sim = market("sma_crossover", speed=20, settings=QUICK).run_until(ticks=400)
        with Viewer(page(sim)) as viewer:
            viewer.until(lambda v: v.last == 400 and v.now.get("equity"), "the history")
            assert viewer.first == 1
            assert viewer.price == pytest.approx(sim.ticks["price"].tolist(), abs=0.0)
            assert viewer.equity == pytest.approx(sim.equity["total"].tolist(), abs=CENT)
            sim.run_until(ticks=900)
            viewer.until(lambda v: v.last == 900 and v.now["ticks"] == 900, "what came since")
            assert viewer.equity == pytest.approx(sim.equity["total"].tolist(), abs=CENT)
            assert viewer.now["equity"] == pytest.approx(sim.metrics["total"]["final_equity"], abs=CENT)
            assert len(sim.trades) > 3
            result = sim.stop()
            viewer.until(lambda v: v.now["over"] and "ended" in v.frames, "the end")
        assert replay(result.folder).digest == result.digest

    def test_a_window_smaller_than_the_run_has_the_newest(self, market, page):
        sim = market("sma_crossover").run_until(ticks=700)
        with Viewer(page(sim), window=300) as viewer:
            viewer.until(lambda v: v.last == 700, "the window")
            assert viewer.first == 401

    def test_what_stands_around_the_points(self, market, page):
        sim = market("sma_crossover", speed=10, settings=QUICK).start()
        with Viewer(page(sim)) as viewer:
            viewer.until(lambda v: {"equity", "returns"} <= v.figures.keys() and v.tick, "figures, the tick")
            assert {
                "cards",
                "standing",
                "trades",
                "config",
                "engine",
                "log",
                "leaderboard",
            } <= viewer.html.keys()
            assert {"light", "dark"} == viewer.figures["equity"].keys()
            assert viewer.tick["newest"] is True
            assert viewer.tick["gaps"] is None  # of a socket that keeps one message nobody can say
            assert viewer.now["owned"] is False

    def test_without_the_fast_view_plotly_has_the_price(self, market, page):
        sim = market("sma_crossover", speed=10, settings=QUICK).start()
        with Viewer(page(sim), fast=False) as viewer:
            viewer.until(lambda v: viewer.frames.count("figure") > 6 and "price" in v.figures, "the price")
            assert "append" not in viewer.frames

    def test_the_setting_says_whether_the_newest_tick_is_all_that_counts(self, market, page):
        sim = market(
            "sma_crossover", speed=10, settings=QUICK | {"transport.conflate.ui_ticks_sub": False}
        ).start()
        with Viewer(page(sim)) as viewer:
            viewer.until(lambda v: v.tick, "a tick")
            assert viewer.tick["newest"] is False
            assert viewer.tick["gaps"] == 0

    def test_a_recorded_run_plays(self, home, page):
        result = evaluate("sma_crossover", seed=7, ticks=500, out=home / "recorded")
        with Viewer(page(Plan(play=str(result.folder), speed="max"))) as viewer:
            viewer.until(lambda v: v.last == 500 and v.now.get("over"), "the end of the run")
            assert viewer.equity == pytest.approx(result.equity["total"].tolist()[:500], abs=CENT)
            assert viewer.now["played"] is True

    def test_it_follows_a_reset(self, market, page):
        sim = market("sma_crossover", speed=10, settings=QUICK).start()
        with Viewer(page(sim)) as viewer:
            viewer.until(lambda v: v.now.get("run") == sim.run_id and v.last > 1, "the first run")
            sim.reset().start()
            viewer.until(lambda v: v.now.get("run") == sim.run_id and v.last > 1, "the run that follows")
            sim.pause()
            viewer.until(lambda v: v.now["state"] == "paused" and v.last == len(sim.ticks), "all of it")
            assert viewer.price == sim.ticks["price"].tolist()


class TestWhoGetsIn:
    def test_foreign_pages_and_wrong_tokens_are_refused(self, market, page):
        shown = page(market("sma_crossover", speed=1).start())
        own_origin = f"http://127.0.0.1:{shown.port}"
        Viewer(shown, origin=own_origin).close()
        Viewer(shown, token=token_of(shown.address)).close()
        for case in (
            {"origin": "https://example.org"},
            {"origin": f"http://127.0.0.1:{shown.port + 1}"},
            {"token": "guessed"},
            {"token": ""},
            {"token": "", "origin": own_origin},
        ):
            with pytest.raises(InvalidStatus) as refused:
                Viewer(shown, **case)
            assert refused.value.response.status_code == 403, case

    def test_nothing_that_a_socket_sends_changes_the_run(self, market, page):
        sim = market("sma_crossover", speed=10, settings=QUICK).start()
        shown = page(sim)
        controls = len(sim.recording.controls)
        for token in map(token_of, (shown.view_address, shown.address)):
            with Viewer(shown, token=token) as viewer:
                for op in ("pause", "stop", "reset", "set", "order", "begin_again"):
                    viewer.say(kind=op, op=op, key="model.sigma", value=9.0, side="BUY", qty=1, token=token)
                for text in ("", "[]", "null", "{" * 5_000, '{"kind": 3}', '{"kind": "drawn", "n": 1e99}'):
                    viewer.socket.send(text)
                viewer.say(kind="hello", window=-5)
                viewer.say(kind="drawn", n=10**9)
                before = viewer.last
                viewer.until(lambda v, n=before: v.last > n + 20, "ticks go on")
        with Viewer(shown) as viewer:
            viewer.socket.send(b"\x00\x01")
            with pytest.raises(ConnectionClosed):
                viewer.until(lambda _: False, "the end of one that sends bytes")
        assert sim.state == "running"
        assert len(sim.recording.controls) == controls
        assert sim.config.model.sigma == sim.stop().config.model.sigma

    def test_what_is_no_file_and_what_streamlit_would_keep_is_refused(self, page):
        shown = page(own())
        line = http.client.HTTPConnection("127.0.0.1", shown.port, timeout=20.0)
        names = ("a" * 5_000 + ".js", "nosuch.js", "__init__.py")
        for method, path in (
            *(("GET", f"/algosim/stage/{name}") for name in names),
            ("PUT", "/_stcore/upload_file/someone/something"),
        ):
            line.request(method, path, body=b"")
            answer = line.getresponse()
            answer.read()
            assert answer.status == 404, (method, path[:40])
        line.close()

    def test_behind_jupyters_proxy(self, market):
        """Who comes with the proxy's secret is let in, whatever the origin; the port alone shows nothing."""
        sim = market("sma_crossover", speed=1).start()
        told = setup()
        secret, hub = told["request_headers_override"], "https://hub.example.org"
        with Served(told["command"], told["environment"], secret) as served:
            with Viewer(served, token="", origin=hub, additional_headers=secret) as viewer:
                viewer.until(lambda v: v.now.get("run") == sim.run_id, "the run")
            for headers in ({}, dict.fromkeys(secret, "guessed")):
                with pytest.raises(InvalidStatus):
                    Viewer(served, token="", additional_headers=headers)
        assert sim.state == "running"

    @pytest.mark.usefixtures("market")
    def test_started_by_hand_it_lets_in_who_sits_at_the_machine(self):
        app = Path(algosim.__file__).with_name("streamlit_app.py")
        command = [sys.executable, "-m", "streamlit", "run", str(app)]
        with Served([*command, "--server.headless=true", "--server.port={port}"]) as served:
            with Viewer(served, token="") as viewer:
                viewer.until(lambda v: v.now.get("owned"), "a run of its own")
            for headers in ({"X-Forwarded-For": "192.0.2.7"}, {"Host": "rebound.example"}):
                with pytest.raises(InvalidStatus):
                    Viewer(served, token="", additional_headers=headers)
            bound = {each.laddr.ip for each in psutil.Process(served.pid).net_connections("tcp")}
            assert bound == {"127.0.0.1"}
        assert not connection_files()


class Served:
    """A page that somebody else starts: a command with ``{port}`` in it."""

    def __init__(self, command, environment=None, headers=None):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.view_address = f"http://127.0.0.1:{port}/?token=none"
        self._headers = headers
        self._process = subprocess.Popen(
            [word.format(port=port) for word in command],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.pid = self._process.pid

    def _open(self):
        try:
            Viewer(self, token="", additional_headers=self._headers).close()
        except (OSError, InvalidStatus):
            return False
        return True

    def __enter__(self):
        until(self._open, "the page")
        return self

    def __exit__(self, *_):
        family = family_of(self)
        self._process.terminate()
        assert self._process.wait(10.0) is not None
        assert not psutil.wait_procs(family[1:], timeout=5.0)[1]


class TestManyBrowsers:
    def test_ten_do_not_start_a_second_engine_and_leave_nothing(self, page):
        shown = page(own())
        before = {process.pid for process in family_of(shown)}
        assert len(connection_files()) == 1
        viewers = [Viewer(shown) for _ in range(10)]
        for viewer in viewers:
            viewer.until(lambda v: v.last > 20 and v.now.get("owned"), "the run")
        assert {process.pid for process in family_of(shown)} == before
        assert len({viewer.now["run"] for viewer in viewers}) == len(connection_files()) == 1
        for viewer in viewers:
            viewer.close()
        family = family_of(shown)
        run = connection_files()[0]
        shown.close()
        assert not psutil.wait_procs(family, timeout=5.0)[1]
        assert not connection_files()
        assert replay(run.folder).digest == (Path(run.folder) / "digest.txt").read_text("utf-8").strip()

    def test_those_that_do_not_read_cost_nobody_anything(self, market, page):
        sim = market("sma_crossover", speed=40, settings=QUICK).start()
        shown = page(sim)
        idle = [Viewer(shown, window=10_000, lazy=True) for _ in range(5)]
        with Viewer(shown, window=10_000) as quick:
            quick.until(lambda v: v.last > 500, "a beginning")
            process = psutil.Process(shown.pid)
            begun, frames = process.memory_info().rss, len(quick.frames)
            quick.until(lambda v: v.last > 8_000, "a long run", 60.0)
            assert len(quick.frames) - frames > 50  # about 130 in 6 s, whoever else is there
            assert process.memory_info().rss - begun < 60e6
            sim.pause()
            for viewer in idle:  # what waited for them is bounded, and then they see the newest
                exhaust(viewer)
                assert len(viewer.frames) <= AHEAD + 1
                viewer.lazy = False
                viewer.say(kind="drawn", n=len(viewer.frames))
                viewer.until(lambda v: v.last == len(sim.ticks), "the newest")
                viewer.close()


def exhaust(viewer):
    """Take all that waits for one."""
    with contextlib.suppress(TimeoutError):
        while True:
            viewer.take(0.3)


class TestEnds:
    @pytest.mark.usefixtures("market")
    def test_the_page_and_its_engine_end_with_who_started_it(self):
        code = f"""
            from algosim.page.plan import Market, Plan
            from algosim.page.process import Page
            page = Page(Plan(market=Market(seed=5, settings={FREE | QUICK!r})), port=0)
            print(page.pid, flush=True)
            page.wait()
        """
        launcher = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
        )
        page = psutil.Process(int(launcher.stdout.readline()))
        family = [page, *page.children(recursive=True)]
        assert len(family) > 4
        run = connection_files()[-1]
        launcher.kill()
        launcher.wait()
        launcher.stdout.close()
        assert not psutil.wait_procs(family, timeout=8.0)[1]
        replay(run.folder)

    @pytest.mark.usefixtures("market")
    def test_a_notebooks_page_ends_with_its_kernel(self, home):
        kernel = Kernel(home, dict(os.environ))
        try:
            made = f"import algosim\nsim = algosim.Simulation('sma_crossover', seed=1, settings={FREE!r})"
            assert kernel.run(made).status == "ok"
            page = psutil.Process(int(kernel.run("print(sim.present(port=0).pid)").text))
            shown = kernel.run("%load_ext algosim\n%algosim present").outputs[-1].content["data"]["text/html"]
            addresses = re.findall(r'href="(http://127.0.0.1:\d+/[^"]+)"', unescape(shown))
            assert len({token_of(address) for address in addresses}) == 2
            family = [page, *psutil.Process(connection_files()[-1].pid).children(recursive=True)]
            kill(int(kernel.run("import os\nprint(os.getpid())").text))
        finally:
            kernel.close()
        assert not psutil.wait_procs(family, timeout=8.0)[1]

    @pytest.mark.usefixtures("market")
    def test_a_killed_engine_is_told_and_can_begin_again(self):
        session = open_session(own())
        try:
            session.start()
            source = session.source
            assert session.owned
            assert session.ended == ""
            run = source.run_id
            until(lambda: len(source.recording) > 5, "ticks")
            kill(connection_files()[-1].pid)
            until(lambda: session.ended, "the end")
            assert "SIGKILL" in session.ended
            session.begin_again()
            assert session.source is source
            assert session.ended == ""
            assert source.run_id != run
            until(lambda: len(source.recording) > 5, "ticks again")
        finally:
            session.close()
        assert source.state == "finished"

    def test_the_page_of_a_killed_engine_goes_on(self, page):
        shown = page(own())
        with Viewer(shown) as viewer:
            viewer.until(lambda v: v.last > 5, "the run")
            kill(connection_files()[-1].pid)
            viewer.until(lambda v: v.now["over"] and "ended" in v.frames, "the end")
            assert "run ended: " in viewer.html["notice"]
            assert viewer.now["notice"].startswith("run ended: ")
            assert "SIGKILL" in viewer.now["reason"]
        with Viewer(shown) as late:
            late.until(lambda v: v.now.get("over") and v.last > 5 and "ended" in v.frames, "what was")

    def test_a_market_goes_on_without_its_page_and_has_one_at_a_time(self, market, page):
        sim = market("sma_crossover", speed=5, settings=QUICK)
        shown = page(sim)
        assert sim.state == "running"
        assert sim.present() is shown
        kill(shown.pid)
        until(lambda: shown.ended, "the end")
        assert shown.ended == "it was killed (SIGKILL)"
        assert sim.state == "running"

    def test_the_zip_replays(self, home, market):
        sim = market("sma_crossover", speed=20, settings=QUICK).run_until(ticks=300)
        session = open_session(Plan(run=sim.run_id))
        assert not session.owned
        name, packed = session.export_zip()
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            archive.extractall(home / "copy")
        assert name == f"{sim.run_id}.zip"
        assert replay(home / "copy" / sim.run_id).digest == sim.digest


class TestTheCommand:
    def test_it_prints_two_addresses_and_ends_with_a_signal(self, market):
        sim = market("sma_crossover", speed=5, settings=QUICK).start()
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            command = [sys.executable, "-m", "algosim", "present", "--no-browser", "--port", str(port)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            lines = [process.stdout.readline() for _ in range(2)]
        drive, view = (re.search(r"http://127\.0\.0\.1:\d+/\S+", line)[0] for line in lines)
        assert token_of(drive) != token_of(view)
        assert "view=present" in view
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=15.0)[1]
        assert f"port {port} is taken" in said
        assert "closed" in said
        assert process.returncode == 0
        assert sim.state == "running"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--run", "nosuch"], "no running market 'nosuch'"),
            (["--play", "nosuch"], "no run 'nosuch'"),
            (["--strategy", "nosuch"], "no strategy 'nosuch'"),
            (["--run", "a", "--play", "b"], "say one of them"),
        ],
    )
    @pytest.mark.usefixtures("home")
    def test_what_cannot_be_shown_is_told_in_a_line(self, words, said):
        done = subprocess.run(
            [sys.executable, "-m", "algosim", "present", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode in (1, 2)
        assert said in done.stderr
        assert done.stderr.count("\n") == 1


def test_what_is_no_market_is_refused(market):
    fails(ConfigError, lambda: present("last"), "Simulation")
    sim = market("sma_crossover")
    sim.run_until(ticks=10).stop()
    fails(EngineError, lambda: present(sim), "has ended")
