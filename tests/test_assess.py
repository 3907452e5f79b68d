"""An assessment cannot be built unless its reasons add up and its audit is there."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from riskmodel.assess import SCORE_COLUMNS, Assessment, rank
from riskmodel.errors import ModelError
from riskmodel.explain import Explanation
from riskmodel.fairness import Audit, audit_list

NAMES = ["absence_rate_20_days", "suspensions_12_months"]


@pytest.fixture
def assessment() -> Assessment:
    # Golden: base log(1/9) is a risk of 0.1; + log 9 gives 0.5; + log(9/4) gives 0.2.
    parts = [[np.log(9), 0.0], [0.0, np.log(9 / 4)], [0.0, 0.0]]
    risk = np.array([0.5, 0.2, 0.1])
    scores = pd.DataFrame(
        {
            "pupil_id": pd.Categorical(["a", "b", "c"]),
            "school_id": ["s1", "s1", "s2"],
            "year_group": [9, 10, 11],
            "risk": risk,
            "risk_low": risk / 2,
            "risk_high": risk * 1.5,
        }
    )
    groups = pd.DataFrame({"sex": ["girl", "boy", "boy"]})
    audit = Audit(
        this_list=audit_list(groups, [True, False, False], risk), model={}, note="None yet."
    )
    return Assessment(
        outcome="pex",
        as_of=pd.Timestamp("2024-09-02"),
        capacity=1,
        scores=scores,
        explanation=Explanation(
            base_value=float(np.log(1 / 9)),
            contributions=pd.DataFrame(parts, columns=NAMES),
            features=pd.DataFrame([[0.3, 0.0], [0.0, 2.0], [0.0, 0.0]], columns=NAMES),
            log_odds=logit(risk),
        ),
        audit=audit,
        backtest=None,
        provenance={"model_uri": "models:/x/1"},
    )


def _with_score(assessment: Assessment, row: int, column: str, value: object) -> Assessment:
    scores = assessment.scores.copy()
    values = [value if r == row else v for r, v in enumerate(scores[column])]
    scores[column] = pd.Series(values, index=scores.index)
    return replace(assessment, scores=scores)


def test_a_sound_assessment_is_built_and_cannot_be_changed(assessment: Assessment) -> None:
    assert tuple(assessment.scores.columns) == SCORE_COLUMNS
    with pytest.raises(FrozenInstanceError, match="cannot assign"):
        assessment.capacity = 2  # type: ignore[misc]


@pytest.mark.parametrize("part", ["explanation", "scores", "audit"])
@pytest.mark.parametrize("value", [None, {}, "yes"])
def test_nothing_stands_in_for_reasons_or_audit(
    assessment: Assessment, part: str, value: Any
) -> None:
    with pytest.raises(ModelError, match="An assessment needs"):
        replace(assessment, **{part: value})


@pytest.mark.parametrize("rows", [[0, 1], [2, 1, 0]])
def test_an_explanation_of_other_rows_than_the_scores_is_refused(
    assessment: Assessment, rows: list[int]
) -> None:
    scores = assessment.scores.iloc[rows]
    with pytest.raises(ModelError, match="explanation of every pupil, in the rows of the scores"):
        replace(assessment, scores=scores)


@pytest.mark.parametrize("column", SCORE_COLUMNS)
def test_every_score_column_is_needed(assessment: Assessment, column: str) -> None:
    with pytest.raises(ModelError, match=f"no column '{column}'"):
        replace(assessment, scores=assessment.scores.drop(columns=column))


def test_no_pupil_is_scored_twice_and_none_is_named(assessment: Assessment) -> None:
    with pytest.raises(
        ModelError, match="Row 2 of the scores holds a pupil who has a row"
    ) as error:
        _with_score(assessment, 2, "pupil_id", "b")
    assert "'b'" not in str(error.value)


@pytest.mark.parametrize("risk", [0.0, 1.0, -0.1, 1.1, np.nan, np.inf])
def test_a_risk_is_between_0_and_1(assessment: Assessment, risk: float) -> None:
    with pytest.raises(ModelError, match="between 0 and 1, both excluded; row 1 has"):
        _with_score(assessment, 1, "risk", risk)


@pytest.mark.parametrize(("end", "value"), [("low", 0.6), ("high", 0.4), ("low", np.nan)])
def test_a_risk_is_within_its_interval(assessment: Assessment, end: str, value: float) -> None:
    with pytest.raises(ModelError, match="within its interval; row 0 has 0.5"):
        _with_score(assessment, 0, f"risk_{end}", value)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("error", [2e-6, -0.05])
def test_p3_an_explanation_of_another_risk_is_refused_and_the_row_is_named(
    assessment: Assessment, row: int, error: float
) -> None:
    risk = assessment.scores["risk"].to_numpy()
    wrong = expit(logit(risk[row]) + error)
    with pytest.raises(ModelError, match=f"reasons of row {row} do not add up"):
        _with_score(assessment, row, "risk", wrong)


def test_p3_rounding_below_the_tolerance_is_accepted(assessment: Assessment) -> None:
    again = _with_score(assessment, 1, "risk", expit(logit(0.2) + 4e-7))
    assert again.explanation is assessment.explanation


@pytest.mark.parametrize("far", [-800.0, -745.0, -40.0, 26.0, 36.0, 40.0])
def test_p3_log_odds_far_out_make_an_assessment_and_a_list(
    assessment: Assessment, far: float
) -> None:
    made = assessment.explanation
    log_odds = np.array([made.log_odds[0], far, made.log_odds[2]])
    parts = made.contributions.assign(**{NAMES[1]: [0.0, far - made.base_value, 0.0]})
    risk = expit(log_odds)
    again = replace(
        assessment,
        scores=assessment.scores.assign(risk=risk, risk_low=risk, risk_high=risk),
        explanation=replace(made, contributions=parts, log_odds=log_odds),
    )
    assert rank(again)["pupil_id"].tolist() == (["b", "a", "c"] if far > 0 else ["a", "c", "b"])


def test_to_dict_is_json_and_holds_no_pupil(assessment: Assessment) -> None:
    found = json.loads(json.dumps(assessment.to_dict(), allow_nan=False))
    assert (found["as_of"], found["pupils"], found["features"]) == ("2024-09-02", 3, 2)
    assert found["expected_events"] == pytest.approx(0.8)
    assert found["provenance"] == {"model_uri": "models:/x/1"}
    assert not {"scores", "contributions", "pupil_id"} & set(found)


def test_a_notebook_shows_the_highest_risks_and_escapes(assessment: Assessment) -> None:
    page = _with_score(assessment, 0, "school_id", "<script>")._repr_html_()
    assert "3 pupils, capacity 1" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
