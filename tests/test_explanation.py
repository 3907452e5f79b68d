"""An explanation adds up, or it is refused; shap's own plots take it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.text import Text
from scipy.special import expit

from riskmodel.errors import ModelError
from riskmodel.explain import Explanation

NAMES = ["absence_rate_20_days", "suspensions_12_months"]


@pytest.fixture
def explanation() -> Explanation:
    # -2 + 0.5 + 1 = -0.5; -2 + 0.25 = -1.75; -2 + 0 = -2
    parts = [[0.5, 1.0], [0.25, 0.0], [0.0, 0.0]]
    return Explanation(
        base_value=-2.0,
        contributions=pd.DataFrame(parts, columns=NAMES),
        features=pd.DataFrame([[0.3, 2.0], [0.1, np.nan], [0.0, 0.0]], columns=NAMES),
        log_odds=np.array([-0.5, -1.75, -2.0]),
    )


def test_an_explanation_cannot_be_changed(explanation: Explanation) -> None:
    with pytest.raises(FrozenInstanceError, match="cannot assign"):
        explanation.base_value = 0.0  # type: ignore[misc]


@pytest.mark.parametrize("part", ["contributions", "features"])
@pytest.mark.parametrize("value", [None, {}, "yes", np.zeros((3, 2))])
def test_nothing_stands_in_for_a_frame(explanation: Explanation, part: str, value: Any) -> None:
    with pytest.raises(ModelError, match=f"needs the {part} of every pupil"):
        replace(explanation, **{part: value})


@pytest.mark.parametrize("rows", [[0, 1], [2, 1, 0]])
def test_contributions_and_features_have_the_same_rows(
    explanation: Explanation, rows: list[int]
) -> None:
    with pytest.raises(ModelError, match="in the same rows"):
        replace(explanation, features=explanation.features.iloc[rows])


def test_contributions_and_features_have_the_same_columns(explanation: Explanation) -> None:
    with pytest.raises(ModelError, match="same columns"):
        replace(explanation, features=explanation.features[NAMES[::-1]])


@pytest.mark.parametrize("log_odds", [np.zeros(2), np.zeros((3, 1)), np.float64(-2.0)])
def test_every_row_has_its_log_odds(explanation: Explanation, log_odds: Any) -> None:
    with pytest.raises(ModelError, match="3 pupils needs as many log-odds"):
        replace(explanation, log_odds=log_odds)


WORDS = pd.DataFrame([["much", "no"]] * 3, columns=NAMES)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("base_value", "-2.0"),
        ("base_value", None),
        ("base_value", [-2.0]),
        ("contributions", WORDS),
        ("features", WORDS),
        ("log_odds", np.array(["-0.5", "-1.75", "-2.0"])),
        ("log_odds", None),
    ],
)
def test_words_are_refused_where_numbers_belong(
    explanation: Explanation, part: str, value: Any
) -> None:
    with pytest.raises(ModelError, match=f"The {part} of an explanation must be numbers"):
        replace(explanation, **{part: value})


FAR = np.array([-750, -746, -745, -744, -300, -36, -26, 0, 26, 30, 36, 37, 40, 710, 750.0])


def far_explanation() -> Explanation:
    """Return an explanation with log-odds that a risk does not give back."""
    parts = pd.DataFrame({"absence_rate_20_days": FAR + 2})
    return Explanation(base_value=-2.0, contributions=parts, features=parts, log_odds=FAR)


def test_p3_risks_far_out_are_those_of_their_log_odds() -> None:
    made = far_explanation()
    made.check_risks(expit(FAR))
    made.check_risks(expit(FAR + 5e-7))


@pytest.mark.parametrize("row", range(len(FAR)))
def test_p3_another_risk_far_out_is_refused(row: int) -> None:
    risk = expit(FAR)
    risk[row] = 0.999 if FAR[row] < 0 else 0.4
    with pytest.raises(ModelError, match=f"reasons of row {row} do not add up to its risk"):
        far_explanation().check_risks(risk)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("error", [2e-6, -0.5, np.nan])
def test_p3_parts_that_do_not_add_up_are_refused_and_the_row_is_named(
    explanation: Explanation, row: int, error: float
) -> None:
    wrong = np.zeros((3, 2))
    wrong[row, 1] = error
    wrong[(row + 1) % 3, 0] = 1e-6 / 2  # a smaller error elsewhere is not named
    with pytest.raises(ModelError, match=f"reasons of row {row} do not add up"):
        replace(explanation, contributions=explanation.contributions + wrong)


def test_p3_rounding_below_the_tolerance_is_accepted(explanation: Explanation) -> None:
    again = replace(explanation, contributions=explanation.contributions + 4e-7)
    assert again.base_value == explanation.base_value


def test_rows_are_taken_in_the_order_asked_for_and_still_add_up(explanation: Explanation) -> None:
    taken = explanation.take(np.array([2, 0]))
    assert taken.log_odds.tolist() == [-2.0, -0.5]
    assert taken.contributions.to_numpy().tolist() == [[0.0, 0.0], [0.5, 1.0]]
    assert list(taken.features.index) == [0, 1]


def test_shap_plots_one_pupil_and_all(explanation: Explanation) -> None:
    matplotlib.use("Agg")
    import shap  # takes long; only this test needs it

    made = explanation.to_shap()
    assert (made.base_values + made.values.sum(axis=1)).tolist() == [-0.5, -1.75, -2.0]
    axes = shap.plots.waterfall(made[0], show=False)
    words = {text.get_text() for text in axes.figure.findobj(Text)}
    assert {"2 = suspensions_12_months", "+1"} <= words
    pyplot.close("all")
    axes = shap.plots.beeswarm(made, show=False)
    assert {label.get_text() for label in axes.get_yticklabels()} == {*NAMES}
    pyplot.close("all")
