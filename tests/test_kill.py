"""kill -9 at random moments of train, list and feedback: what is kept is whole, and work goes on."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from riskmodel.data.journal import read_journal
from riskmodel.jobs import Run, read_decisions
from riskmodel.jobs.champion import load_model
from riskmodel.report import write_list
from tests.commands import Killings, command_line, duration_of, ended, start, warm_up
from tests.small_la import SmallLA, promoted, registered
from tests.small_list import make
from tests.workbooks import by_two_officers, edited

WHOLE_TRAININGS = 8
"""Of so many kills of train one is of a whole training; the others hit what it writes at its end."""


@pytest.fixture(scope="module", autouse=True)
def _forked_from_one_that_has_imported_everything() -> None:
    warm_up()


@pytest.fixture(scope="module")
def kills(soak: bool) -> int:
    """Return how often each command is killed."""
    return 50 if soak else 8


@pytest.fixture(scope="module")
def store(small_la: SmallLA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a store whose version 1 is the champion."""
    return promoted(small_la, tmp_path_factory.mktemp("kill"), 1)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a list that are the same whenever it is made; a workbook holds its time."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".xlsx"
    }


def test_a_list_that_is_killed_is_there_whole_or_not_at_all(
    store: str, kills: int, tiny: Path, tmp_path: Path
) -> None:
    words = [
        "list",
        tiny,
        "--outcome",
        "pex",
        "--capacity",
        "9",
        "--out",
        "list",
        "--tracking",
        store,
        "--log",
        "lists.jsonl",
    ]
    out, log, unfinished = (tmp_path / name for name in ("list", "lists.jsonl", ".list.unfinished"))
    begin, whole = duration_of(start(command_line, tmp_path, *words), unfinished.exists)
    expected, cut, runs = contents(out), 0, Killings(begin, whole, seed=1)
    shutil.rmtree(out)
    while runs.killed < kills:
        done = runs.ended(start(command_line, tmp_path, *words))
        cut += unfinished.exists()
        assert {path.name for path in tmp_path.iterdir()} - {".lists.jsonl.lock"} <= {
            "list",
            "lists.jsonl",
            ".list.unfinished",
            ".lists.jsonl.unfinished",
            "standard_error.txt",
        }
        entries = read_journal(log)
        assert out.exists() or not done
        if out.exists():
            assert contents(out) == expected
            assert entries[-1]["kind"] == "list"
            shutil.rmtree(out)
        assert Run("pex", tracking=store).registry.version_of("champion") == "1"
    assert cut > kills / 10  # the writing itself was hit
    print(f"list: {kills} kills of a run of {whole:.1f} s, {cut} left an unfinished folder")
    assert ended(start(command_line, tmp_path, *words))
    assert not unfinished.exists()


def test_decisions_of_a_feedback_that_is_killed_are_all_there_or_none(
    kills: int, tmp_path: Path
) -> None:
    kills += kills // 2  # what is written is short, and seldom hit
    folder = write_list(make(), tmp_path / "list")
    book = edited(folder / "list.xlsx", tmp_path / "back.xlsx", by_two_officers)
    log = tmp_path / "decisions.jsonl"
    words = ["feedback", book, "--list", folder]
    begin, whole = duration_of(start(command_line, tmp_path, *words), log.exists)
    log.unlink()
    cut, runs = 0, Killings(0.9 * begin, whole, seed=2)
    while runs.killed < kills:
        done = runs.ended(start(command_line, tmp_path, *words))
        cut += log.exists() and not done
        assert log.exists() or not done
        if log.exists():
            assert len(read_journal(log)) == len(read_decisions(log)) == 8
            if (
                runs.number % 2
            ):  # else the next run meets the decisions of this one, and adds none twice
                log.unlink()
    assert cut > 0
    print(f"feedback: {kills} kills of a run of {whole:.1f} s, {cut} after the log was written")
    for _ in range(2):
        assert ended(start(command_line, tmp_path, *words))
        assert len(read_journal(log)) == len(read_decisions(log)) == 8


def assert_is_whole(tracking: str, small_la: SmallLA) -> int:
    """Check that the champion of a registry scores and its newest version loads; return its number."""
    registry = Run("pex", tracking=tracking).registry
    model, _ = load_model(registry)
    X = np.zeros((1, len(model.features)), np.float32)
    assert np.isfinite(model.calibrated.ensemble.explain(X)[2]).all()
    newest = registry.version_of("challenger")
    assert newest is not None
    loaded, _ = load_model(registry, registry.address(newest))
    assert loaded.card == small_la.training.model.card
    assert registry.version_of("champion") == "1"
    return int(newest)


def test_a_training_that_is_killed_leaves_a_registry_that_is_whole(
    small_la: SmallLA, store: str, kills: int, tmp_path: Path
) -> None:
    words = (small_la, Run("pex", tracking=store), "1")
    _, whole = duration_of(start(registered, tmp_path, *words))
    first = versions = assert_is_whole(store, small_la)
    n_whole, runs = max(1, kills // WHOLE_TRAININGS), Killings(whole / 2, whole, seed=3)
    while runs.killed < kills - n_whole:
        done = runs.ended(start(registered, tmp_path, *words))
        newest = assert_is_whole(store, small_la)
        # killed between version and alias, a whole version is left that no alias names
        assert newest > versions if done else newest >= versions
        versions = newest
    train = ["train", small_la.extracts, "--outcome", "pex", "--tracking", store]
    chance = random.Random(4)
    for _ in range(n_whole):
        ended(start(command_line, tmp_path, *train), chance.uniform(0.0, 8.0))
        versions = assert_is_whole(store, small_la)
    assert ended(start(registered, tmp_path, *words))
    newest = assert_is_whole(store, small_la)
    assert newest > versions
    kept = Run("pex", tracking=store).registry
    for number in range(1, newest + 1):  # none of them is half there
        load_model(kept, kept.address(str(number)))
    writing = f"the others within {whole:.1f} s of writing"
    print(
        f"train: {kills} kills, {n_whole} of whole trainings, {writing}; "
        f"{newest - first} versions came to be, all whole"
    )
