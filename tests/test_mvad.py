from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.cohort import build_spine, snapshots
from riskmodel.data import TABLES, Tables
from riskmodel.data.codes import codes
from riskmodel.data.read.open import mvad
from riskmodel.data.read.open.mvad import is_mvad, mvad_path, read_mvad
from riskmodel.data.tables import empty_table
from riskmodel.errors import DataError
from riskmodel.labels import label


@pytest.fixture(scope="module")
def raw() -> dict[str, pd.DataFrame]:
    return read_mvad(mvad_path())


@pytest.fixture(scope="module")
def tables(raw: dict[str, pd.DataFrame]) -> Tables:
    pupils = pd.CategoricalDtype(pd.Index(sorted(raw["pupils"]["pupil_id"]), dtype="str"))
    return Tables(
        {
            name: frame.reindex(columns=TABLES[name].names).astype(
                empty_table(name, pupils).dtypes.to_dict()
            )
            for name, frame in raw.items()
        }
    )


@pytest.fixture(scope="module")
def lines() -> list[dict[str, str]]:
    with mvad_path().open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_everyone_is_there_for_every_month(raw: dict[str, pd.DataFrame]) -> None:
    assert raw["pupils"]["pupil_id"].tolist() == [f"M{number:03d}" for number in range(1, 713)]
    months = raw["destinations"].groupby("pupil_id")["start_date"].nunique()
    assert (len(months), set(months)) == (712, {72})
    assert not raw["destinations"].isna().any(axis=None)
    assert set(raw["destinations"]["activity_code"]) <= set(codes("activities"))


def test_the_first_line_becomes_the_facts_that_a_person_reads_in_it(
    raw: dict[str, pd.DataFrame],
) -> None:
    # line 1: not male, not Catholic, training for two months, then employment; no good GCSEs
    assert raw["pupils"].iloc[0].tolist() == ["M001", "F", "not Catholic"]
    first = raw["destinations"].query("pupil_id == 'M001'").head(3)
    assert first["activity_code"].tolist() == ["410", "410", "330"]
    assert first["start_date"].dt.strftime("%Y-%m-%d").tolist() == [
        "1993-07-01",
        "1993-08-01",
        "1993-09-01",
    ]
    assert first["recorded_on"].dt.strftime("%Y-%m-%d").tolist() == [
        "1993-07-31",
        "1993-08-31",
        "1993-09-30",
    ]
    assert raw["attainment"]["score"].iloc[0] == 0.0
    kinds = raw["circumstances"].query("pupil_id == 'M001'")["kind"]
    assert sorted(kinds) == ["lives_with_both_parents", "parent_professional"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("funemp", "parent_unemployed"),
        ("fmpr", "parent_professional"),
        ("livboth", "lives_with_both_parents"),
        ("Grammar", "grammar_school"),
    ],
)
def test_circumstances_agree_with_the_file(
    raw: dict[str, pd.DataFrame], lines: list[dict[str, str]], column: str, kind: str
) -> None:
    expected = {f"M{int(line['id']):03d}" for line in lines if line[column] == "yes"}
    assert set(raw["circumstances"].query("kind == @kind")["pupil_id"]) == expected
    assert kind in codes("circumstances")


def test_sex_religion_and_results_agree_with_the_file(
    raw: dict[str, pd.DataFrame], lines: list[dict[str, str]]
) -> None:
    pupils = raw["pupils"]
    assert (pupils["sex"] == "M").tolist() == [line["male"] == "yes" for line in lines]
    assert (pupils["religion"] == "Catholic").tolist() == [
        line["catholic"] == "yes" for line in lines
    ]
    scores = raw["attainment"]["score"].tolist()
    assert scores == [float(line["gcse5eq"] == "yes") for line in lines]


def test_regions_and_weight_are_left_out(raw: dict[str, pd.DataFrame]) -> None:
    words = {str(name) for frame in raw.values() for name in frame.columns}
    words |= set(raw["circumstances"]["kind"])
    regions = {"Belfast", "N.Eastern", "Southern", "S.Eastern", "Western", "weight"}
    assert not words & regions


@pytest.mark.parametrize("column", ["start_date", "recorded_on"])
def test_context_is_known_before_the_first_list(
    raw: dict[str, pd.DataFrame], tables: Tables, column: str
) -> None:
    first = snapshots(tables, "neet-post16", before=pd.Timestamp("1996-07-01"))[0]
    assert first == pd.Timestamp("1994-01-01")
    assert (raw["circumstances"][column] < first).all()
    assert (raw["attainment"]["recorded_on"] < first).all()


def test_label_agrees_with_a_count_from_the_file(
    tables: Tables, lines: list[dict[str, str]]
) -> None:
    as_of, later = pd.Timestamp("1995-07-01"), pd.Timestamp("1996-07-01")
    spine = build_spine(tables, [as_of], "neet-post16")
    labels = label(tables, spine, "neet-post16", known_by=later)
    months = [f"{name}.95" for name in ["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]]
    months += [f"{name}.96" for name in ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]]
    jobless = [sum(line[month] == "joblessness" for month in months) for line in lines]
    assert labels["label"].tolist() == [float(count >= 6) for count in jobless]
    # 57 of 712, a prevalence of 0.080
    assert (len(labels), int(labels["label"].sum())) == (712, 57)


def test_the_file_is_known_by_its_header(tmp_path: Path) -> None:
    assert is_mvad(mvad_path())
    other = tmp_path / "mvad.csv"
    other.write_text("id,male,catholic\n1,yes,no\n", encoding="utf-8")
    assert not is_mvad(other)
    other.write_bytes(b"\xff\xfe\x00PAR1")
    assert not is_mvad(other)
    other.write_bytes(b"")
    assert not is_mvad(other)


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mvad, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install --no-deps sequenzo"):
        mvad_path()
