"""A notebook open in JupyterLab, as a person at the browser has it: cells, kernel, outputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import psutil
    from playwright.sync_api import Locator

    from tests.browser.lab import Lab

# What is told to JupyterLab itself. Promises of runs are kept, to be waited for with a deadline.
OPEN = """async path => {
    const app = window.jupyterapp;
    const panel = await app.commands.execute('docmanager:open', {path, factory: 'Notebook'});
    await panel.revealed;
    await panel.sessionContext.ready;
    window.opened ??= {};
    window.opened[path] = {panel, runs: {}, count: 0};
    return panel.id;
}"""
RUN = """([path, index]) => {
    const {panel, runs} = window.opened[path], id = ++window.opened[path].count;
    panel.content.activeCellIndex = index;
    runs[id] = null;
    const over = () => { runs[id] = 'over'; };
    window.jupyterapp.commands.execute('notebook:run-cell').then(over, over);
    return id;
}"""
EDIT = "([path, i, text]) => window.opened[path].panel.content.widgets[i].model.sharedModel.setSource(text)"
ADD = """([path, text]) => {
    const {content} = window.opened[path].panel;
    content.model.sharedModel.addCell({cell_type: 'code', source: text});
    return content.widgets.length - 1;
}"""
OUTPUTS = "([path, i]) => window.opened[path].panel.content.widgets[i].model.outputs.toJSON()"
IDLE = "path => window.opened[path].panel.sessionContext.session?.kernel?.status === 'idle'"
BUSY = "path => window.opened[path].panel.sessionContext.session?.kernel?.status === 'busy'"
OVER = "([path, id]) => window.opened[path].runs[id] !== null"
KERNEL = "path => window.opened[path].panel.sessionContext.session.kernel.id"
RESTART = "path => window.opened[path].panel.sessionContext.restartKernel()"
IN_FRONT = """path => {
    const {shell, commands} = window.jupyterapp, {panel} = window.opened[path];
    if (shell.currentWidget === panel) return commands.isEnabled('notebook:run-cell');
    shell.activateById(panel.id);
    return false;
}"""
CLOSE = """async path => {
    const {panel} = window.opened[path];
    await panel.sessionContext.shutdown();
    panel.context.model.dirty = false;
    panel.close();
}"""
PLOT_ENDS = (
    "area => [...area.querySelectorAll('.js-plotly-plot')].map(plot => plot.data[0]?.x?.at(-1) ?? null)"
)


class Run:
    """A cell that was set going."""

    def __init__(self, notebook: Notebook, id: int) -> None:
        self._notebook = notebook
        self._id = id

    def wait(self, within_s: float = 90.0) -> None:
        """Wait for its end, good or bad."""
        arguments = [self._notebook.path, self._id]
        self._notebook.page.wait_for_function(OVER, arg=arguments, timeout=1000 * within_s)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return bool(self._notebook.page.evaluate(OVER, [self._notebook.path, self._id]))


class Notebook:
    """One notebook with its kernel, in a folder of its own that is a workspace.

    Parameters
    ----------
    lab : Lab
        Where it is opened.
    name : str
        Of its folder.
    cells : sequence of str

    Attributes
    ----------
    folder : Path
        The workspace, and the kernel's working folder.
    path : str
        As JupyterLab names the notebook.
    """

    def __init__(self, lab: Lab, name: str, cells: Sequence[str]) -> None:
        self.lab = lab
        self.page = lab.page
        self.folder = lab.server.root / name
        (self.folder / "strategies").mkdir(parents=True)
        self.path = f"{name}/notebook.ipynb"
        (lab.server.root / self.path).write_text(json.dumps(_document(cells)), "utf-8")
        self.open()

    def open(self) -> None:
        """Open the notebook in the window, also again after the page was loaded anew; wait for its kernel."""
        self._panel = self.page.evaluate(OPEN, self.path)
        self.wait_idle()

    def come_forward(self) -> None:
        """Be the tab that is shown and that commands act on."""
        self.page.wait_for_function(IN_FRONT, arg=self.path)

    # Cells

    def run(self, index: int, *, within_s: float = 90.0) -> None:
        """Run a cell and wait for its end."""
        self.begin(index).wait(within_s)

    def begin(self, index: int) -> Run:
        """Set a cell going."""
        self.come_forward()
        return Run(self, self.page.evaluate(RUN, [self.path, index]))

    def do(self, source: str, *, within_s: float = 90.0) -> int:
        """Add a cell, run it, wait for its end; return its index."""
        index = self.add(source)
        self.run(index, within_s=within_s)
        return index

    def edit(self, index: int, source: str) -> None:
        """Replace the text of a cell."""
        self.page.evaluate(EDIT, [self.path, index, source])

    def add(self, source: str) -> int:
        """Add a cell at the end and return its index."""
        return int(self.page.evaluate(ADD, [self.path, source]))

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return the outputs of a cell as the notebook's file would have them."""
        return list(self.page.evaluate(OUTPUTS, [self.path, index]))

    def error(self, index: int) -> str:
        """Return the name and words of the error that a cell ended with, or an empty text."""
        errors = [out for out in self.outputs(index) if out["output_type"] == "error"]
        return "; ".join(f"{out['ename']}: {out['evalue']}" for out in errors)

    def value(self, expression: str) -> str:
        """Return the text of an expression's value, from a cell of its own.

        Raises
        ------
        AssertionError
            If it fails.
        """
        index = self.do(expression)
        assert not self.error(index), f"{expression}: {self.error(index)}"
        found = [out for out in self.outputs(index) if out["output_type"] == "execute_result"]
        return "".join(str(out["data"]["text/plain"]) for out in found)

    def cell(self, index: int) -> Locator:
        """Return a cell in the page."""
        return self.page.locator(f"#{self._panel} .jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """Return the output area of a cell in the page."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    def plot_ends(self, index: int) -> list[float | None]:
        """Return the last x of the first trace of every plotly chart below a cell."""
        return list(self.output(index).evaluate(PLOT_ENDS))

    def picture(self, index: int, path: Path) -> Path:
        """Take a picture of a cell's output and return where it is."""
        self.output(index).screenshot(path=path)
        return path

    def accept(self) -> None:
        """Press the button of the dialog that JupyterLab shows, once it does."""
        self.page.locator(".jp-Dialog .jp-mod-accept").click()

    # Kernel

    @property
    def busy(self) -> bool:
        """Whether the kernel carries something out."""
        return bool(self.page.evaluate(BUSY, self.path))

    def wait_idle(self, within_s: float = 90.0) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(IDLE, arg=self.path, timeout=1000 * within_s)

    def kernel(self) -> psutil.Process:
        """Return the kernel's process.

        Raises
        ------
        LookupError
            If it has none.
        """
        id = self.page.evaluate(KERNEL, self.path)
        for process in self.lab.server.kernels():
            if any(id in word for word in process.cmdline()):
                return process
        raise LookupError(id)

    def engine(self) -> list[psutil.Process]:
        """Return all processes that the kernel has started."""
        return self.kernel().children(recursive=True)

    def restart(self) -> None:
        """Restart the kernel, as its button does after the question, and wait for the new one."""
        self.page.evaluate(RESTART, self.path)
        self.wait_idle()

    def interrupt(self) -> None:
        """Interrupt the kernel, as its button does."""
        self.come_forward()
        self.lab.command("notebook:interrupt-kernel")

    def save(self) -> None:
        """Save the notebook, as its button does."""
        self.page.evaluate("path => window.opened[path].panel.context.save()", self.path)

    def close(self) -> None:
        """Shut the kernel down and close the notebook."""
        self.page.evaluate(CLOSE, self.path)


def _document(cells: Sequence[str]) -> dict[str, Any]:
    blank = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    return {
        "cells": [blank | {"id": f"cell{i}", "source": source} for i, source in enumerate(cells)],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
