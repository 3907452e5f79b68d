"""Every notebook has its question and limits; the first run from top to bottom, in silence and in short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.notebooks import FIRST, NOTEBOOKS, assert_silent_and_short, executed, read

CLOSING = "## What this does not show"


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
@pytest.mark.parametrize("path", FIRST, ids=lambda path: path.stem)
def test_a_notebook_runs_in_silence_and_shows_little(path: Path) -> None:
    assert_silent_and_short(executed(path))
