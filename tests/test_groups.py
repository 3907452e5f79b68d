"""Groups: as known on the day, "not known" always among them, any two crossed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.errors import RequestError
from riskmodel.fairness import cross, groups_at
from riskmodel.fairness.groups import checked_groups, family
from tests.strategies import AS_OF, PUPILS, small_tables, spine_of, table_of


def changed(tables: Tables, **frames: pd.DataFrame) -> Tables:
    return replace(tables, frames=dict(tables) | frames)


def groups_of(**frames: pd.DataFrame) -> pd.DataFrame:
    return groups_at(changed(small_tables(), **frames), spine_of()).set_axis(list(PUPILS))


def test_every_characteristic_by_hand() -> None:
    groups = groups_of()
    # A has SEN support for SEMH; the support of B ended; C left FSM, but that was recorded too late
    assert groups.loc["A"].to_dict() == {
        "sex": "Girls",
        "ethnicity": "White",
        "ethnicity_detailed": "White British",
        "first_language": "English",
        "birth_term": "Autumn",
        "year_group": "Year 7",
        "phase": "Secondary",
        "school_type": "Mainstream",
        "sen": "SEN support",
        "primary_need": "Social, emotional and mental health",
        "fsm": "Eligible",
        "idaci_fifth": "Fifth 1 (most deprived)",
    }
    assert groups["fsm"].tolist() == ["Eligible", "Not eligible", "Eligible"] + ["Not eligible"] * 3
    assert groups["sen"].tolist() == ["SEN support"] + ["No SEN"] * 5
    assert groups["idaci_fifth"].tolist() == [
        "Fifth 1 (most deprived)",
        "Fifth 1 (most deprived)",
        "Fifth 2",
        "Fifth 2",
        "not_known",
        "not_known",
    ]


@pytest.mark.parametrize(
    ("month", "term"),
    [
        ("2012-09-01", "Autumn"),
        ("2012-12-01", "Autumn"),
        ("2013-01-01", "Spring"),
        ("2013-04-01", "Spring"),
        ("2013-05-01", "Summer"),
        ("2013-08-01", "Summer"),
        (None, "not_known"),
    ],
)
def test_terms_of_birth_begin_in_september_january_and_may(month: str | None, term: str) -> None:
    rows: list[dict[str, Any]] = [{"pupil_id": p, "birth_month": "2012-10-01"} for p in PUPILS]
    rows[0]["birth_month"] = month
    assert groups_of(pupils=table_of("pupils", rows)).loc["A", "birth_term"] == term


@pytest.mark.parametrize(
    ("code", "word"),
    [("ENB", "English"), ("POL", "Additional language"), ("NOT", "not_known"), (None, "not_known")],
)
def test_a_first_language_is_english_additional_or_not_known(code: str | None, word: str) -> None:
    rows = [{"pupil_id": p, "first_language": "ENG"} for p in PUPILS]
    rows[0]["first_language"] = code
    assert groups_of(pupils=table_of("pupils", rows)).loc["A", "first_language"] == word


def test_a_plan_wins_over_support_and_a_need_that_is_not_recorded_is_not_known() -> None:
    send = [
        {
            "pupil_id": "A",
            "provision": "E",
            "start_date": "2023-01-01",
            "recorded_on": "2023-01-02",
        },
        {
            "pupil_id": "A",
            "provision": "K",
            "primary_need": "MLD",
            "start_date": "2024-01-01",
            "recorded_on": "2024-01-02",
        },
    ]
    groups = groups_of(send=table_of("send", send))
    assert groups.loc["A", ["sen", "primary_need"]].tolist() == ["EHC plan", "not_known"]


@pytest.mark.parametrize("kind", ["fsm", "looked_after", "child_in_need", "young_carer"])
def test_circumstances_are_asked_only_where_the_la_records_them(kind: str) -> None:
    row = {"pupil_id": "B", "kind": kind, "start_date": "2024-01-01", "recorded_on": "2024-02-01"}
    groups = groups_of(circumstances=table_of("circumstances", [row]))
    others = {"fsm", "looked_after", "child_in_need", "young_carer"} - {kind}
    assert groups[kind].tolist()[1] != groups[kind].tolist()[0]
    assert not others & set(groups)


@pytest.mark.parametrize("table", ["send", "circumstances", "neighbourhood"])
def test_p2_nothing_recorded_on_or_after_the_day_changes_a_group(table: str) -> None:
    tables = small_tables()
    facts = tables[table]
    late = facts.assign(
        recorded_on=AS_OF,
        start_date=AS_OF - pd.Timedelta(days=9),
        pupil_id=facts["pupil_id"].iloc[-1],
    )
    if table == "circumstances":
        kinds = late["kind"].cat.categories[: len(late) + 8]
        late = late.iloc[[0] * len(kinds)].assign(
            kind=pd.Categorical(kinds, late["kind"].cat.categories)
        )
    more = changed(tables, **{table: pd.concat([facts, late], ignore_index=True)})
    pd.testing.assert_frame_equal(groups_at(more, spine_of()), groups_at(tables, spine_of()))


def test_rows_of_several_days_keep_their_own_day() -> None:
    tables = small_tables()
    days = [AS_OF, pd.Timestamp("2024-01-15")]
    spines = [spine_of(day=pd.Timestamp(day).as_unit("s")) for day in days]
    both = pd.concat(spines).iloc[::-1].reset_index(drop=True)
    together = groups_at(tables, both)
    for spine in spines:
        alone = groups_at(tables, spine)
        rows = (both["as_of"] == spine["as_of"].iloc[0]).to_numpy()
        for name in alone:
            assert together[name][rows].tolist() == alone[name].tolist()[::-1]
    assert (together["fsm"] == "not_known").sum() == 0  # B's spell was recorded in 2023


def test_two_characteristics_are_crossed() -> None:
    groups = groups_of()
    found = cross(groups, "sex", "sen")
    assert found["sex × sen"].tolist()[0] == "Girls × SEN support"
    assert set(found["sex × sen"]) <= {
        f"{a} × {b}" for a in set(groups["sex"]) for b in set(groups["sen"])
    }


@pytest.mark.parametrize(
    ("a", "b", "words"), [("sex", "hair", "no 'hair'"), ("sex", "sex", "'sex' twice")]
)
def test_what_cannot_be_crossed_is_reported(a: str, b: str, words: str) -> None:
    with pytest.raises(RequestError, match=f"got {words}.* Choose from sex"):
        cross(groups_of(), a, b)


def test_missing_groups_are_not_known_and_too_many_are_refused() -> None:
    groups = pd.DataFrame({"sex": [None, np.nan, "Girls"]})
    assert checked_groups(groups)["sex"].tolist() == ["not_known", "not_known", "Girls"]
    with pytest.raises(RequestError, match="'name' has 500 different groups, more than 300"):
        checked_groups(pd.DataFrame({"name": range(500)}))
    with pytest.raises(RequestError, match="risk has 2 values for 3 rows"):
        checked_groups(groups, risk=[0.1, 0.2])
    with pytest.raises(RequestError, match="nobody, or no characteristic"):
        checked_groups(groups.iloc[:0])


def test_finer_groups_know_the_coarser_ones() -> None:
    assert family("primary_need", "Hearing impairment") == ("sen", ("SEN support", "EHC plan"))
    assert family("primary_need", "No SEN") == ("sen", ("No SEN",))
    assert family("ethnicity_detailed", "not_known") == ("ethnicity", ("not_known",))
