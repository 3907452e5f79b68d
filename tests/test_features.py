"""Building features: nothing from on or after as_of, whatever the order or the company; bad spines."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.cohort import build_spine
from riskmodel.data import TABLES, Tables
from riskmodel.data.read import read
from riskmodel.errors import RequestError
from riskmodel.features import BUILDERS, CATALOGUE, build
from riskmodel.simulate import simulate
from tests.strategies import (
    FIRST,
    PUPILS,
    Marks,
    sessions_of,
    small_tables,
    spine_of,
    table_of,
    with_table,
    without_calendar,
)

DAY = pd.Timestamp("2025-03-01").as_unit("s")
FACTS = sorted(
    name
    for name, table in TABLES.items()
    if "recorded_on" in table.names and name != "absence_totals"
)


@cache
def small() -> tuple[Tables, pd.DataFrame, pd.DataFrame]:
    """A small simulated LA, its cohort of one day and the features of that day."""
    tables = simulate(pupils=240, years=2, seed=5, preset="bcp").tables
    spine = build_spine(tables, [DAY], "pex")
    return tables, spine, build(tables, spine)


@cache
def built() -> pd.DataFrame:
    return build(small_tables(), spine_of()).set_index(pd.Index(PUPILS))


@pytest.mark.parametrize("name", FACTS)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(["delete", "edit", "add"]))
@settings(max_examples=6, deadline=None)
def test_p2_facts_recorded_on_or_after_the_day_change_no_byte(
    name: str, seed: int, how: str
) -> None:
    tables, spine, expected = small()
    rng = np.random.default_rng(seed)
    frame = tables[name]
    late = (frame["recorded_on"] >= DAY).to_numpy()
    if how == "delete":
        changed = frame[~(late & (rng.random(len(frame)) < 0.5))]
    elif how == "edit":
        mixed = frame[late].copy()
        # keys of marks stay: two marks for one half-day are refused by the reader
        others = {"mark"} if name == "sessions" else set(frame) - {"pupil_id", "recorded_on"}
        for column in others:
            order = rng.permutation(len(mixed))
            mixed[column] = mixed[column].iloc[order].set_axis(mixed.index)
        changed = pd.concat([frame[~late], mixed])
    else:
        # the same facts as some old ones, for other pupils, but recorded from the day on
        extra = frame.iloc[rng.integers(0, max(1, len(frame)), 20 if len(frame) else 0)]
        pupils = pd.Categorical.from_codes(
            rng.integers(0, len(tables.pupils.categories), len(extra)), dtype=tables.pupils
        )
        extra = extra.assign(pupil_id=pupils, recorded_on=DAY + pd.Timedelta(days=int(seed % 3)))
        if name == "sessions":
            extra = extra[
                ~pd.MultiIndex.from_frame(extra[list(TABLES[name].key)]).isin(
                    pd.MultiIndex.from_frame(frame[list(TABLES[name].key)])
                )
            ]
        changed = pd.concat([frame, extra])
    result = build(with_table(tables, name, changed), spine)
    assert result.to_numpy().tobytes() == expected.to_numpy().tobytes()


@pytest.mark.parametrize("name", ["enrolments", "send", "circumstances"])
def test_p2_the_end_of_a_spell_counts_only_once_it_is_known(name: str) -> None:
    tables, spine, expected = small()
    frame = tables[name]
    end = "leaving_date" if name == "enrolments" else "end_date"
    unknown = ~(frame["end_recorded_on"] < DAY)
    opened = frame.assign(**{end: frame[end].where(~unknown)})
    result = build(with_table(tables, name, opened), spine)
    assert result.to_numpy().tobytes() == expected.to_numpy().tobytes()


def test_order_of_facts_and_of_spine_rows_does_not_matter() -> None:
    tables, spine, expected = small()
    shuffled = Tables(
        {n: f.sample(frac=1, random_state=1).reset_index(drop=True) for n, f in tables.items()}
    )
    order = np.random.default_rng(1).permutation(len(spine))
    result = build(shuffled, spine.iloc[order].reset_index(drop=True))
    pd.testing.assert_frame_equal(result, expected.iloc[order].reset_index(drop=True))


@pytest.mark.parametrize("column", ["sex", "ethnicity", "first_language", "birth_month"])
def test_p7_no_feature_reads_a_protected_characteristic(column: str) -> None:
    tables, spine, expected = small()
    pupils = tables["pupils"]
    turned = pupils.assign(**{column: pupils[column].to_numpy()[::-1]})
    pd.testing.assert_frame_equal(build(with_table(tables, "pupils", turned), spine), expected)


def test_a_table_that_is_not_there_leaves_its_features_out() -> None:
    tables, spine, expected = small()
    without = Tables({n: f for n, f in tables.items() if n != "send"})
    gone = set(expected.columns) - set(build(without, spine).columns)
    assert gone == {name for name, feature in CATALOGUE.items() if feature.source == "send"}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: s.drop(columns="as_of"), "no column 'as_of'"),
        (lambda s: pd.concat([s, s.head(1)], ignore_index=True), "1 rows that repeat"),
        (lambda s: s.assign(pupil_id=s["pupil_id"].astype("str")), "not those of the tables"),
    ],
)
def test_a_bad_spine_is_refused_in_words(spoil, words: str) -> None:  # type: ignore[no-untyped-def]
    tables, spine, _ = small()
    with pytest.raises(RequestError, match=words):
        build(tables, spoil(spine))


def test_days_counted_a_few_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, _, _ = small()
    spine = build_spine(
        tables, pd.DatetimeIndex(["2024-11-01", "2025-01-10", DAY]).as_unit("s"), "pex"
    )
    whole = build(tables, spine)
    monkeypatch.setattr("riskmodel.features.build_local.DAYS_AT_A_TIME", 1)
    assert build(tables, spine).to_numpy().tobytes() == whole.to_numpy().tobytes()


def test_an_la_without_any_permanent_exclusion_has_features(extracts: Path) -> None:
    frames = dict(read(extracts).tables)
    frames["suspensions"] = frames["suspensions"].query("category == 'SUSP'")
    tables = Tables(frames)
    spine = build_spine(tables, pd.DatetimeIndex(["2024-06-01"]), "pex")
    X = build(tables, spine)
    assert (X["school_exclusion_rate"].dropna() == 0).all()
    assert X["school_suspension_rate"].max() > 0


@given(st.sets(st.sampled_from(PUPILS), min_size=1))
@settings(max_examples=15, deadline=None)
def test_a_pupil_has_the_same_features_whoever_else_is_asked_for(chosen: set[str]) -> None:
    pupils = tuple(sorted(chosen))
    alone = build(small_tables(), spine_of(pupils))
    assert alone.to_numpy().tobytes() == built().loc[list(pupils)].to_numpy().tobytes()


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 5), st.integers(0, 40), st.integers(0, 1)),
        st.tuples(st.sampled_from(["/", "I", "D"]), st.integers(0, 5)),
        max_size=10,
    )
)
@settings(max_examples=15, deadline=None)
def test_p2_late_marks_change_no_byte_without_a_calendar(marks: Marks) -> None:
    tables, spine = without_calendar(), spine_of()
    until = FIRST + pd.Timedelta(days=11)  # nothing known of the two weeks before the day
    sessions = tables["sessions"]
    sessions = sessions[sessions["date"] <= until]
    late = sessions_of({key: value for key, value in marks.items() if key[1] > 11})
    late = late.assign(recorded_on=late["recorded_on"].clip(lower=spine["as_of"].iloc[0]))
    before = build(with_table(tables, "sessions", sessions), spine)
    after = build(with_table(tables, "sessions", pd.concat([sessions, late])), spine)
    assert after.to_numpy().tobytes() == before.to_numpy().tobytes()


@pytest.mark.parametrize("name", [n for n in TABLES if n not in {"pupils", "schools", "calendar"}])
def test_p2_deleting_what_was_recorded_later_changes_no_byte(name: str) -> None:
    tables, spine = small_tables(), spine_of()
    facts = tables[name]
    kept = facts[facts["recorded_on"] < spine["as_of"].iloc[0]]
    result = build(with_table(tables, name, kept), spine)
    assert result.to_numpy().tobytes() == built().to_numpy().tobytes()


def test_a_register_without_marks_gives_missing_rates() -> None:
    tables = with_table(without_calendar(), "sessions", table_of("sessions", []))
    rates = build(tables, spine_of()).filter(like="_rate_10_days")
    assert rates.shape[1] > 0
    assert rates.isna().all(axis=None)


OF_A_REGISTER = [
    name
    for one in BUILDERS
    if one.make.__name__.startswith("attendance_")
    for name in one.names
    if not name.startswith("known_half_days")
]


@pytest.mark.parametrize("name", OF_A_REGISTER)
def test_nothing_is_known_of_the_attendance_of_a_pupil_without_marks(name: str) -> None:
    assert not (small_tables()["sessions"]["pupil_id"] == "F").any()
    assert np.isnan(built().loc["F", name])


def test_a_day_outside_the_calendar_has_no_attendance_and_no_error() -> None:
    spine = spine_of().assign(as_of=pd.Timestamp("1990-01-01").as_unit("s"))
    made = build(small_tables(), spine)
    assert made.filter(like="absence_rate").isna().all(axis=None)
    assert (made["suspensions_ever"] == 0).all()
    later = spine_of().assign(as_of=pd.Timestamp("2040-01-01").as_unit("s"))
    assert (build(small_tables(), later)["known_half_days"] >= 0).all()


def test_a_spine_without_rows_gives_no_rows() -> None:
    made = build(small_tables(), spine_of().iloc[:0])
    assert made.shape[0] == 0
    assert made.shape[1] > 200


def test_pupils_without_facts_have_missing_values_not_zeros() -> None:
    empty = {
        name: frame if name in ("pupils", "schools", "calendar", "enrolments") else frame.iloc[:0]
        for name, frame in small_tables().items()
    }
    made = build(Tables(empty), spine_of())
    for name in ("absence_rate_60_days", "days_since_suspension", "ks2_score", "idaci_decile"):
        assert made[name].isna().all(), name
    assert (made["suspensions_ever"] == 0).all()


def test_the_small_tables_follow_the_schema() -> None:
    tables = small_tables()
    assert set(tables) == set(TABLES)
    for name, frame in tables.items():
        assert list(frame) == TABLES[name].names
        assert not frame.duplicated(list(TABLES[name].key)).any()
        if "pupil_id" in frame:
            assert frame["pupil_id"].dtype == tables.pupils
