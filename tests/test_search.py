"""Search: reproducible, killed and taken up again, in SQLite and in PostgreSQL, fair where asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy

from riskmodel.errors import HistoryError, RequestError
from riskmodel.fairness.rates import recall_gap
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.search import Search, SearchPlan, search_settings
from tests import postgres
from tests.searches import N_TRIALS, objective, search


def tried(found: Search) -> pd.DataFrame:
    done = found.trials[found.trials["state"].isin(["COMPLETE", "PRUNED"])]
    return done.drop(columns=["trial"]).reset_index(drop=True)


@pytest.fixture(scope="module")
def undisturbed() -> Search:
    return search(None)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with postgres.server() as address:
        yield address


def test_the_first_trial_is_the_default_and_the_best_is_chosen(undisturbed: Search) -> None:
    first = undisturbed.trials.iloc[0]
    default = RareOutcomeClassifier().get_params()
    assert {name: first[name] for name in undisturbed.settings} == {
        name: default[name] for name in undisturbed.settings
    }
    best = undisturbed.trials.loc[undisturbed.trials["average_precision"].idxmax()]
    assert all(best[name] == value for name, value in undisturbed.settings.items())
    assert len(undisturbed.trials) == N_TRIALS


def test_the_same_seed_tries_the_same_settings_and_another_does_not(undisturbed: Search) -> None:
    pd.testing.assert_frame_equal(undisturbed.trials, search(None).trials)
    assert not tried(search(None, seed=4)).equals(tried(undisturbed))


WORKER = textwrap.dedent(
    """
    import sys, time
    sys.path.insert(0, {folder!r})
    from tests.searches import search, small
    import tests.searches as here

    class Slow(here.RareOutcomeClassifier):
        def decision_function(self, X):
            time.sleep({pause})
            return super().decision_function(X)

    here.small = lambda **settings: Slow(n_bags=2, **settings)
    search({storage!r})
    """
)


def start(storage: str, pause: float) -> subprocess.Popen[bytes]:
    code = WORKER.format(folder=str(Path(__file__).parents[1]), storage=storage, pause=pause)
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)


def finished(storage: str) -> int:
    return count(storage, "state in ('COMPLETE', 'PRUNED')")


def started(storage: str) -> int:
    return count(storage, "state = 'RUNNING'")


def count(storage: str, which: str) -> int:
    engine = sqlalchemy.create_engine(storage, poolclass=sqlalchemy.NullPool)
    try:
        with engine.connect() as connection:
            query = sqlalchemy.text(f"select count(*) from trials where {which}")
            return int(connection.execute(query).scalar_one())
    except sqlalchemy.exc.DatabaseError:
        return 0  # the tables are not there yet


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_search_killed_midway_goes_on_as_if_it_had_not_been(
    kind: str, tmp_path: Path, postgresql: str, undisturbed: Search
) -> None:
    storage = f"sqlite:///{tmp_path / 'search.db'}" if kind == "sqlite" else postgresql
    worker = start(storage, pause=0.3)
    deadline = time.monotonic() + 120
    while finished(storage) < 3 and time.monotonic() < deadline and worker.poll() is None:
        time.sleep(0.05)
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()
    before = finished(storage)
    assert 3 <= before < N_TRIALS
    again = search(storage)
    pd.testing.assert_frame_equal(tried(again), tried(undisturbed), check_dtype=False)
    assert finished(storage) == N_TRIALS
    assert again.settings == undisturbed.settings


def test_two_workers_share_the_trials_and_do_not_repeat_each_other(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'search.db'}"
    search(storage, n_trials=1)
    workers = [start(storage, pause=0.2) for _ in range(2)]
    for worker in workers:
        _, words = worker.communicate(timeout=180)
        assert worker.returncode == 0, words.decode()[-500:]
    found = tried(search(storage))
    assert N_TRIALS <= len(found) <= N_TRIALS + 1
    assert not found.drop(columns=["state", "average_precision"]).duplicated().any()


def test_two_aims_give_a_front_and_the_fairest_of_the_nearly_best_is_chosen() -> None:
    found = search(None, n_trials=6, is_fair=True)
    front = found.front
    assert front is not None
    gaps = front["recall_gap"].to_numpy()
    assert (np.diff(front["average_precision"]) <= 0).all()
    assert (np.diff(gaps) <= 0).all()
    for row in front.to_dict("records"):
        better = found.trials[
            (found.trials["average_precision"] > row["average_precision"])
            & (found.trials["recall_gap"] < row["recall_gap"])
        ]
        assert better.empty
    nearly = front[front["average_precision"] >= 0.95 * front["average_precision"].max()]
    chosen = nearly.loc[nearly["recall_gap"].idxmin()]
    assert all(chosen[name] == value for name, value in found.settings.items())
    assert "No other settings tried were better in both" in found.text()


def test_the_recall_gap_by_hand_leaves_small_groups_out() -> None:
    groups = pd.DataFrame({"sex": ["F"] * 10 + ["M"] * 10 + ["not known"] * 2})
    listed = np.array([True] * 5 + [False] * 5 + [True] * 8 + [False] * 2 + [False] * 2)
    assert recall_gap(groups["sex"], np.ones(22), listed) == pytest.approx(0.3)


def test_a_storage_that_is_not_there_is_reported_in_words_and_without_the_password() -> None:
    with pytest.raises(RequestError, match="cannot be kept in postgresql") as raised:
        search("postgresql+psycopg://la:secret@127.0.0.1:9/none", n_trials=1)
    assert "127.0.0.1:9/none" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("is_fair", [False, True])
def test_lists_without_an_outcome_are_no_ground_to_choose_on(is_fair: bool) -> None:
    made = objective()
    folds = [replace(fold, test_label=np.zeros_like(fold.test_label)) for fold in made.folds]
    plan = SearchPlan(n_trials=2, is_fair=is_fair)
    with pytest.raises(HistoryError, match="None of the 2 lists .* holds an outcome"):
        search_settings(replace(made, folds=folds), plan, name="search", random_state=0)


def test_a_search_without_trials_is_refused() -> None:
    with pytest.raises(RequestError, match="needs at least one trial; got 0"):
        SearchPlan(n_trials=0)


def test_a_worker_that_comes_when_all_trials_are_taken_is_refused(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'search.db'}"
    first = start(storage, pause=2.0)
    deadline = time.monotonic() + 120
    while started(storage) < 1 and time.monotonic() < deadline and first.poll() is None:
        time.sleep(0.05)
    with pytest.raises(RequestError, match="are all with other workers and none is finished yet"):
        search(storage, n_trials=1)
    first.kill()
    first.communicate()
    assert len(tried(search(storage, n_trials=1))) == 1
