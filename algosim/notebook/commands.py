"""The subcommands of ``%algosim``: what each takes, and which call of algosim it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from algosim.errors import ConfigError, did_you_mean
from algosim.notebook import acts
from algosim.notebook.help_card import Card
from algosim.notebook.words import Option, Words, read_words, split
from algosim.runs.workspace import strategy_names
from algosim.settings import PRESETS, keys, parse_assignment

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COMMANDS", "TOPICS", "Command", "run", "usage"]

TOPICS = ("ctx", "tick", "indicators", "strategy")
"""Words that ask for the card."""


class Command(NamedTuple):
    """A subcommand.

    `rest` says what another word stands for, in help and for completion: ``"RUN"``, ``"N"``. `assigns` says
    what ``name=value`` sets. `needs` says what must be given, where something must.
    """

    act: Callable[[Words], object]
    about: str
    options: tuple[Option, ...] = ()
    rest: str = ""
    assigns: str = ""
    needs: str = ""
    example: str = ""


def run(line: str) -> object:
    """Carry out what follows ``%algosim`` and return what the cell shows.

    Raises
    ------
    ConfigError
        If a word cannot be used, with the nearest that can.
    """
    name, *words = split(line) or ["help"]
    command = COMMANDS.get(name)
    if command is None:
        raise ConfigError(_unknown(name, words))
    how = usage(name)
    said = read_words(
        words, command.options, usage=how, most=bool(command.rest), assigns=bool(command.assigns)
    )
    if command.needs and not (said.rest or said.assigned):
        msg = f"say {command.needs}: {command.example}"
        raise ConfigError(msg)
    return command.act(said)


def _unknown(name: str, words: list[str]) -> str:
    """Return what to say of a word that is no subcommand; the name of a setting is taken at its word."""
    setting, equals, value = name.partition("=")
    if any(setting in (key, key.rpartition(".")[2]) for key in keys()):
        value = value if equals else (words or ["..."])[0]
        return f"%algosim has no {setting!r}, which is a setting: write %algosim set {setting}={value}"
    return f"%algosim has no {name!r}{did_you_mean(name, COMMANDS)}; there are: {', '.join(COMMANDS)}"


def usage(name: str) -> str:
    """Return how a subcommand is written: ``%algosim step [N]``."""
    command = COMMANDS[name]
    parts = [f"[{f'{option.name} {option.value}'.strip()}]" for option in command.options]
    parts += [f"[{word}]" for word in (command.rest, command.assigns) if word]
    return " ".join(["%algosim", name, *parts])


def _help(said: Words) -> object:
    topic = said.rest[0] if said.rest else ""
    if topic in COMMANDS:
        command = COMMANDS[topic]
        lines = [usage(topic), command.about]
        lines += [f"  {f'{option.name} {option.value}':<18} {option.about}" for option in command.options]
        acts.say("\n".join([*lines, *([f"for example: {command.example}"] if command.example else [])]))
        return None
    if topic in TOPICS:
        return Card()
    if topic:
        known = (*TOPICS, *COMMANDS)
        msg = f"there is no help on {topic!r}{did_you_mean(topic, known)}; there is on: {', '.join(known)}"
        raise ConfigError(msg)
    width = max(map(len, COMMANDS))
    acts.say("\n".join(f"%algosim {name:<{width}}  {command.about}" for name, command in COMMANDS.items()))
    acts.say("%algosim help start tells more of one; %algosim help ctx is the card for writing strategies")
    return None


def _speed(text: str) -> object:
    return parse_assignment(f"schedule.speed={text}")[1]


_SPEED = Option("--speed", "X", "Simulated seconds per second, or max.", _speed, lambda: ("1", "5", "max"))

COMMANDS = {
    "start": Command(
        acts.start,
        "Start the market, or go on; with options, a fresh one in its place.",
        (
            Option(
                "--strategy",
                "S",
                "A name, file or folder; repeat it for several.",
                str,
                strategy_names,
                many=True,
            ),
            Option("--seed", "N", "Makes the run repeatable.", acts.whole),
            _SPEED,
            Option("--duration", "D", "Length in simulated time: 60s, 5m, 1.5h."),
            Option("--ticks", "N", "Length in ticks.", acts.whole),
            Option("--config", "F", "A YAML file, or a preset.", str, lambda: PRESETS),
            Option("--out", "DIR", "Folder to write the run to."),
        ),
        assigns="setting=value ...",
        example="%algosim start --strategy sma_crossover --seed 42 --speed 5 sigma=0.3",
    ),
    "pause": Command(acts.pause, "Pause after the present tick."),
    "resume": Command(acts.resume, "Go on after a pause."),
    "step": Command(
        acts.step,
        "Release N ticks of a paused market; 1 without a number.",
        rest="N",
        example="%algosim step 10",
    ),
    "reset": Command(acts.reset, "End the run and make a fresh one ready."),
    "stop": Command(acts.stop, "End the run and show its result."),
    "set": Command(
        acts.set,
        "Change settings while it runs; with --id, a strategy's parameters.",
        (Option("--id", "ID", "The strategy whose parameters these are."),),
        assigns="setting=value ...",
        needs="what to set",
        example="%algosim set sigma=0.4 latency_ms=200",
    ),
    "status": Command(acts.status, "Show how the market does."),
    "dashboard": Command(
        acts.dashboard,
        "Show the dashboard.",
        (
            Option("--fast", "", "Begin with the fast view of price and equity."),
            Option("--no-start", "", "Leave the start to the button."),
        ),
    ),
    "present": Command(
        acts.present,
        "Show the market full-screen in the browser, for the projector.",
        (Option("--port", "N", "Where to serve.", acts.whole),),
        example="%algosim present",
    ),
    "trades": Command(acts.trades, "Show the trades, or the last N.", rest="N", example="%algosim trades 10"),
    "metrics": Command(
        acts.metrics,
        "Show the figures of the run so far.",
        (Option("--rolling", "", "Of the last metrics.window_s simulated seconds only."),),
    ),
    "export": Command(
        acts.export, "Copy the run's folder.", rest="DIR", needs="where to", example="%algosim export my_run"
    ),
    "replay": Command(
        acts.replay,
        "Run a recorded run again; check that nothing differs.",
        rest="RUN",
        example="%algosim replay last",
    ),
    "play": Command(
        acts.play,
        "Play a recorded run on the dashboard.",
        (_SPEED,),
        rest="RUN",
        example="%algosim play last --speed 10",
    ),
    "runs": Command(acts.runs, "List the recorded runs."),
    "doctor": Command(
        acts.doctor,
        "Check a strategy without running it.",
        rest="STRATEGY",
        needs="what to check",
        example="%algosim doctor my_sma",
    ),
    "strategies": Command(acts.strategies, "List the strategies that there are."),
    "help": Command(
        _help,
        "Explain a subcommand, or ctx: how strategies are written.",
        rest="TOPIC",
        example="%algosim help ctx",
    ),
}
