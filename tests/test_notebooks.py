"""Every notebook runs from top to bottom as a reader would run it, and says little but in full."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))

MOST_TEXT = 60_000
"""Characters of all outputs of a notebook but its pictures, at most."""

MOST_PICTURES = 300_000
"""Characters of its pictures as they are stored (base64), at most."""

MOST_ROWS = 13
"""Rows of a table that is shown, its header included, at most."""

CLOSING = "## What this does not show"


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request: pytest.FixtureRequest) -> Any:
    """Return a notebook with its outputs."""
    notebook = read(request.param)
    NotebookClient(notebook, timeout=300).execute()
    return notebook


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_there_are_seven_in_reading_order() -> None:
    assert [path.stem.split("_")[0] for path in NOTEBOOKS] == list("1234567")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_with_a_question_and_closes_with_its_limits(path: Path) -> None:
    cells = read(path).cells
    title, question, *_ = cells[0].source.split("\n\n")
    assert title.startswith("# ")
    assert question.startswith("**")
    assert question.endswith("?**")
    after = [cell.source for cell in cells]
    closing = max(place for place, text in enumerate(after) if CLOSING in text)
    assert not any(text.startswith("## ") for text in after[closing + 1 :])
    limits = "\n".join(after[closing:]).split(CLOSING)[1]
    assert limits.count("- **") >= 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_simulated_pupils_are_called_simulated_at_once(path: Path) -> None:
    first = read(path).cells[0].source.lower()
    assert ("simulated" in first) != ("**real**" in first or "real people" in first)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_pages_and_notebooks_that_are_named_are_there(path: Path) -> None:
    prose = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    assert "](" not in prose  # a link would lead elsewhere on the site of docs/ than in Jupyter
    root = path.parents[1]
    for page in re.findall(r"`(docs/\w+\.md|\w+\.ipynb)`", prose):
        assert (root / page).is_file() or (path.parent / page).is_file(), page


# what the kernel's own libraries warn of is not ours to mend
@pytest.mark.filterwarnings("default")
def test_a_notebook_runs_in_silence_and_shows_little(executed: Any) -> None:
    made = outputs(executed)
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
