"""What lists of other lengths, and places by school, would find."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.errors import HistoryError, RequestError
from riskmodel.evaluation import Backtest, compare
from riskmodel.evaluation.capacity import is_listed, rank_on_list
from riskmodel.evaluation.capacity_curve import CapacityCurve, capacity_curve, places_by_school
from riskmodel.evaluation.resampling import Resamples
from riskmodel.report.backtest_charts import backtest_charts

DAYS = pd.to_datetime(["2024-02-10", "2024-06-01"])

rows_of_lists = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, np.nan]), st.integers(0, 3), st.sampled_from("stu")),
    min_size=4,
    max_size=14,
).filter(lambda rows: any(label == 1 for label, _, _ in rows))


def frame_of(rows: list[tuple[float, int, str]]) -> pd.DataFrame:
    """Two lists of the same pupils; who has no label went to another area."""
    label, score, school = zip(*rows, strict=True)
    outcome = np.array(label, dtype=float)
    one = pd.DataFrame(
        {
            "pupil_id": [f"P{number:02}" for number in range(len(rows))],
            "label": outcome,
            "lost_to": np.where(np.isnan(outcome), "another area", None),
            "model": np.array(score, dtype=float),
            "rival": np.array(score, dtype=float)[::-1],
            "school_id": list(school),
        }
    )
    return pd.concat([one.assign(as_of=day) for day in DAYS], ignore_index=True)


def curve_of(frame: pd.DataFrame, capacities: list[int]) -> CapacityCurve:
    resamples = Resamples.draw(frame["pupil_id"], 0)
    return capacity_curve(frame, ["model", "rival"], 2, resamples, capacities=capacities)


@given(rows_of_lists)
@settings(max_examples=40)
def test_every_point_equals_a_list_that_is_filled_and_counted(
    rows: list[tuple[float, int, str]],
) -> None:
    frame = frame_of(rows)
    capacities = list(range(1, len(rows) + 1))
    table = curve_of(frame, capacities).table.set_index(["ranker", "capacity"])
    for name in ("model", "rival"):
        for places in capacities:
            listed = is_listed(frame[name], frame["pupil_id"], places, lists=frame["as_of"])
            found = (frame["label"][listed] == 1).sum()
            row = table.loc[(name, places)]
            assert row["recall"] == pytest.approx(found / (frame["label"] == 1).sum())
            assert row["per_100_places"] == pytest.approx(100 * found / listed.sum())
            assert row["per_list"] == pytest.approx(found / 2)
            known = frame["label"][listed].notna().sum()
            expected = found / known if known else np.nan
            assert row["precision"] == pytest.approx(expected, nan_ok=True)


@given(rows_of_lists)
@settings(max_examples=25)
def test_recall_never_falls_with_capacity_and_the_whole_cohort_finds_all(
    rows: list[tuple[float, int, str]],
) -> None:
    table = curve_of(frame_of(rows), list(range(1, len(rows) + 1))).table
    for _, line in table.groupby("ranker"):
        assert (np.diff(line["recall"]) >= -1e-12).all()
        assert (np.diff(line["per_list"]) >= -1e-12).all()
        assert line["recall"].iloc[-1] == pytest.approx(1)


def made_up(n_pupils: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    risk = rng.random(n_pupils)
    rows = list(
        zip((rng.random(n_pupils) < risk**4).astype(float), risk, "stuv" * 100, strict=True)
    )
    return frame_of(rows)


def backtest() -> Backtest:
    frame = made_up().rename(columns={"rival": "RONI points"})
    return compare(frame, rankers=["model", "RONI points"], capacity=50)


def test_the_curve_and_the_table_of_a_backtest_agree_at_the_capacity() -> None:
    made = backtest()
    assert made.places is not None
    curve = made.places.table.set_index(["ranker", "capacity"])
    for row in made.table.to_dict("records"):
        here = curve.loc[(row["ranker"], 50)]
        for end in ("", "_low", "_high"):
            assert here[f"recall{end}"] == pytest.approx(row[f"recall_at_capacity{end}"])
            assert here[f"precision{end}"] == pytest.approx(row[f"precision_at_capacity{end}"])
    gap = made.places.differences.set_index("capacity").loc[50]
    both = made.differences.iloc[0]
    for end in ("", "_low", "_high"):
        assert gap[f"recall{end}"] == pytest.approx(both[f"recall_at_capacity{end}"])
    assert made.places.schools is not None
    by_pupil = made.places.schools.set_index("given").loc["by pupil"]
    assert by_pupil["recall"] == pytest.approx(curve.loc[("model", 50), "recall"])


def test_more_places_are_reported_with_an_interval() -> None:
    places = backtest().places
    assert places is not None
    row = places.more.iloc[0]
    curve = places.table.set_index(["ranker", "capacity"])["per_list"]
    assert row["per_list"] == pytest.approx(curve["model", 100] - curve["model", 50])
    assert places.sentence().startswith("50 more places on a list would find about ")


def test_within_noise_nothing_is_claimed_of_more_places() -> None:
    frame = made_up()
    frame["label"] = (frame["pupil_id"] == "P399").astype(float)
    frame["model"] = (frame["pupil_id"] == "P399").astype(float)
    made = compare(frame, rankers=["model"], capacity=50)
    assert made.places is not None
    assert made.places.sentence().startswith("These lists cannot show whether 50 more")


def test_a_small_cohort_has_no_sentence_on_more_places() -> None:
    made = compare(made_up().groupby("as_of").head(60), rankers=["model"], capacity=50)
    assert made.places is not None
    assert made.places.sentence() == ""
    assert made.places.table["capacity"].max() <= 60


@pytest.mark.parametrize(
    ("change", "capacities", "error", "words"),
    [
        ({"label": 0.0}, [1], HistoryError, "Nobody on the tested lists had the outcome"),
        ({}, [401], RequestError, "A capacity of 401 is beyond .* which holds 400 pupils"),
        ({}, [0], RequestError, "Capacity must be a whole number, at least 1 pupil; got 0"),
        ({"share_of_list": 0.5}, [801], RequestError, "which holds 800 pupils"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(
    change: dict[str, float], capacities: list[int], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        curve_of(made_up().assign(**change), capacities)


def test_a_list_tested_in_part_counts_as_that_part_of_a_list() -> None:
    frame = made_up()
    half = frame[frame["pupil_id"].isin(frame["pupil_id"].unique()[::2])].reset_index(drop=True)
    resamples = Resamples.draw(half["pupil_id"], 0)
    made = capacity_curve(half.assign(share_of_list=0.5), ["model"], 50, resamples)
    whole = made.table.set_index("capacity")
    # the same places per child: half of 100 places on half a list find what a list of 50 finds of it
    alone = capacity_curve(half, ["model"], 25, resamples, capacities=[25, 50]).table
    found = alone.set_index("capacity")["per_list"]
    assert whole.loc[50, "per_list"] == pytest.approx(2 * found[25])
    assert whole.loc[100, "per_list"] == pytest.approx(2 * found[50])
    assert made.more["per_list"].item() == pytest.approx(2 * (found[50] - found[25]))


def test_the_best_rival_is_chosen_at_each_capacity() -> None:
    frame = made_up()
    rank = frame.groupby("as_of")["model"].rank(ascending=False)
    frame["RONI points"] = np.where(rank <= 20, frame["model"], -frame["model"])  # good at first
    frame["tuned ridge"] = np.where(rank <= 12, -1, frame["model"])
    made = compare(frame, rankers=["model", "RONI points", "tuned ridge"], capacity=20)
    assert made.places is not None
    table = made.places.table
    best = table[table["ranker"] != "model"].set_index("capacity")["ranker"].to_dict()
    assert best[20] == "RONI points"
    assert best[70] == "tuned ridge"
    assert {*best} == {*table.loc[table["ranker"] == "model", "capacity"]}
    gaps = made.places.differences.set_index("capacity")["ranker"].to_dict()
    assert gaps == best
    chart = backtest_charts(made)["What more and fewer places find"]
    assert "RONI points, tuned ridge from" in chart


# Places by school


@given(rows_of_lists, st.integers(1, 14))
@settings(max_examples=60)
def test_each_schools_share_goes_to_the_school_that_is_furthest_behind(
    rows: list[tuple[float, int, str]], places: int
) -> None:
    """Slow reference: give one place after the other (Sainte-Laguë), then fill each school's."""
    one = frame_of(rows).head(len(rows))
    places = min(places, len(rows))
    size, given_to = one["school_id"].value_counts(), dict.fromkeys("stu", 0)
    rank = rank_on_list(one["model"], one["pupil_id"], lists=one["school_id"])
    for _ in range(places):
        behind = min(
            (school for school in size.index if given_to[school] < size[school]),
            key=lambda school: ((given_to[school] + 0.5) / size[school], school),
        )
        given_to[behind] += 1
    scores = places_by_school(one, "model")
    listed = is_listed(scores["each school's top share"], one["pupil_id"], places)
    by_school = one["school_id"][listed].value_counts()
    furthest = max((given_to[s] - 0.5) / size[s] for s in size.index if given_to[s])
    for school in size.index:
        own = int(by_school.get(school, 0))
        assert (rank[listed & (one["school_id"] == school).to_numpy()] <= own).all()
        if not np.isclose((given_to[school] - 0.5) / size[school], furthest) and not np.isclose(
            (given_to[school] + 0.5) / size[school], furthest
        ):
            assert own == given_to[school]


def test_whole_schools_are_filled_one_after_the_other() -> None:
    # mean ranks: t (1 + 4) / 2, s (2 + 3) / 2, u 5; of equal schools the first by name
    rows = [(0, 9, "t"), (0, 1, "t"), (0, 8, "s"), (0, 7, "s"), (1, 0, "u")]
    one = frame_of(rows).head(5)
    scores = places_by_school(one, "model")
    order = rank_on_list(scores["whole schools"], one["pupil_id"])
    assert one["school_id"].to_numpy()[np.argsort(order)].tolist() == list("ssttu")
