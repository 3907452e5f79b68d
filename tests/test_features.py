"""Features: nothing from on or after as_of, whatever the order, and right by hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskmodel.cohort import build_spine
from riskmodel.data import TABLES, Tables
from riskmodel.data.read import read
from riskmodel.errors import RequestError
from riskmodel.features import CATALOGUE, build, make_register, windows
from riskmodel.simulate import simulate

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


def with_table(tables: Tables, name: str, frame: pd.DataFrame) -> Tables:
    return Tables(dict(tables.frames) | {name: frame.reset_index(drop=True)})


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


def test_absence_rates_by_hand() -> None:
    tables, spine, result = small()
    register = make_register(tables)
    pupil = int(spine["pupil_id"].cat.codes.iloc[0])
    own = tables["sessions"]
    own = own[(own["pupil_id"] == spine["pupil_id"].iloc[0]) & (own["recorded_on"] < DAY)]
    days = register.dates[register.dates < np.datetime64("2025-03-01")][-20:]
    window = own[own["date"].isin(days.astype("datetime64[s]"))]
    absent = window["mark"].isin(list("IMCGOUNREST") + ["C1", "C2", "J1", "H", "F"])
    expected = absent.sum() / len(window)
    assert pupil >= 0
    assert result["absence_rate_20_days"].iloc[0] == pytest.approx(expected, abs=1e-6)


def test_suspension_counts_by_hand() -> None:
    tables, spine, result = small()
    facts = tables["suspensions"]
    facts = facts[(facts["category"] == "SUSP") & (facts["recorded_on"] < DAY)]
    facts = facts[
        (facts["start_date"] < DAY) & (facts["start_date"] >= DAY - pd.Timedelta(days=365))
    ]
    expected = spine["pupil_id"].map(facts["pupil_id"].value_counts()).astype(float).fillna(0)
    np.testing.assert_array_equal(result["suspensions_12_months"], expected)
    assert expected.sum() > 0


facts_of_three = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 12), st.integers(-3, 3)), max_size=12
)


def arrays(
    facts: list[tuple[int, int, int]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    table = np.array(facts, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2].astype(float)


@given(facts_of_three, st.integers(0, 14), st.one_of(st.none(), st.integers(1, 8)))
def test_kernel_sums_equal_a_slow_reference(
    facts: list[tuple[int, int, int]], as_of: int, window: int | None
) -> None:
    pupil, day, value = arrays(facts)
    fast = windows.sum_in_window(pupil, day, value, as_of=as_of, window_days=window, n_pupils=3)
    first = -1 if window is None else as_of - window
    slow = [sum(v for p, d, v in facts if p == who and first <= d < as_of) for who in range(3)]
    np.testing.assert_array_equal(fast, slow)


@given(facts_of_three, st.integers(0, 14))
def test_kernel_last_values_equal_a_slow_reference(
    facts: list[tuple[int, int, int]], as_of: int
) -> None:
    pupil, day, value = arrays(facts)
    fast = windows.last_value(pupil, day, value, as_of=as_of, n_pupils=3)
    for who in range(3):
        past = [(d, v) for p, d, v in facts if p == who and d < as_of]
        if past:
            assert fast[who] == max(past)[1]
        else:
            assert np.isnan(fast[who])


@given(facts_of_three, st.integers(0, 14))
def test_kernel_states_equal_a_slow_reference(
    facts: list[tuple[int, int, int]], as_of: int
) -> None:
    pupil, start, length = arrays(facts)
    end = start + np.abs(length).astype(np.int64)
    fast = windows.state_at(pupil, start, end, as_of=as_of, n_pupils=3)
    days = windows.spell_days(pupil, start, end, as_of=as_of, n_pupils=3)
    spells = list(zip(pupil.tolist(), start.tolist(), end.tolist(), strict=True))
    for who in range(3):
        own = [(s, e) for p, s, e in spells if p == who]
        assert fast[who] == any(s < as_of <= e for s, e in own)
        assert days[who] == sum(sum(s <= d <= e for d in range(as_of)) for s, e in own)


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=5))
def test_streaks_equal_a_slow_reference(rows: list[list[bool]]) -> None:
    fast = windows.longest_run_at_end(np.array(rows))
    for row, length in zip(rows, fast, strict=True):
        slow = 0
        for value in reversed(row):
            if not value:
                break
            slow += 1
        assert length == slow


def test_an_la_without_any_permanent_exclusion_has_features(extracts: Path) -> None:
    frames = dict(read(extracts).tables)
    frames["suspensions"] = frames["suspensions"].query("category == 'SUSP'")
    tables = Tables(frames)
    spine = build_spine(tables, pd.DatetimeIndex(["2024-06-01"]), "pex")
    X = build(tables, spine)
    assert (X["school_exclusion_rate"].dropna() == 0).all()
    assert X["school_suspension_rate"].max() > 0
