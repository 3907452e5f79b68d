"""The files of a list: whole or absent, safe to open, and each school sees its own."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from riskmodel.assess import Assessment, rank
from riskmodel.errors import RequestError
from riskmodel.report import write_list
from riskmodel.report.file_names import file_name
from riskmodel.report.list_files import read_list
from riskmodel.report.sentences import MISUSE, track_record
from riskmodel.report.workbook.layout import DECISION_COLUMNS, FIXED, LONGEST, SEAL
from riskmodel.report.workbook.list_identity import ListIdentity
from riskmodel.report.workbook.writing import write_workbook
from tests.small_list import CAPACITY, NAMES, SCHOOLS, N, make


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return make()


@pytest.fixture(scope="module")
def folder(assessment: Assessment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lists") / "autumn"
    assert write_list(assessment, out) == out
    return out


@pytest.fixture(scope="module")
def shown(assessment: Assessment) -> pd.DataFrame:
    ranking = rank(assessment)
    return ranking[ranking["band"] != "not listed"]


def pages(folder: Path) -> list[Path]:
    """Return every page."""
    return [folder / "index.html", *sorted((folder / "schools").iterdir())]


def test_a_list_is_its_named_files_and_no_other(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "assessment.json",
        "audit.json",
        "index.html",
        "list.csv",
        "list.xlsx",
        "reasons.parquet",
        "records",
        "schools",
    ]
    assert sorted(path.name for path in (folder / "schools").iterdir()) == sorted(
        f"{file_name(school)}.html" for school in SCHOOLS
    )


def test_csv_holds_everybody_best_first_and_no_formula(
    assessment: Assessment, folder: Path
) -> None:
    found = pd.read_csv(folder / "list.csv", keep_default_na=False)
    ranking = rank(assessment)
    assert list(found.columns) == list(ranking.columns)
    np.testing.assert_allclose(found["risk"], ranking["risk"])
    assert found["pupil_id"].str.removeprefix("'").tolist() == ranking["pupil_id"].tolist()
    for name in ("pupil_id", "school_id", "reason_1", "strength_1"):
        assert not found[name].str.startswith(("=", "+", "-", "@")).any()
    assert found["school_id"].eq("'=cmd()").sum() == N / 4


def test_reasons_add_up_to_the_risk_of_the_list(assessment: Assessment, folder: Path) -> None:
    found = pd.read_parquet(folder / "reasons.parquet")
    assert list(found.columns) == ["pupil_id", "base_value", *NAMES]
    risk = assessment.scores["risk"].to_numpy()
    total = found.drop(columns="pupil_id").sum(axis=1)
    np.testing.assert_allclose(total, np.log(risk / (1 - risk)), atol=1e-6)


def test_json_files_hold_the_audit_and_what_made_the_list(
    assessment: Assessment, folder: Path
) -> None:
    assert json.loads((folder / "audit.json").read_text("utf-8")) == assessment.audit.to_dict()
    facts = json.loads((folder / "assessment.json").read_text("utf-8"))
    identity = facts.pop("list")
    assert facts == assessment.to_dict()
    assert identity["digest"] == hashlib.sha256((folder / "list.csv").read_bytes()).hexdigest()


def test_a_list_is_read_back_as_it_was_and_a_changed_one_is_refused(
    assessment: Assessment, folder: Path, tmp_path: Path
) -> None:
    identity, ranking = read_list(folder)
    pd.testing.assert_frame_equal(
        ranking.astype({"year_group": "int64"}), rank(assessment), check_dtype=False
    )
    assert (identity.outcome, identity.as_of, identity.capacity) == ("pex", "2024-09-02", CAPACITY)
    copy = shutil.copytree(folder, tmp_path / "copy")
    text = (copy / "list.csv").read_text("utf-8")
    (copy / "list.csv").write_text(text.replace("listed", "Listed", 1), "utf-8")
    with pytest.raises(RequestError, match="changed since the list was made"):
        read_list(copy)
    facts = json.loads((folder / "assessment.json").read_text("utf-8"))
    facts["list"]["capacity"] = 99
    (copy / "assessment.json").write_text(json.dumps(facts), "utf-8")
    with pytest.raises(RequestError, match="holds no list that can be read"):
        read_list(copy)


@pytest.mark.parametrize(
    "school",
    ["=1+1", "+44", "-2", "@x", "\t=1", "\r=1", "\n=1", "＝1+1", "'=1", "''-1", "a=b", "'a"],
)
def test_text_that_looks_like_a_formula_is_made_safe_and_comes_back(
    school: str, tmp_path: Path
) -> None:
    base = make()
    write_list(replace(base, scores=base.scores.assign(school_id=school)), tmp_path / "out")
    with (tmp_path / "out" / "list.csv").open(encoding="utf-8", newline="") as stream:
        cells = [row["school_id"] for row in csv.DictReader(stream)]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝")) for cell in cells)
    assert set(read_list(tmp_path / "out")[1]["school_id"]) == {school}
    book = openpyxl.load_workbook(tmp_path / "out" / "list.xlsx")
    assert all(cell.data_type == "s" for cell in book["List"]["C"])
    assert all(cell.data_type == "n" for cell in book["List"]["E"][1:])


def test_workbook_opens_and_keeps_order(folder: Path, shown: pd.DataFrame) -> None:
    book = openpyxl.load_workbook(folder / "list.xlsx")
    assert book.sheetnames == ["Read me", "List", "Reasons", "Audit"]
    sheet = book["List"]
    rows = list(sheet.iter_rows(values_only=True, max_col=len(FIXED) + len(DECISION_COLUMNS) + 1))
    assert rows[0][:2] == ("Rank", "Pupil id")
    assert rows[0][-7:] == (*DECISION_COLUMNS, SEAL)
    assert [row[1] for row in rows[1:]] == shown["pupil_id"].tolist()
    assert [row[4] for row in rows[1:]] == pytest.approx(shown["risk"].tolist(), rel=1e-9)
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    assert sheet.freeze_panes == "C2"
    last = openpyxl.utils.get_column_letter(len(rows[0]))
    assert sheet.auto_filter.ref == f"A1:{last}{len(rows)}"
    assert sheet.column_dimensions[last].hidden
    validations = {v.type: v for v in sheet.data_validations.dataValidation}
    assert "To discuss" in validations["list"].formula1
    decision = sheet.cell(1, rows[0].index("Decision") + 1).column_letter
    assert str(validations["list"].sqref) == f"{decision}2:{decision}{len(rows)}"
    assert validations["date"].formula2 == "TODAY()"


def test_only_the_columns_for_decisions_can_be_changed(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "list.xlsx")
    assert all(sheet.protection.sheet and not sheet.protection.password for sheet in book)
    header = [cell.value for cell in book["List"][1]]
    for row in book["List"].iter_rows(min_row=2, max_col=header.index(SEAL) + 1):
        free = [name for name, cell in zip(header, row, strict=False) if not cell.protection.locked]
        assert tuple(free) == DECISION_COLUMNS


def test_the_read_me_states_what_the_list_is_and_which(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "list.xlsx")
    text = "\n".join(str(cell.value) for cell in book["Read me"]["A"])
    assert all(line in text for line in MISUSE)
    assert "2 September 2024" in text
    assert "about 12 had it (95% interval 8 to 17)" in text
    assert "models:/riskmodel-pex/4" in text
    assert read_list(folder)[0].list_id in text
    audit = [cell.value for row in book["Audit"] for cell in row]
    assert "too few to tell" in audit
    assert "c" in audit


@pytest.mark.parametrize("name", ["مدرسة الشمال", "x" * 40_000, "Ünï\u200fcode 学校"])
def test_long_and_right_to_left_names_and_a_single_pupil_make_a_workbook(
    name: str, tmp_path: Path
) -> None:
    base = make()
    one = replace(
        base,
        capacity=1,
        scores=base.scores.head(1).assign(school_id=name),
        explanation=base.explanation.take(np.arange(1)),
    )
    identity = ListIdentity(
        outcome="pex", as_of="2024-09-02", capacity=1, rows=1, model_uri="", digest=""
    )
    write_workbook(one, rank(one), identity, tmp_path / "list.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "list.xlsx")["List"].values)
    assert len(rows) == 2
    assert rows[1][2] == name[:LONGEST]


def test_a_list_with_nobody_shown_is_still_a_workbook(
    assessment: Assessment, tmp_path: Path
) -> None:
    ranking = rank(assessment).assign(band="not listed", selected=False)
    identity = ListIdentity(
        outcome="pex", as_of="2024-09-02", capacity=0, rows=0, model_uri="", digest=""
    )
    write_workbook(assessment, ranking, identity, tmp_path / "list.xlsx")
    book = openpyxl.load_workbook(tmp_path / "list.xlsx")
    assert [cell.value for cell in book["List"][1]][:2] == ["Rank", "Pupil id"]


def test_workbook_gives_reasons_of_the_listed_that_add_up(
    assessment: Assessment, folder: Path
) -> None:
    found = pd.read_excel(folder / "list.xlsx", sheet_name="Reasons", engine="openpyxl")
    found = found.rename(columns=str.lower)
    assert len(found) == CAPACITY
    themes = [name for name in map(str, found) if name.endswith("(log-odds)")]
    assert themes
    total = assessment.explanation.base_value + found[themes].sum(axis=1)
    np.testing.assert_allclose(total, np.log(found["risk"] / (1 - found["risk"])), atol=2e-3)


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_data_carry_a_banner(simulated: bool, tmp_path: Path) -> None:
    write_list(make(provenance={"simulated": simulated}), tmp_path / "out")
    for page in pages(tmp_path / "out"):
        assert ("Simulated data: no real child" in page.read_text("utf-8")) == simulated
    book = openpyxl.load_workbook(tmp_path / "out" / "list.xlsx")
    assert str(book["Read me"]["A1"].value).startswith("SIMULATED DATA") == simulated


@pytest.mark.parametrize(
    "backtest",
    [
        None,
        {},
        {"children": []},
        {"children": [{"ranker": "roni", "precision_by_child": 0.01}]},
        {"children": [{"ranker": "model", "precision_by_child": None}]},
    ],
)
def test_what_was_not_measured_is_called_so(backtest: dict[str, Any] | None) -> None:
    assert "not been measured" in track_record(make(backtest=backtest))


def test_the_previous_list_gives_the_change(assessment: Assessment, tmp_path: Path) -> None:
    write_list(assessment, tmp_path / "out", previous=rank(assessment))
    assert set(pd.read_csv(tmp_path / "out" / "list.csv")["change"]) == {"steady"}


def test_an_empty_folder_is_filled_and_a_full_one_is_left_alone(
    assessment: Assessment, tmp_path: Path
) -> None:
    write_list(assessment, tmp_path / "new" / "deep")
    (tmp_path / "empty").mkdir()
    write_list(assessment, tmp_path / "empty")
    assert (tmp_path / "empty" / "list.csv").exists()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RequestError, match="is not empty"):
        write_list(assessment, tmp_path / "empty")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("step", ["write_workbook", "write_pages"])
def test_a_failure_midway_leaves_nothing(
    assessment: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(f"riskmodel.report.list_files.{step}", fail)
    with pytest.raises(RequestError, match=r"out cannot be written \(the disk is full\)"):
        write_list(assessment, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_same_assessment_gives_the_same_text_files(
    assessment: Assessment, folder: Path
) -> None:
    again = folder.parent / "again"
    write_list(assessment, again)
    for name in ("list.csv", "index.html", "audit.json", "assessment.json"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
