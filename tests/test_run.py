"""The settings of a run: refused when they are made, kept beside the results, without passwords."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.errors import ModelError, RequestError
from riskmodel.jobs import Gates, Run, Settings, make_list

STORE = "sqlite:///mlflow.db"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"outcome": "expulsion"}, "Outcome must be one of .*; got 'expulsion'"),
        ({"as_of": "2024-08-01"}, "must be a pandas Timestamp .*; got '2024-08-01'"),
        ({"as_of": pd.NaT}, "must be a pandas Timestamp .*; got NaT"),
        ({"as_of": pd.Timestamp("2024-08-01", tz="UTC")}, "without hours or a time zone"),
        ({"as_of": pd.Timestamp("2024-08-01 13:00")}, "without hours or a time zone"),
        ({"capacity": 0}, "Capacity must be a whole number of at least 1; got 0"),
        ({"capacity": 10.5}, "Capacity must be a whole number of at least 1; got 10.5"),
        ({"capacity": True}, "Capacity must be a whole number of at least 1; got True"),
        ({"seed": -1}, "A seed must be a whole number of at least 0; got -1"),
        ({"engine": "dask"}, "The engine must be local or spark; got 'dask'"),
        ({"outcome": ["pex"]}, "outcome and the tracking address of a run must be text"),
        ({"tracking": None}, "outcome and the tracking address of a run must be text"),
        ({"settings": None}, "The settings of a run must be Settings, .*; got None"),
    ],
)
def test_settings_that_no_job_can_follow_are_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        Run(**({"outcome": "pex", "tracking": STORE} | changed))


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    run = Run("pex", tracking=STORE, capacity=np.int64(100), seed=np.int64(3))
    assert (run.to_dict()["capacity"], run.to_dict()["seed"]) == (100, 3)
    assert json.dumps(run.to_dict())


def test_an_address_of_no_store_is_refused_without_its_password() -> None:
    with pytest.raises(ModelError, match="is no address of an MLflow store") as refused:
        Run("pex", tracking="ftp://la:secret@server")
    assert "secret" not in str(refused.value)


def test_the_settings_are_kept_whole_and_without_passwords() -> None:
    points = pd.DataFrame({"column": ["eal"], "threshold": [1.0]})
    run = Run(
        "neet",
        tracking="http://la:secret@server:5000",
        as_of=pd.Timestamp("2024-08-01"),
        capacity=40,
        seed=3,
        settings=Settings(Gates(smallest_lift=3.0), points=points),
    )
    kept = json.loads(json.dumps(run.to_dict()))
    gates = kept["settings"].pop("gates")
    assert gates["smallest_lift"] == 3.0
    assert set(gates) == set(Gates.__dataclass_fields__)
    assert kept == {
        "outcome": "neet",
        "tracking": "http://***@server:5000",
        "as_of": "2024-08-01",
        "capacity": 40,
        "seed": 3,
        "engine": "local",
        "settings": {"points": [{"column": "eal", "threshold": 1.0}]},
    }
    assert "secret" not in repr(run)
    assert "secret" not in repr(run.registry)


def test_a_list_without_a_capacity_is_refused_before_the_work() -> None:
    with pytest.raises(RequestError, match="A list needs its capacity"):
        make_list("no such extracts", Run("pex", tracking=STORE), out="list")
