"""Every notebook has its question and limits, and is kept without outputs; ``make docs`` runs them."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))

CLOSING = "## What this does not show"


def read(path: Path) -> Any:
    """Return a notebook as it is kept."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


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


def as_notebook(parts: dict[str, Any]) -> Any:
    """Return a notebook, or a part of one, as Jupyter holds it."""
    return nbformat.from_dict(parts)  # type: ignore[no-untyped-call]


def faults_of(notebook: Any) -> list[str]:
    """Return what ``make docs`` would refuse of a notebook's outputs."""
    path = Path(__file__).parents[1] / "docs" / "_ext" / "short_outputs.py"
    found = spec_from_file_location("short_outputs", path)
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    faults: list[str] = module.faults_of(notebook)
    return faults


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        ({}, "shows nothing"),
        ({"text/plain": "x" * 60_001}, "text is longer"),
        ({"text/plain": "x", "image/png": "x" * 300_001}, "pictures are longer"),
        ({"text/html": "<table>" + "<tr>" * 14}, "more than 13 rows"),
        ({"text/plain": "Traceback (most recent call last)"}, "shows an error"),
    ],
)
def test_outputs_that_are_none_or_too_many_are_refused(shown: dict[str, str], fault: str) -> None:
    made = [as_notebook({"output_type": "display_data", "data": shown})] if shown else []
    notebook = as_notebook({"cells": [{"outputs": made}, {"source": "no code"}]})
    (found,) = faults_of(notebook)
    assert fault in found
    few = as_notebook({"output_type": "stream", "name": "stdout", "text": "1"})
    assert faults_of(as_notebook({"cells": [{"outputs": [few]}]})) == []
