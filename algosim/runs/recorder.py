"""Takes a run block by block: digest, memory, and the run folder while the run goes on."""

from __future__ import annotations

import contextlib
import os
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

import algosim
from algosim.core.blocks import block_order, close, in_blocks
from algosim.core.digest import Digest
from algosim.errors import RunError
from algosim.events import Event, Fill, Plot, RunStart
from algosim.runs.event_text import event_text
from algosim.runs.figures import RunMetrics, account_fills, run_metrics
from algosim.runs.folder import DIGEST, METRICS, TICKS, TRADES, TRIPS
from algosim.runs.held import hold
from algosim.runs.recording import Recording
from algosim.runs.saved_events import read_events
from algosim.runs.tables import TICKS_HEADER, TRADES_HEADER, roundtrips_table, tick_rows, trade_rows
from algosim.runs.workspace import EVENTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from algosim.config import Config
    from algosim.core.lines import Lines
    from algosim.core.market import Ticks

__all__ = ["Recorder"]

_encoder = msgspec.json.Encoder()


class _File:
    """A file that grows by whole blocks: what could not be written whole is cut off again."""

    def __init__(self, path: Path, header: bytes = b"", *, keep: int = 0, held: bool = False) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        except OSError as error:
            msg = f"cannot write {path}: {error.strerror}"
            raise RunError(msg) from error
        if held:
            hold(self._fd)
        self.size = keep
        self.cut(keep)
        self.write(header)

    def cut(self, size: int) -> None:
        """Drop what stands after the first `size` bytes."""
        os.ftruncate(self._fd, size)
        os.lseek(self._fd, size, os.SEEK_SET)
        self.size = size

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self.cut(self.size)
            msg = f"cannot write {self.path}: {error.strerror}; its files end with the last whole block"
            raise RunError(msg) from error
        self.size += len(data)

    def close(self, *, durable: bool = False) -> None:
        if durable:
            os.fsync(self._fd)
        os.close(self._fd)


class Recorder:
    """Records a run in memory and, where it has a folder, on disk.

    Parameters
    ----------
    config : Config
        Of the run.
    start : RunStart
        The first line of ``events.jsonl``.
    folder : Path, optional
        A folder that `algosim.runs.folder.claim` made.

    Attributes
    ----------
    recording : Recording
    digest : str
        Of what was recorded so far.
    """

    def __init__(self, config: Config, start: RunStart, folder: Path | None = None) -> None:
        self.config = config
        self.folder = folder
        self.recording = Recording()
        self._digest = Digest()
        self._files: tuple[_File, _File, _File] | None = None
        start.algosim, start.end = algosim.__version__, True
        if folder is not None:
            events = _File(folder / EVENTS, _encoder.encode(start) + b"\n", held=True)
            self._files = (
                events,
                _File(folder / TICKS, TICKS_HEADER),
                _File(folder / TRADES, TRADES_HEADER),
            )
        self.recording.add([start])

    @classmethod
    def reopen(cls, config: Config, start: RunStart, folder: Path) -> Recorder:
        """Go on with a run whose recorder died: cut off what is not whole, and read back the rest."""
        saved = read_events(folder / EVENTS)
        if saved.recording.start is None:
            return cls(config, start, folder)
        recorder = cls(config, start)
        recorder.folder, recorder.recording = folder, saved.recording
        ticks, fills = saved.recording.ticks_between(1, len(saved.recording)), saved.recording.fills
        recorder._digest.ticks(ticks.time, ticks.price)
        end = [saved.recording.end] if saved.recording.end is not None else []
        for event in (*saved.recording.between_ticks(), *end):
            recorder._digest.event(event)
        recorder._files = (
            _File(folder / EVENTS, keep=saved.size, held=True),
            _File(folder / TICKS, TICKS_HEADER + tick_rows(ticks)),
            _File(folder / TRADES, TRADES_HEADER + trade_rows(fills)),
        )
        return recorder

    @property
    def last(self) -> int:
        """The last block recorded: of a tick, or the end."""
        end = self.recording.end
        return len(self.recording) if end is None else end.seq

    @property
    def digest(self) -> str:
        """The digest of what was recorded so far."""
        return self._digest.hexdigest()

    def take(self, ticks: Ticks, events: Sequence[Event], lines: Sequence[Lines] = ()) -> None:
        """Record consecutive ticks, the events of their blocks by `seq`, and what indicators showed."""
        blocks = [sorted(block, key=block_order) for block in in_blocks(events)]
        events = list(chain.from_iterable(blocks))
        if self._files is not None:
            fills = [event for event in events if type(event) is Fill]
            self._write(
                event_text(ticks, events, lines), tick_rows(ticks), trade_rows(fills) if fills else b""
            )
        else:
            for block in blocks:
                close(block)
        self._digest.ticks(ticks.time, ticks.price)
        self.recording.add_ticks(ticks)
        points = [event for event in events if isinstance(event, Plot)]
        if lines and (points or len(lines) > 1):
            events = [event for event in events if not isinstance(event, Plot)]
            for part in lines:
                points += part.plots()
            points.sort(key=lambda plot: (plot.seq, plot.id))
            self.recording.add(points)
        else:
            self.recording.plots.add(lines)
        self._keep(events)

    def take_end(self, events: list[Event]) -> None:
        """Record the block after the last tick; it has an End."""
        close(events)
        fills = [event for event in events if isinstance(event, Fill)]
        self._write(_encoder.encode_lines(events), b"", trade_rows(fills))
        self._keep(events)

    def _keep(self, events: Sequence[Event]) -> None:
        for event in events:
            self._digest.event(event)
        self.recording.add(events)

    def _write(self, events: bytes, ticks: bytes, trades: bytes) -> None:
        """Write to all files or, where that fails, to none."""
        files = self._files or ()
        sizes = [file.size for file in files]
        try:
            for file, data in zip(files, (events, ticks, trades), strict=False):
                if data:
                    file.write(data)
        except RunError:
            for file, size in zip(files, sizes, strict=True):
                with contextlib.suppress(OSError):
                    file.cut(size)
            raise

    def finish(self, *, durable: bool = False) -> None:
        """In a folder, write the files that sum the run up; `durable` waits until the disk has all files."""
        if self._files is not None and self.folder is not None:
            self.close(durable=durable)
            figures = run_metrics(self.recording, self.config)
            write_summary(self.folder, self.recording, figures, self.digest, durable=durable)

    def close(self, *, durable: bool = False) -> None:
        """Close the files as they are; a run that did not come to its end has no files that sum it up."""
        for file in self._files or ():
            file.close(durable=durable)
        self._files = None


def write_summary(
    folder: Path, recording: Recording, metrics: RunMetrics, digest: str, *, durable: bool = False
) -> None:
    """Write ``roundtrips.csv``, ``metrics.json`` and ``digest.txt``."""
    contents = {
        TRIPS: roundtrips_table(account_fills(recording).values()),
        METRICS: msgspec.json.format(_encoder.encode(metrics), indent=2) + b"\n",
        DIGEST: digest.encode() + b"\n",
    }
    for name, data in contents.items():
        try:
            _File(folder / name, data).close(durable=durable)
        except RunError:
            (folder / name).unlink()  # better none than an empty one
            raise
