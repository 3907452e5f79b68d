"""The promises of the design, on a whole model; P2 and P4 have their own files as well."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel.assess import Assessment, rank
from riskmodel.cohort import build_spine, default_as_of
from riskmodel.data import Tables
from riskmodel.data.read import read
from riskmodel.errors import ModelError
from riskmodel.features import build
from riskmodel.jobs import Run
from riskmodel.model import RiskModel
from tests.small_la import SmallLA

CAPACITY = 25


@pytest.fixture(scope="module")
def tables(small_la: SmallLA) -> Tables:
    return read(small_la.extracts).tables


@pytest.fixture(scope="module")
def assessment(small_la: SmallLA, tables: Tables) -> Assessment:
    model = small_la.training.model
    return model.assess(tables, as_of=default_as_of(tables, "pex"), capacity=CAPACITY)


@pytest.fixture(scope="module")
def saved(small_la: SmallLA) -> Path:
    uri = f"models:/riskmodel-pex/{small_la.training.version}"
    return Run("pex", tracking=small_la.tracking).registry.download(uri)


def test_p1_a_model_offers_no_way_to_a_bare_score() -> None:
    public = {name for name in dir(RiskModel) if not name.startswith("_")}
    assert public == {"assess", "load", "save"}


@pytest.mark.parametrize("part", ["explanation", "audit"])
def test_p1_no_assessment_without_reasons_and_audit(assessment: Assessment, part: str) -> None:
    with pytest.raises(ModelError, match=f"needs.*{part}"):
        replace(assessment, **{part: None})


def test_p2_what_is_recorded_later_changes_no_risk(
    small_la: SmallLA, tables: Tables, assessment: Assessment
) -> None:
    day = assessment.as_of
    cut = Tables(
        {
            name: frame[(frame["recorded_on"] < day)].reset_index(drop=True)
            if "recorded_on" in frame
            else frame
            for name, frame in tables.items()
        }
    )
    again = small_la.training.model.assess(cut, as_of=day, capacity=CAPACITY)
    pd.testing.assert_frame_equal(assessment.scores, again.scores)


def test_p3_base_value_and_contributions_add_up_to_the_shown_risk(assessment: Assessment) -> None:
    risk = assessment.scores["risk"].to_numpy()
    parts = assessment.explanation
    total = parts.base_value + parts.contributions.to_numpy().sum(axis=1)
    np.testing.assert_allclose(total, np.log(risk / (1 - risk)), atol=1e-6)


def test_p6_a_saved_model_holds_numbers_and_json_only(saved: Path) -> None:
    assert {path.suffix for path in saved.iterdir()} <= {".json", ".npz"}
    json.loads((saved / "model.json").read_text(encoding="utf-8"))
    with np.load(saved / "arrays.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


def test_p6_a_pickle_in_the_place_of_arrays_is_refused_unread(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes((saved / "model.json").read_bytes())
    np.savez(tmp_path / "arrays.npz", tree_base=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ModelError, match="cannot be read"):
        RiskModel.load(tmp_path)


@pytest.mark.parametrize("file", ["model.json", "arrays.npz"])
def test_a_damaged_model_is_refused_with_a_sentence(saved: Path, tmp_path: Path, file: str) -> None:
    for path in saved.iterdir():
        content = path.read_bytes()
        (tmp_path / path.name).write_bytes(content[:200] if path.name == file else content)
    with pytest.raises(ModelError, match="cannot be read"):
        RiskModel.load(tmp_path)


def test_p6_a_loaded_model_gives_the_same_risks(
    saved: Path, tables: Tables, assessment: Assessment
) -> None:
    again = RiskModel.load(saved).assess(tables, as_of=assessment.as_of, capacity=CAPACITY)
    pd.testing.assert_frame_equal(assessment.scores, again.scores)


@pytest.mark.parametrize(
    "column", ["sex", "ethnicity", "first_language", "birth_month", "religion"]
)
def test_p7_the_protected_change_no_risk(
    small_la: SmallLA, tables: Tables, assessment: Assessment, column: str
) -> None:
    pupils = tables["pupils"]
    stated = pupils.assign(religion=np.where(pupils.index % 3 == 0, "Christian", "Muslim"))
    turned = stated.assign(**{column: stated[column].to_numpy()[::-1]})
    other = Tables(dict(tables.frames) | {"pupils": turned})
    again = small_la.training.model.assess(other, as_of=assessment.as_of, capacity=CAPACITY)
    pd.testing.assert_frame_equal(assessment.scores, again.scores)


def test_p8_row_order_of_the_extracts_does_not_change_the_list(
    small_la: SmallLA, assessment: Assessment, tmp_path: Path
) -> None:
    for path in small_la.extracts.glob("*.parquet"):
        frame = pd.read_parquet(path)
        frame.sample(frac=1, random_state=1).to_parquet(tmp_path / path.name)
    tables = read(tmp_path).tables
    again = small_la.training.model.assess(tables, as_of=assessment.as_of, capacity=CAPACITY)
    pd.testing.assert_frame_equal(rank(assessment), rank(again))


def test_mlflow_serves_risk_interval_and_reasons_together(
    small_la: SmallLA, tables: Tables
) -> None:
    import mlflow

    mlflow.set_tracking_uri(small_la.tracking)
    scorer = mlflow.pyfunc.load_model(f"models:/riskmodel-pex/{small_la.training.version}")
    spine = build_spine(tables, [default_as_of(tables, "pex")], "pex")
    model = small_la.training.model
    X = build(tables, spine)[list(model.features)].astype(float)
    answer = scorer.predict(X)
    assert {"risk", "risk_low", "risk_high", "reason_1", "strength_1"} <= set(answer.columns)
    expected = model.assess(tables, as_of=spine["as_of"].iloc[0], capacity=1).scores["risk"]
    np.testing.assert_allclose(answer["risk"], expected, rtol=1e-12)
