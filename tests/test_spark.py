"""Spark gives the same numbers to the bit, whatever the parts, and names what it lacks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.cohort import build_spine
from riskmodel.data import Tables
from riskmodel.errors import RequestError
from riskmodel.features import BUILDERS, Feature, build, builder, peers_of
from riskmodel.simulate import simulate
from tests.small_la import SmallLA
from tests.spark import CONFIGURATION

DAYS = pd.DatetimeIndex(["2024-11-15", "2025-03-01"]).as_unit("s")


@pytest.fixture(scope="module")
def tables() -> Tables:
    return simulate(pupils=400, years=2, seed=5, preset="bcp").tables


@pytest.fixture(scope="module")
def spine(tables: Tables) -> pd.DataFrame:
    return build_spine(tables, DAYS, "pex").sample(frac=1, random_state=0, ignore_index=True)


@pytest.fixture(scope="module")
def session() -> Iterator[object]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    made = SparkSession.builder.master("local[2]").config(map=CONFIGURATION).getOrCreate()
    yield made
    made.stop()


def part_of(tables: Tables, number: int, n_parts: int) -> Tables:
    """Return the facts of every n-th pupil."""
    dtype = pd.CategoricalDtype(tables.pupils.categories[number::n_parts])
    frames = {}
    for name, frame in tables.items():
        if "pupil_id" in frame:
            mine = frame[(frame["pupil_id"].cat.codes % n_parts == number).to_numpy()]
            frame = mine.assign(pupil_id=mine["pupil_id"].astype(dtype)).reset_index(drop=True)
        frames[name] = frame
    return Tables(frames)


def test_numbers_of_peers_add_up_over_parts(tables: Tables) -> None:
    days = list(DAYS)
    whole = peers_of(tables, days)
    parts = [peers_of(part_of(tables, number, 3), days) for number in range(3)]
    for day in days:
        for kind in ("school", "year_group"):
            added = pd.concat([part[day][kind] for part in parts]).groupby(level=0).sum()
            pd.testing.assert_frame_equal(added, whole[day][kind], check_names=False)


def test_parts_give_the_same_features_to_the_bit(tables: Tables, spine: pd.DataFrame) -> None:
    whole, peers = build(tables, spine), peers_of(tables, list(DAYS))
    for number in range(3):
        rows = np.flatnonzero(spine["pupil_id"].cat.codes.to_numpy() % 3 == number)
        part = part_of(tables, number, 3)
        own = spine.iloc[rows].reset_index(drop=True)
        own = own.assign(pupil_id=own["pupil_id"].astype(part.pupils))
        made = build(part, own, peers=peers)
        assert made.to_numpy().tobytes() == whole.iloc[rows].to_numpy().tobytes()


@pytest.mark.parametrize("some_unknown", [False, True])
def test_spark_builds_the_same_features(
    session: object, tables: Tables, spine: pd.DataFrame, some_unknown: bool
) -> None:
    if some_unknown:  # as after 16, where the month of birth may not be known
        spine = spine.assign(year_group=spine["year_group"].mask(spine.index % 3 == 0))
    local, spark = build(tables, spine), build(tables, spine, engine="spark")
    assert list(spark) == list(local)
    assert spark.dtypes.eq("float32").all()
    assert spark.to_numpy().tobytes() == local.to_numpy().tobytes()


def test_spark_scores_and_explains_the_same(
    session: object, tables: Tables, small_la: SmallLA
) -> None:
    trained = small_la.training.model
    local = trained.assess(tables, as_of=DAYS[1], capacity=10)
    spark = trained.assess(tables, as_of=DAYS[1], capacity=10, engine="spark")
    # sums over bags may end in other digits where a part has another number of rows
    pd.testing.assert_frame_equal(spark.scores, local.scores, rtol=1e-12)
    there, here = spark.explanation, local.explanation
    pd.testing.assert_frame_equal(there.contributions, here.contributions, rtol=1e-12)
    pd.testing.assert_frame_equal(there.features, here.features, check_exact=True)
    assert there.base_value == pytest.approx(here.base_value, rel=1e-12)


def test_a_feature_of_a_notebook_is_built_by_the_workers(
    session: object, tables: Tables, spine: pd.DataFrame
) -> None:
    def made(known):  # type: ignore[no-untyped-def]
        return {"reversed_year": 11.0 - known.spine["year_group"].to_numpy()}

    made.__module__ = "__main__"  # as in a notebook
    feature = Feature(
        "reversed_year", "Years to the end of school", "school years", "moves", "enrolments"
    )
    builder([feature], needs=["enrolments"])(made)
    try:
        spark = build(tables, spine, engine="spark")
    finally:
        BUILDERS.pop()
    np.testing.assert_array_equal(spark["reversed_year"], 11 - spine["year_group"])


def test_without_a_calendar_spark_is_refused_in_words(
    session: object, tables: Tables, spine: pd.DataFrame
) -> None:
    without = Tables({name: frame for name, frame in tables.items() if name != "calendar"})
    with pytest.raises(RequestError, match="needs the table 'calendar'"):
        build(without, spine, engine="spark")


def test_without_pyspark_the_extra_is_named(
    tables: Tables, spine: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(RequestError, match=r"riskmodel\[spark\]"):
        build(tables, spine, engine="spark")


# MLflow's own, about Spark's and pandas' versions
@pytest.mark.filterwarnings(
    "default", "ignore:PySpark does not yet fully support", "ignore:The copy keyword is deprecated"
)
def test_the_registered_model_scores_on_spark_and_never_without_reasons(
    session: Any, small_la: SmallLA
) -> None:
    import mlflow
    from pyspark.sql import functions

    mlflow.set_tracking_uri(small_la.tracking)
    mlflow.set_registry_uri(small_la.tracking)
    model = small_la.training.model
    names = list(model.features)
    rows = pd.DataFrame(np.random.default_rng(0).random((30, len(names))), columns=names)
    uri = f"models:/riskmodel-pex/{small_la.training.version}"
    score = mlflow.pyfunc.spark_udf(session, uri, env_manager="local")
    answer = score(functions.struct(*names))
    made = (
        session.createDataFrame(rows).select(answer.alias("answer")).select("answer.*").toPandas()
    )
    here = model.calibrated.score(rows.to_numpy(np.float32))
    np.testing.assert_allclose(made["risk"], here.risks()["risk"], rtol=1e-9)
    np.testing.assert_allclose(made["base_value"], here.base_value, rtol=1e-9)
    assert made[["reason_1", "strength_1"]].notna().all().all()
