"""The files of a list: whole or absent, safe to open, and each school sees its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from riskmodel.assess import Assessment
from riskmodel.errors import RequestError
from riskmodel.fairness import Audit, audit_list, audit_model
from riskmodel.ranking import rank
from riskmodel.report import write_list
from riskmodel.report.page import file_name
from riskmodel.report.words import track_record

N, CAPACITY = 60, 20
SCHOOLS = ["north", "=cmd()", "<script>alert(1)</script>", "../up"]
NAMES = ["absence_rate_20_days", "suspensions_12_months", "sen_support_now", "fsm_now"]
BACKTEST = {
    "table": [
        {"ranker": "roni", "precision_at_capacity": 0.01},
        {
            "ranker": "model",
            "precision_at_capacity": 0.12, "precision_at_capacity_low": 0.08,
            "precision_at_capacity_high": 0.17, "recall_at_capacity": 0.41,
            "recall_at_capacity_low": 0.3, "recall_at_capacity_high": 0.52,
        },
    ],
    "counts": {"capacity": 25},
}  # fmt: skip


def make(**changes: Any) -> Assessment:
    """Return an assessment of 60 pupils in four schools with hostile names."""
    random = np.random.default_rng(5)
    values = random.random((N, len(NAMES)))
    parts = 3 * (values - 0.6)
    risk = 1 / (1 + np.exp(2 - parts.sum(axis=1)))
    pupils = [f"=HYPERLINK({n})" if n % 7 == 0 else f"<b>{n:02}&" for n in range(N)]
    groups = pd.DataFrame({"sex": ["girl", "boy"] * 30, "language": ["x"] * 57 + ["y"] * 3})
    selected = np.argsort(np.argsort(-risk)) < CAPACITY
    tested = pd.DataFrame(
        {"pupil_id": range(N), "as_of": pd.Timestamp("2023-09-02"), "model": risk,
         "label": (random.random(N) < 0.5).astype(float)}
    )  # fmt: skip
    made = Assessment(
        outcome="pex",
        as_of=pd.Timestamp("2024-09-02"),
        capacity=CAPACITY,
        scores=pd.DataFrame(
            {
                "pupil_id": pd.Categorical(pupils),
                "school_id": [SCHOOLS[n % 4] for n in range(N)],
                "year_group": 9,
                "risk": risk,
                "risk_low": risk / 2,
                "risk_high": (1 + risk) / 2,
            }
        ),
        base_value=-2.0,
        contributions=pd.DataFrame(parts, columns=NAMES),
        features=pd.DataFrame(values, columns=NAMES),
        audit=Audit(
            this_list=audit_list(groups, selected, risk),
            model=audit_model(tested, groups, capacity=CAPACITY).published(),
            note="From 3 earlier lists.",
        ),
        backtest=BACKTEST,
        provenance={"model_uri": "models:/riskmodel-pex/4", "evaluated": "out of time"},
    )
    return replace(made, **changes)


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


def test_every_file_is_there(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "assessment.json", "audit.json", "index.html", "list.csv", "list.xlsx", "reasons.parquet",
        "schools",
    ]  # fmt: skip
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
    assert json.loads((folder / "assessment.json").read_text("utf-8")) == assessment.to_dict()


def test_workbook_opens_and_keeps_order(folder: Path, shown: pd.DataFrame) -> None:
    book = openpyxl.load_workbook(folder / "list.xlsx")
    assert book.sheetnames == [
        "Read me",
        "List",
        "Reasons",
        "Audit",
        "Audit selection",
        "Audit measures",
        "Audit groups",
    ]
    sheet = book["List"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:2] == ("rank", "pupil id")
    assert rows[0][-5:] == ("Seen by", "Decision", "Support offered", "Date", "Notes")
    assert [row[1] for row in rows[1:]] == shown["pupil_id"].tolist()
    assert [row[4] for row in rows[1:]] == pytest.approx(shown["risk"].tolist())
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    assert sheet.freeze_panes == "C2"
    assert (
        sheet.auto_filter.ref == f"A1:{openpyxl.utils.get_column_letter(len(rows[0]))}{len(rows)}"
    )
    validations = {v.type: v for v in sheet.data_validations.dataValidation}
    assert "To discuss" in validations["list"].formula1
    decision = sheet.cell(1, rows[0].index("Decision") + 1).column_letter
    assert str(validations["list"].sqref).startswith(f"{decision}2")


def test_workbook_gives_reasons_of_the_listed_that_add_up(
    assessment: Assessment, folder: Path
) -> None:
    found = pd.read_excel(folder / "list.xlsx", sheet_name="Reasons")
    assert len(found) == CAPACITY
    themes = [name for name in map(str, found) if name.endswith("(log-odds)")]
    assert themes
    total = assessment.base_value + found[themes].sum(axis=1)
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
    [None, {}, {"table": []}, {"table": [{"ranker": "roni", "precision_at_capacity": 0.01}]},
     {"table": [{"ranker": "model", "precision_at_capacity": None}]}],
)  # fmt: skip
def test_what_was_not_measured_is_said_to_be_so(backtest: dict[str, Any] | None) -> None:
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

    monkeypatch.setattr(f"riskmodel.report.files.{step}", fail)
    with pytest.raises(OSError, match="disk is full"):
        write_list(assessment, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_same_assessment_gives_the_same_text_files(
    assessment: Assessment, folder: Path
) -> None:
    again = folder.parent / "again"
    write_list(assessment, again)
    for name in ("list.csv", "index.html", "audit.json", "assessment.json"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
