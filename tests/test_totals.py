"""Features from termly totals: a slow reference, and nothing from on or after the day."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import Tables
from riskmodel.features import CATALOGUE, build
from riskmodel.features.marks import FAMILIES
from tests.strategies import AS_OF, PUPILS, examples, small_tables, spine_of, table_of

NAMES = [name for name, one in CATALOGUE.items() if one.source == "absence_totals"]

TERM_ENDS = ("2023-03-28", "2023-07-20", "2023-12-20", "2024-03-28", "2024-07-20", "2024-12-20")


class Total(NamedTuple):
    """Half-days of a pupil, a term and a code, and the days until they were recorded."""

    pupil: int
    term: int
    mark: str
    sessions: int
    lag: int


totals = st.lists(
    st.builds(
        Total,
        st.integers(0, 2),
        st.integers(0, 5),
        st.sampled_from(["/", "I", "O", "D", "L"]),
        st.integers(1, 60),
        st.sampled_from([30, 90]),
    ),
    max_size=20,
    unique_by=lambda one: one[:3],
)


def table(rows: list[Total]) -> pd.DataFrame:
    return table_of(
        "absence_totals",
        [
            {
                "pupil_id": PUPILS[one.pupil],
                "term_end": TERM_ENDS[one.term],
                "mark": one.mark,
                "sessions": one.sessions,
                "recorded_on": str(recorded(one))[:10],
            }
            for one in rows
        ],
    )


def recorded(one: Total) -> pd.Timestamp:
    return pd.Timestamp(TERM_ENDS[one.term]) + pd.Timedelta(days=one.lag)


def built(facts: pd.DataFrame) -> pd.DataFrame:
    """Return the features from totals of the six pupils of an LA that holds nothing else."""
    frames = {"pupils": small_tables()["pupils"], "absence_totals": facts}
    return build(Tables(frames), spine_of())[NAMES]


def slow(rows: list[Total], pupil: int) -> dict[str, float]:
    """Work out a pupil's features, term by term."""
    known = [one for one in rows if one.pupil == pupil and recorded(one) < AS_OF]
    terms = [one.term for one in known if TERM_ENDS[one.term] >= "2024-03-01"]
    if not terms:
        return dict.fromkeys(NAMES, np.nan)
    last = max(terms)
    attended = any(one.mark == "/" for one in known if one.term > last - 6)

    def count(family: str, first: int, until: int) -> int:
        inside = [one for one in known if first <= one.term <= until]
        return sum(one.sessions for one in inside if one.mark in FAMILIES[family])

    def rate(family: str, first: int, until: int) -> float:
        possible = count("possible", first, until)
        enough = attended and possible >= 30
        return count(family, first, until) / possible if enough else np.nan

    made = {}
    for family in ("absence", "unauthorised"):
        for window, first in (("last_term", last), ("3_terms", last - 2)):
            made[f"{family}_total_{window}"] = float(count(family, first, last))
            made[f"{family}_total_rate_{window}"] = rate(family, first, last)
    change = rate("absence", last, last) - rate("absence", last - 3, last - 3)
    return made | {"absence_total_change_year": change}


@given(totals)
@settings(max_examples=examples(30))
def test_totals_equal_a_slow_reference(rows: list[Total]) -> None:
    made = built(table(rows))
    expected = pd.DataFrame([slow(rows, pupil) for pupil in range(3)])[NAMES]
    np.testing.assert_allclose(made.iloc[:3], expected, rtol=1e-6)
    assert made.iloc[3:].isna().all(axis=None)


@given(totals, st.randoms())
@settings(max_examples=examples(10))
def test_p2_totals_recorded_on_or_after_the_day_change_no_byte(rows, random) -> None:  # type: ignore[no-untyped-def]
    known = [one for one in rows if recorded(one) < AS_OF]
    shuffled = random.sample(rows, len(rows))
    assert built(table(shuffled)).to_numpy().tobytes() == built(table(known)).to_numpy().tobytes()


@pytest.mark.parametrize("mark", ["I", "O"])
def test_totals_of_absence_alone_give_counts_and_no_rate(mark: str) -> None:
    made = built(table([Total(0, 5, mark, 60, 30)])).iloc[0]
    assert made["absence_total_last_term"] == 60
    assert made[[name for name in NAMES if "_rate_" in name]].isna().all()
