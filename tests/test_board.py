"""What every dashboard shows, against the results of finished runs and against playback."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from algosim import board, settings
from algosim.board.board import Board
from algosim.board.cards import cards
from algosim.board.last_action import Action, action_html, last_action
from algosim.board.leaderboard import leaderboard_html, leaders
from algosim.board.log_lines import LogLines
from algosim.board.projected import projected
from algosim.board.pump import Frame
from algosim.board.setting_knobs import GROUPS, HOT_RELOAD, SPEED, Choice, Slider, counts, value_of
from algosim.board.style import sheet
from algosim.board.tidy import Cell, profit
from algosim.board.totals import total
from algosim.charts.feed import Feed
from algosim.charts.numbers import count, money, percent, quantity
from algosim.config import Config
from algosim.events import Fill, Log
from algosim.runs.accounts import Accounts
from algosim.runs.evaluate import evaluate
from algosim.runs.player import Player
from algosim.runs.recording import Recording

STRATEGIES = ["momentum", "bollinger", "buy_and_hold"]
TAGS = re.compile(r"<[^>]*>")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return evaluate(STRATEGIES, seed=5, ticks=1500, out=tmp_path_factory.mktemp("runs") / "one")


@pytest.fixture
def followed(result):
    accounts = Accounts(result.config.portfolio.initial_cash)
    accounts.update(result.recording)
    return accounts


@pytest.fixture
def playing(result):
    """A board of a recorded run, and a way to look at it."""
    player = Player(result.folder, speed=1.0)
    made = Board(player)
    feeds = []

    def look():
        feeds.append(Feed(player.config.portfolio.initial_cash))
        feeds[-1].update(player.recording)
        phase = "over" if player.status["state"] == "finished" else "live"
        return made.look(Frame(feeds[-1], player.status, 0, 0.0, phase))

    yield player, made, look
    made.close()


def words(html):
    return " ".join(TAGS.sub(" ", html).split())


class TestFigures:
    @pytest.mark.parametrize(
        ("value", "text", "kind"), [(-0.0047, "+0.00", ""), (-0.006, "\N{MINUS SIGN}0.01", "bad")]
    )
    def test_a_loss_below_half_a_cent_is_no_red_zero(self, value, text, kind):
        assert profit(value) == Cell(text, kind)
        assert (money(-0.004), percent(-1e-9), quantity(-1e-9)) == ("0.00", "0.0 %", "0")

    def test_totals_are_those_of_the_metrics(self, result, followed):
        found, metrics = total(followed, result.recording.last_price), result.metrics["total"]
        assert found.equity == pytest.approx(metrics["final_equity"], abs=1e-9)
        assert found.pnl == pytest.approx(metrics["pnl"], abs=1e-9)
        assert found.realized == pytest.approx(metrics["realized"], abs=1e-9)
        assert found.unrealized == pytest.approx(metrics["unrealized"], abs=1e-9)
        assert (found.accounts, found.fills) == (3, len(result.trades))
        assert found.position == result.positions.iloc[-1][STRATEGIES].sum()

    def test_a_run_without_accounts_has_no_equity(self):
        found = total(Accounts(100.0), math.nan)
        assert math.isnan(found.equity)
        assert (found.start, found.unrealized, found.position, found.fills) == (0.0, 0.0, 0.0, 0)

    def test_taking_it_in_parts_is_taking_it_at_once(self, result, followed):
        player, parts = Player(result.folder), Accounts(followed.initial_cash)
        for tick in (1, 40, 41, 700, player.last_tick):
            player.seek(tick=tick)
            parts.update(player.recording)
        assert parts.all() == followed.all()
        assert parts.fills == followed.fills

    def test_the_drawdown_on_the_card_is_the_largest_so_far_and_now(self, result, followed):
        metrics = {**result.metrics["total"], "max_drawdown": 0.25}
        shown = {card.name: card for card in cards(total(followed, 100.0), metrics, -0.125, 0.0)}
        assert (shown["max drawdown"].figure, shown["max drawdown"].below) == ("25.0 %", "now 12.5 %")


class TestLeaderboard:
    def test_rows_are_the_accounts_by_their_equity(self, result, followed):
        rows = leaders(followed, result.metrics, result.recording.last_price)
        final = result.equity.iloc[-1][STRATEGIES].sort_values(ascending=False)
        assert [row.name for row in rows] == list(final.index)
        assert [row.equity for row in rows] == pytest.approx(list(final), abs=1e-9)
        assert [row.rank for row in rows] == [1, 2, 3]
        for row in rows:
            of = result.metrics[row.name]
            assert (row.max_drawdown, row.sharpe, row.sharpe_se, row.fills) == pytest.approx(
                (of["max_drawdown"], of["sharpe"], of["sharpe_se"], of["fills"]), nan_ok=True
            )
            assert row.pnl == pytest.approx(of["pnl"], abs=1e-9)
            assert row.position == result.positions[row.name].iloc[-1]

    def test_the_table_says_it_in_this_order(self, result, followed):
        rows = leaders(followed, result.metrics, result.recording.last_price)
        text = words(leaderboard_html(rows))
        assert sorted(STRATEGIES, key=text.index) == [row.name for row in rows]
        for row in rows:
            assert {money(row.equity), count(row.fills), quantity(row.position)} <= set(text.split())

    def test_equals_share_a_rank_and_people_have_none(self):
        accounts, recording = Accounts(100.0), Recording()
        for name in ("a", "b", "c"):
            accounts.strategies[name] = {"position": 0.0, "cash": 100.0 if name != "c" else 90.0, "state": ""}
        recording.add([fill("manual", 3, cash=5_000.0)])
        accounts.update(recording)
        assert "manual" in accounts.all()
        assert [(row.rank, row.name) for row in leaders(accounts, {}, 10.0)] == [(1, "a"), (1, "b"), (3, "c")]

    def test_without_strategies_it_says_so(self):
        assert "no strategy" in words(leaderboard_html([]))


def fill(name, seq, **other):
    fields = {
        "side": "BUY", "qty": 2.0, "price": 10.5, "at": seq, "number": 1, "ts_sim": seq * 1_000_000_000,
        "commission": 0.0, "slippage_bps": 0.0, "position": 2.0, "cash": 79.0, "realized": 0.0, "tag": "",
    }  # fmt: skip
    return Fill(id=name, seq=seq, **{**fields, **other})


class TestLastAction:
    def test_it_is_the_newest_fill(self, result):
        trade = result.trades.iloc[-1]
        action = last_action(result.recording)
        assert (action.account, action.side, action.qty, action.price, action.tag) == tuple(
            trade[["id", "side", "qty", "price", "tag"]]
        )
        assert action.time == pytest.approx(result.trades.index[-1].total_seconds())

    def test_before_the_first_there_is_none(self):
        assert last_action(Recording()) is None
        assert "no trade" in words(action_html(None))

    def test_tags_are_words_and_not_html(self):
        html = action_html(Action(65.0, "<b>me</b>", "SELL", 2.0, 101.5, "<img src=x>"))
        assert "<img" not in html
        assert words(html).startswith("01:05.0 &lt;b&gt;me")


class TestBoard:
    def test_going_back_in_a_playback_shows_what_was_so_then(self, result, playing):
        player, made, look = playing
        player.seek(tick=400)
        early = look()
        shown = made.pieces(early)
        assert early.total.fills == sum(fill.seq <= 400 for fill in result.recording.fills)
        player.seek(tick=player.last_tick)
        late = look()
        assert late.total.fills == len(result.trades)
        player.seek(tick=400)
        again = made.pieces(look())
        pieces = ("trades", "positions", "action", "log", "standing")
        assert {name: again[name] for name in pieces} == {name: shown[name] for name in pieces}

    def test_figures_are_what_json_can_say(self, playing):
        player, _, look = playing
        first = projected(look())
        json.dumps(first, allow_nan=False)
        assert (first["price"], first["action"], first["ticks"]) == (None, None, 0)
        player.seek(tick=player.last_tick)
        last = projected(look())
        assert json.loads(json.dumps(last, allow_nan=False)) == last
        assert last["equity"] == pytest.approx(player.equity["total"].iloc[-1], abs=1e-9)

    def test_looks_are_no_more_frequent_than_people_read(self, playing):
        _, made, look = playing
        assert look() is not None
        feed = Feed(1.0)
        frame = Frame(feed, {"state": "paused"}, 0, 0.0, "live")
        assert made.look(frame) is not None  # another feed
        assert made.look(frame) is None
        made.wake()
        assert made.look(frame) is not None


def test_the_log_of_a_playback_that_goes_back_repeats_nothing():
    lines, first, second = LogLines(), Recording(), Recording()
    lines.begin("one")
    lines.tell("exported")
    first.add([Log(seq=1, id="a", level="info", text="hello"), Log(seq=9, id="a", level="info", text="late")])
    second.add([Log(seq=1, id="a", level="info", text="hello")])
    lines.follow(first, {})
    notes = "00:00.0 exported 00:00.0 run one"
    assert words(lines.html) == f"tick 9 a late tick 1 a hello {notes}"
    lines.follow(second, {})
    assert words(lines.html) == f"tick 1 a hello {notes}"


def test_a_strategy_that_talks_at_every_tick_crowds_out_no_error():
    lines, recording = LogLines(), Recording()
    lines.begin("one")
    recording.add([Log(seq=1, id="a", level="error", text="broken")])
    recording.add([Log(seq=n, id="b", level="print", text="hello") for n in range(2, 200)])
    lines.follow(recording, {})
    for n in range(200, 400):
        recording.add([Log(seq=n, id="b", level="print", text="hello")])
        lines.follow(recording, {})
    said = words(lines.html)
    assert said.count("hello") == 58
    assert said.startswith("tick 399 b hello tick 398")
    assert said.endswith("tick 1 a broken 00:00.0 run one")


def test_controls_ask_for_values_that_settings_can_have():
    config, every = Config(), settings.keys()
    for control in (*(each for group in GROUPS.values() for each in group), SPEED, HOT_RELOAD):
        assert control.key in every
        value = value_of(config, control.key)
        asked = [value]
        if isinstance(control, Slider):
            assert control.low <= value <= control.high
            asked = [control.low or 0.0, control.high]
        elif isinstance(control, Choice):
            assert value in control.options
            asked = list(control.options)
        for each in asked:
            assert value_of(settings.with_settings(config, {control.key: each}), control.key) == each


def test_what_means_nothing_in_a_model_does_not_count():
    config = Config()
    brownian = settings.with_settings(config, {"model.type": "brownian"})
    assert (counts(config, "model.kappa"), counts(config, "model.mu")) == (True, False)
    assert (counts(brownian, "model.kappa"), counts(brownian, "model.mu")) == (False, True)
    assert counts(brownian, "model.sigma")


def test_the_stylesheet_has_every_colour_that_it_uses():
    css = sheet(".somewhere-dark")
    defined = set(re.findall(r"(--as-\w+):", css))
    used = set(re.findall(r"var\((--as-\w+)", css))
    for folder in (Path(board.__file__).parents[1] / "notebook", Path(board.__file__).parent):
        for file in folder.glob("*.css"):
            used |= set(re.findall(r"var\((--as-\w+)", file.read_text("utf-8")))
    assert used <= defined
    assert css.count("{") == css.count("}")
