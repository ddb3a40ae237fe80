"""Writes ``magics.ipynb`` anew, after a change of what magics show: ``python -m tests.notebooks.execute``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("magics.ipynb")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

STRATEGY = """%%strategy follow window=20

PARAMS = {"window": 50, "qty": 1.0}

def init(ctx):
    ctx.mean = ctx.indicator.SMA(ctx.get_param("window"))

def on_tick(ctx, tick):
    price, mean = tick["price"], ctx.mean.update(tick["price"])
    if mean is not None:
        ctx.target(ctx.get_param("qty") if price > mean else 0)"""

RAISES = "raises-exception"

FREE = """names = ("ticks_pub", "orders_push", "fills_pub", "control")
free = " ".join(f"transport.endpoints.{name}=tcp://127.0.0.1:*" for name in names)"""

CELLS: tuple[tuple[str, str], ...] = (
    ("import algosim", ""),
    ("%load_ext algosim", ""),
    ("%algosim help", ""),
    ("%algosim help start", ""),
    ("%algosim pauze", RAISES),
    ("%algosim help present", ""),
    (STRATEGY, ""),
    ("%algosim doctor follow", ""),
    ("%algosim strategies", ""),
    (FREE, ""),
    # So slow that nothing has happened when it is paused
    ("sim = %algosim start --seed 42 --ticks 1000 --speed 0.001 {free}", ""),
    ("%algosim pause", ""),
    ("%algosim set speed=max", ""),
    ("%algosim step 300", ""),
    ("%algosim set sigma=0.3 latency_ms=200", ""),
    ("%algosim step 100", ""),
    (STRATEGY.replace("price > mean else 0", "price < mean else 0"), ""),
    ("%algosim step 100", ""),
    (STRATEGY.replace("is not None", "is not Nothing:("), RAISES),
    ("%algosim set --id follow window=10", ""),
    ("%algosim step", ""),
    ("%algosim trades 3", ""),
    ("%algosim metrics", ""),
    # How far the indicators are is told once a second
    ("# NBVAL_IGNORE_OUTPUT\n%algosim status", ""),
    ("sim", ""),
    ("%algosim dashboard", ""),
    ("sim.figure()", ""),
    ("%algosim resume", ""),
    ("sim.wait()", ""),
    ("result = %algosim stop\nresult", ""),
    ("%algosim replay", ""),
    ("%algosim play", ""),
    ("%algosim export copy", ""),
    ("%algosim runs", ""),
    ("%algosim reset", ""),
    ('algosim.evaluate("sma_crossover", seed=42, ticks=1000)', ""),
    ('algosim.evaluate("sma_crossover", seed=42, ticks=1000).metrics', ""),
    ("%algosim help ctx", ""),
)


def main() -> None:
    """Execute the cells in a workspace of their own and keep what they show."""
    cells = []
    for number, (source, tag) in enumerate(CELLS):
        cell = nbformat.v4.new_code_cell(source, id=f"cell-{number}")
        cell.metadata["tags"] = [tag] if tag else []
        cells.append(cell)
    notebook = nbformat.v4.new_notebook(cells=cells)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "strategies").mkdir()
        client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": folder}})
        client.execute()
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
