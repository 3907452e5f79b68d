"""Layouts that LAs and schools hold: small files of our own, beside a census, become these tables whole.

Each folder of ``tests/layouts`` holds the files of one layout, and in ``expected`` the tables they make;
pupils are written as UPNs there. All of it is simulated.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.identity import load_key, pseudonyms
from riskmodel.data.read import Extract, read
from riskmodel.data.read.returns.recognise import source_of
from riskmodel.data.read.sources import SOURCES
from riskmodel.data.read.sources.source import Source

LAYOUTS = Path(__file__).parent / "layouts"

CENSUS = LAYOUTS / "census"
"""Two pupils, so that other files join to somebody."""

NAMES = sorted(path.name for path in LAYOUTS.iterdir() if path != CENSUS)


def read_layout(name: str, folder: Path) -> Extract:
    """Read the files of a layout beside the census."""
    shutil.copytree(CENSUS, folder / "census")
    shutil.copytree(LAYOUTS / name, folder / name, ignore=shutil.ignore_patterns("expected"))
    return read(folder, key_file=folder.parent / f"{folder.name}.key")


def as_written(table: pd.DataFrame, expected: pd.DataFrame, key_file: Path) -> pd.DataFrame:
    """Return a table as the expected one is written: pupils by UPN, cells as text."""
    written = table.astype("object").map(
        lambda cell: f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else cell
    )
    if "pupil_id" in table:
        upns = pd.Series(expected["pupil_id"].unique())
        names = dict(zip(pseudonyms(upns, load_key(key_file)), upns, strict=True))
        written["pupil_id"] = table["pupil_id"].astype("str").map(names).fillna("another pupil")
    text = written.astype("object").where(written.notna(), "").astype("str")
    return text.sort_values(list(text)).reset_index(drop=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_layout_makes_its_tables_whole_and_no_row_is_lost(name: str, tmp_path: Path) -> None:
    extract = read_layout(name, tmp_path / "x")
    counts = extract.reconciliation
    aside = counts[[c for c in counts if c.startswith("rows_") and c != "rows_read"]].sum(axis=1)
    assert (counts["rows_read"] == aside).all()
    made = [path.stem for path in sorted((LAYOUTS / name / "expected").glob("*.csv"))]
    assert made
    for table in made:
        path = LAYOUTS / name / "expected" / f"{table}.csv"
        expected = pd.read_csv(path, dtype="str", keep_default_na=False)
        found = as_written(extract.tables[table], expected, tmp_path / "x.key")
        expected = expected.sort_values(list(found)).reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, obj=f"{name}, {table}")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_file_with_the_columns_of_a_source_is_of_that_source(source: Source) -> None:
    days = ["02/09/2024", "03/09/2024"] if source.headings else []
    assert source_of([*sorted(source.columns), *days]) is source or source.name.endswith("prefixed")


def test_a_grid_of_days_is_a_register_whatever_else_it_holds() -> None:
    found = source_of(["UPN", "Year", "School", "Admission Date", "02/09/2024", "03/09/2024 AM"])
    assert found is not None
    assert found.name == "Register grid, a column per day"
    found = source_of(["UPN", "Year", "School", "Admission Date", "02/09/2024"])
    assert found is not None
    assert found.name == "School roll"
