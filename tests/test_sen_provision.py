"""SEN provision on a day: one rule, and audit, list, card, dashboard and features ask it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from riskmodel.assess import rank
from riskmodel.data import Tables
from riskmodel.data.sen_provision import provision_on
from riskmodel.fairness import groups_at
from riskmodel.features import build
from riskmodel.inclusion import inclusion
from riskmodel.report.list_page.cards import cards
from riskmodel.report.list_page.rows import list_rows
from tests.lists import score, simulated_tables
from tests.strategies import AS_OF, small_tables, spine_of, table_of

DAY = "2025-03-01"
EARLY, LATE, LATER = "2022-09-01", "2023-09-01", "2024-09-01"


def spell(
    provision: str, need: str | None, start: str, end: str | None = None, **more: str
) -> dict[str, Any]:
    """Return a spell of pupil A that was known at once."""
    return {"pupil_id": "A", "provision": provision, "primary_need": need, "start_date": start,
            "end_date": end, "recorded_on": start, "end_recorded_on": end} | more  # fmt: skip


PLAN, SUPPORT = spell("E", "ASD", EARLY), spell("K", "SEMH", LATE)


@pytest.mark.parametrize(
    ("spells", "expected"),
    [
        ([], (None, None)),
        ([PLAN, SUPPORT], ("E", "ASD")),
        ([spell("K", "SEMH", EARLY), spell("E", "ASD", LATE)], ("E", "ASD")),
        ([SUPPORT, spell("K", "SLCN", LATER)], ("K", "SLCN")),
        ([PLAN | {"end_date": "2025-02-28"}, SUPPORT], ("K", "SEMH")),
        ([PLAN | {"end_date": DAY}, SUPPORT], ("E", "ASD")),  # the last day belongs to a spell
        ([spell("E", "ASD", DAY), SUPPORT], ("E", "ASD")),  # and so does the first
        ([spell("E", "ASD", "2025-03-02"), SUPPORT], ("K", "SEMH")),
        ([PLAN | {"primary_need": None}, SUPPORT], ("E", None)),
        ([SUPPORT, spell("N", None, LATER)], ("K", "SEMH")),
        ([spell("N", None, LATER)], (None, None)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_the_spell_in_force_that_ranks_highest_states_provision_and_need(
    spells: list[dict[str, Any]], expected: tuple[str | None, str | None], turned: bool
) -> None:
    send = table_of("send", spells[::-1] if turned else spells)
    found = provision_on(send, pd.Series(["B", "A"], index=[7, 5]), day=pd.Timestamp(DAY))
    assert found.index.tolist() == [7, 5]
    shown = found[["provision", "primary_need"]].astype("object")
    shown = shown.where(shown.notna(), None)
    assert shown.loc[7].tolist() == [None, None]
    assert tuple(shown.loc[5]) == expected


@pytest.mark.parametrize("as_text", [False, True])
def test_pupils_are_found_whatever_the_type_of_their_column(as_text: bool) -> None:
    send = table_of("send", [PLAN | {"secondary_need": "HI"}, SUPPORT])
    pupils = spine_of()["pupil_id"]
    found = provision_on(send, pupils.astype("str") if as_text else pupils, day=AS_OF)
    assert found.iloc[0].tolist() == ["E", "ASD", "HI"]
    assert found.iloc[1:].isna().all(axis=None)


def with_plan_and_support(tables: Tables, pupil: str) -> Tables:
    """Return the same LA, in which a pupil has a plan (autism) and, begun later, support (SEMH)."""
    categories = tuple(tables.pupils.categories)
    both = [PLAN | {"pupil_id": pupil}, SUPPORT | {"pupil_id": pupil}]
    return Tables({**tables, "send": table_of("send", both, categories)})


def test_the_audit_states_the_plan_and_its_need() -> None:
    groups = groups_at(with_plan_and_support(small_tables(), "A"), spine_of())
    assert groups.loc[0, ["sen", "primary_need"]].tolist() == [
        "EHC plan", "Autistic spectrum disorder"
    ]  # fmt: skip


def test_the_features_state_the_plan_and_its_need() -> None:
    X = build(with_plan_and_support(small_tables(), "A"), spine_of())
    now = X.loc[0, ["ehc_plan_now", "sen_support_now", "need_asd_now", "need_semh_now",
                    "semh_without_plan", "need_not_typed"]]  # fmt: skip
    assert now.tolist() == [1, 0, 1, 0, 0, 0]
    assert X.loc[0, ["semh_ever", "sen_ever", "need_types_so_far"]].tolist() == [1, 1, 2]


def test_the_shares_of_a_school_count_a_pupil_once() -> None:
    # B, C, D, E are on the roll of S; B has both spells, so of the others of C one of three
    X = build(with_plan_and_support(small_tables(), "B"), spine_of())
    shares = X.loc[2, ["school_ehc_plan_share", "school_sen_support_share"]].tolist()
    assert shares == pytest.approx([1 / 3, 0])


def test_the_list_and_the_card_state_the_need_of_the_plan() -> None:
    tables = simulated_tables()
    first = rank(score(tables))["pupil_id"].iloc[0]
    tables = with_plan_and_support(tables, first)
    assessment = score(tables)
    rows = list_rows(rank(assessment), tables, as_of=assessment.as_of)
    row = rows[(rows["pupil_id"] == first).to_numpy()]
    assert row["need"].tolist() == ["Autistic spectrum disorder"]
    _, (card,) = cards(assessment, row, tables)
    assert card.need == "Autistic spectrum disorder"


def test_the_dashboard_counts_the_plan_and_its_need() -> None:
    table = inclusion(with_plan_and_support(small_tables(), "B"), AS_OF).table
    rows = table[((table["school_id"] == "S") & (table["period"] == "2024/25")).to_numpy()]
    count = rows.set_index(["measure", "code"])["numerator"]
    assert count[[("ehc_plan", ""), ("sen_support", "")]].tolist() == [1, 0]
    assert count[[("needs", "ASD"), ("needs", "SEMH")]].tolist() == [1, 0]


def test_a_list_shows_a_need_only_if_it_was_known_on_its_day() -> None:
    late = table_of("send", [SUPPORT, PLAN | {"recorded_on": DAY}])
    tables = Tables({**small_tables(), "send": late})
    risks = dict.fromkeys(("risk", "risk_low", "risk_high"), 0.1)
    ranking = pd.DataFrame({"rank": 1, "pupil_id": ["A"], "school_id": "S", "year_group": 7,
                            "change": "new", "band": "listed", **risks})  # fmt: skip
    rows = list_rows(ranking, tables, as_of=AS_OF)
    assert rows["need"].tolist() == ["Social, emotional and mental health"]


def test_a_spell_that_begins_on_the_day_of_a_list_does_not_count_yet() -> None:
    # entered in advance, as support from September is
    first = {"start_date": DAY, "recorded_on": "2024-11-01"}
    tables = Tables({**small_tables(), "send": table_of("send", [SUPPORT | first])})
    X = build(tables, spine_of())
    whose = spine_of()["pupil_id"].astype("str") == SUPPORT["pupil_id"]
    assert (
        X.loc[whose.to_numpy(), ["sen_support_now", "need_semh_now", "sen_ever"]].to_numpy().sum()
        == 0
    )
