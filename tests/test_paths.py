"""Paths of simulated pupils: suspensions and absence before an exclusion, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.data.codes import codes
from riskmodel.simulate import measure_paths, published_paths, simulate

PUPILS = ["A", "B", "C"]


def named(values: list[str], categories: list[str]) -> pd.Categorical[str]:
    return pd.Categorical(values, categories=categories)


def three_pupils() -> Tables:
    """A and B are excluded in May 2024; only A was suspended before, in January 2024 and long ago."""
    days = pd.to_datetime(["2021-09-01", "2024-07-19"])
    events = pd.DataFrame(
        {
            "pupil_id": named(["A", "A", "A", "B", "C"], PUPILS),
            "start_date": pd.to_datetime(
                ["2022-01-10", "2024-01-10", "2024-05-10", "2024-05-10", "2024-05-20"]
            ),
            "category": ["SUSP", "SUSP", "PERM", "PERM", "SUSP"],
        }
    )
    return Tables(
        {
            "pupils": pd.DataFrame({"pupil_id": named(PUPILS, PUPILS)}),
            "calendar": pd.DataFrame({"date": days}),
            "suspensions": events,
            "sessions": sessions(),
        }
    )


def sessions() -> pd.DataFrame:
    """A misses one of two half-days before the exclusion, beside one of suspension; C none of one."""
    return pd.DataFrame(
        {
            "pupil_id": named(["A", "A", "A", "C", "C"], PUPILS),
            "date": pd.to_datetime(
                ["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-01", "2023-05-10"]
            ),
            "mark": named(["/", "O", "E", "/", "I"], list(codes("marks"))),
        }
    )


@pytest.mark.parametrize(
    ("figure", "part", "whole"),
    [
        ("pex.suspended_in_2_years", 1, 2),
        ("pex.suspended_in_1_year", 1, 2),
        ("pex.suspensions_in_1_year", 1, 2),
        ("pex.days_since_first_suspension", 121, 1),  # 10 January to 10 May of a leap year
        ("pex.absence_half_year_before", 1, 2),  # the half-day of suspension counts as neither
        ("first_suspension.absence_before", 0, 1),  # of C: A was suspended long before
        ("first_suspension.absence_a_year_earlier", 1, 1),
    ],
)
def test_a_path_figure_is_what_a_reader_counts(figure: str, part: float, whole: float) -> None:
    row = measure_paths(three_pupils()).loc[figure]
    assert (row["part"], row["whole"]) == (part, whole)


def test_every_path_figure_has_a_published_value_or_a_chosen_range() -> None:
    figures = measure_paths(simulate(pupils=300, years=11, seed=1).tables)
    assert list(figures.index) == list(published_paths().index)
    assert (figures["part"] >= 0).all()


def test_figures_that_need_more_years_are_left_out_of_shorter_data() -> None:
    assert not measure_paths(three_pupils()).index.str.startswith(("secondary", "year_10")).any()


def test_a_range_has_a_source_and_its_lower_end_first() -> None:
    table = published_paths()
    assert (table["low"] <= table["high"]).all()
    assert table["source"].str.len().min() > 0
