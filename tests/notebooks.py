"""Shared by the tests: the notebooks, read and run as a reader would run them.

In:  the notebooks of this repository.
Out: a notebook with its outputs, and what is wrong with how much it shows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

__all__ = ["FIRST", "LATER", "NOTEBOOKS", "assert_silent_and_short", "executed", "read"]

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))

FIRST, LATER = NOTEBOOKS[:3], NOTEBOOKS[3:]
"""Each part is run by a file of its own, so that two workers share what takes longest."""

MOST_TEXT = 60_000
"""Characters of all outputs of a notebook but its pictures, at most."""

MOST_PICTURES = 300_000
"""Characters of its pictures as they are stored (base64), at most."""

MOST_ROWS = 13
"""Rows of a table that is shown, its header included, at most."""


def read(path: Path) -> Any:
    """Return a notebook as it is kept."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def executed(path: Path) -> Any:
    """Return a notebook with its outputs."""
    notebook = read(path)
    NotebookClient(notebook, timeout=1200).execute()
    return notebook


def outputs(notebook: Any) -> list[Any]:
    """Return the outputs of all cells."""
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def assert_silent_and_short(notebook: Any) -> None:
    """Check that a notebook wrote nothing to standard error, and how much it shows."""
    made = outputs(notebook)
    noise = [output.text for output in made if output.get("name") == "stderr"]
    assert noise == []
    shown = [
        {"text/plain": output.text} if output.output_type == "stream" else output.data
        for output in made
    ]
    pictures = sum(len(data.get("image/png", "")) for data in shown)
    text = sum(
        len(str(value))
        for data in shown
        for kind, value in data.items()
        if not kind.startswith("image")
    )
    assert 0 < text <= MOST_TEXT
    assert pictures <= MOST_PICTURES
    for data in shown:
        for table in str(data.get("text/html", "")).split("<table")[1:]:
            assert table.count("<tr") <= MOST_ROWS
        assert "Traceback" not in str(data)
