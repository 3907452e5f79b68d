"""A full disk, folders that may not be written, another user, two at once, clocks, zones and languages."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskmodel.data.identity import load_key
from riskmodel.data.journal import append, read_journal
from riskmodel.data.write import new_folder
from riskmodel.jobs import Run
from riskmodel.jobs.champion import load_model
from riskmodel.report import write_list
from riskmodel.report.list_files import read_list
from riskmodel.simulate import write_simulated_returns
from riskmodel.training.store import Store
from tests.commands import Answer, answers, run, start, warm_up
from tests.small_la import SmallLA, promoted, registered
from tests.small_list import make
from tests.workbooks import by_two_officers, edited

NOBODY = 65_534
"""User and group that own nothing."""


@pytest.fixture(scope="module", autouse=True)
def _forked_from_one_that_has_imported_everything() -> None:
    warm_up()


@pytest.fixture(scope="module")
def without_rights() -> list[str]:
    """Return what a command begins with so that it runs as a user who may write nowhere.

    Root may do anything. So the command runs as nobody; where nobody cannot reach this interpreter, with
    the right to read added; where a container gives no such right, as root without any right of root's.
    """
    if os.getuid() != 0:
        return []
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    ways = (
        [*nobody, "--inh-caps=-all"],
        [*nobody, "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"],
        ["setpriv", "--inh-caps=-all", "--bounding-set=-all"],
    )
    works = [sys.executable, "-c", "import riskmodel.jobs"]
    return next(
        way for way in ways if not subprocess.run([*way, *works], capture_output=True).returncode
    )


def refused(answer: Answer) -> str:
    """Return the sentence of a command that could not do what was asked."""
    assert answer.returncode == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    assert "did not foresee" not in answer.stderr
    assert "Exception ignored" not in answer.stderr
    return answer.stderr.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def open_place() -> Iterator[Path]:
    """Return a folder that every user can come to; pytest's are for their owner alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def model(small_la: SmallLA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a saved model: with it a list needs no store."""
    return small_la.training.model.save(tmp_path_factory.mktemp("model") / "model")


def listing(tiny: Path, model: Path, out: str | Path = "list") -> list[str | Path]:
    """Return the words that make a list."""
    return [
        "list",
        tiny,
        "--outcome",
        "pex",
        "--capacity",
        "9",
        "--out",
        out,
        "--model",
        model,
        "--by",
        "me",
    ]


# --- a full disk


@pytest.mark.parametrize("largest_file", [4_000, 40_000, 150_000])
def test_a_list_for_which_there_is_no_room_is_refused_and_leaves_nothing(
    largest_file: int, tiny: Path, model: Path, tmp_path: Path
) -> None:
    append(tmp_path / "lists.jsonl", lambda _: [{"kind": "list"}])
    before = (tmp_path / "lists.jsonl").read_bytes()
    sentence = refused(*answers(tmp_path, listing(tiny, model), largest_file=largest_file))
    assert "cannot be written" in sentence
    assert "File too large" in sentence
    assert (tmp_path / "lists.jsonl").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} <= {"lists.jsonl", ".lists.jsonl.lock"}


def test_a_store_for_which_there_is_no_room_is_reported_and_keeps_its_champion(
    small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = promoted(small_la, tmp_path, 1)
    size = (tmp_path / "mlflow.db").stat().st_size
    printed = tmp_path / "printed"
    process = start(
        registered,
        tmp_path,
        small_la,
        Run("pex", tracking=tracking),
        "1",
        output=str(printed),
        largest_file=size,
    )
    process.join()
    assert process.exitcode == 1
    assert "ModelError: The MLflow store" in Path(f"{printed}.err").read_text("utf-8")
    assert Run("pex", tracking=tracking).registry.version_of("champion") == "1"
    assert (
        load_model(Run("pex", tracking=tracking).registry)[0].card == small_la.training.model.card
    )


def test_decisions_for_which_there_is_no_room_are_all_still_in_the_workbook(tmp_path: Path) -> None:
    folder = write_list(make(), tmp_path / "list")
    book = edited(folder / "list.xlsx", tmp_path / "back.xlsx", by_two_officers)
    sentence = refused(*answers(tmp_path, ["feedback", book], largest_file=1_000))
    assert "decisions.jsonl cannot be written (File too large)" in sentence
    assert not (tmp_path / "decisions.jsonl").exists()
    (again_with_room,) = answers(tmp_path, ["feedback", book])
    assert again_with_room.stdout.startswith("8 decisions added")


def test_an_answer_that_cannot_be_printed_is_reported(tiny: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "riskmodel", "check", tiny],
            cwd=tmp_path,
            text=True,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert "No space left on device" in refused(answer)


# --- folders that may not be written, and a user who may do nothing


def test_the_whole_job_runs_for_a_user_without_rights_and_without_a_home(
    open_place: Path, without_rights: list[str]
) -> None:
    folder = open_place / "theirs"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    answer = run(
        folder,
        "demo",
        "--pupils",
        "1200",
        "--seed",
        "6",
        prefix=without_rights,
        HOME="/nonexistent",
        PYTHONDONTWRITEBYTECODE="1",
        MPLCONFIGDIR=None,
    )
    assert answer.returncode == 0, answer.stderr
    assert (folder / "demo" / "list" / "index.html").is_file()
    noise = [line for line in answer.stderr.splitlines() if "arning" in line or "rror" in line]
    assert not noise


def test_extracts_that_may_only_be_read_are_enough(
    tiny: Path, model: Path, open_place: Path, without_rights: list[str]
) -> None:
    extracts, copy = open_place / "extracts", open_place / "model"
    shutil.copytree(tiny, extracts)
    shutil.copytree(model, copy)
    mine = open_place / "mine"
    mine.mkdir()
    mine.chmod(0o777)
    for path in (extracts, *extracts.rglob("*"), copy, *copy.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat().st_mtime_ns for path in extracts.rglob("*")}
    answer = run(mine, *listing(extracts, copy), prefix=without_rights)
    assert answer.returncode == 0, answer.stderr
    assert {path: path.stat().st_mtime_ns for path in extracts.rglob("*")} == before
    for out in (extracts / "list", "/nowhere/list"):
        assert "cannot be written (Permission denied" in refused(
            run(mine, *listing(extracts, copy, out), prefix=without_rights)
        )
    locked = run(
        mine,
        *listing(extracts, copy, "two"),
        "--log",
        extracts / "lists.jsonl",
        prefix=without_rights,
    )
    assert "lists.jsonl cannot be written (Permission denied)" in refused(locked)
    assert {path.name for path in mine.iterdir()} <= {"list", "lists.jsonl", ".lists.jsonl.lock"}


def test_returns_with_upns_and_no_home_for_the_key_are_refused_in_words(
    open_place: Path, without_rights: list[str]
) -> None:
    write_simulated_returns(open_place / "returns", pupils=300, years=1, seed=3)
    for home in ("/nonexistent", "/dev/null"):
        answer = run(open_place, "check", open_place / "returns", prefix=without_rights, HOME=home)
        assert "key of the pseudonyms" in refused(answer)
        assert "Set HOME" in answer.stderr


# --- two at once


def test_of_two_lists_in_one_folder_one_is_written_and_the_other_refused(
    tiny: Path, model: Path, tmp_path: Path
) -> None:
    made = answers(tmp_path, listing(tiny, model), listing(tiny, model))
    done, other = sorted(made, key=lambda answer: answer.returncode)
    assert done.returncode == 0, done.stderr
    assert "Another command is writing" in refused(other) or "is not empty" in refused(other)
    (entry,) = read_journal(tmp_path / "lists.jsonl")
    assert entry["list_digest"] == read_list(tmp_path / "list")[0].digest
    assert not (tmp_path / ".list.unfinished").exists()


def test_two_lists_in_two_folders_are_both_in_one_log(
    tiny: Path, model: Path, tmp_path: Path
) -> None:
    made = answers(tmp_path, listing(tiny, model, "a"), listing(tiny, model, "b"))
    assert [answer.returncode for answer in made] == [0, 0], [answer.stderr for answer in made]
    entries = read_journal(tmp_path / "lists.jsonl")
    assert len(entries) == 2
    assert entries[0]["list_digest"] == entries[1]["list_digest"]


def test_of_two_feedbacks_at_once_no_decision_is_lost_or_there_twice(tmp_path: Path) -> None:
    folder = write_list(make(), tmp_path / "list")
    book = edited(folder / "list.xlsx", tmp_path / "back.xlsx", by_two_officers)
    made = answers(tmp_path, ["feedback", book], ["feedback", book])
    assert sorted(answer.stdout[:11] for answer in made) == ["0 decisions", "8 decisions"]
    assert len(read_journal(tmp_path / "decisions.jsonl")) == 8


def test_two_trainings_that_end_at_once_are_two_versions(small_la: SmallLA, tmp_path: Path) -> None:
    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    run = Run("pex", tracking=tracking)
    made = [start(registered, tmp_path, small_la, run, None) for _ in range(2)]
    for process in made:
        process.join()
    assert [process.exitcode for process in made] == [0, 0]
    kept = Run("pex", tracking=tracking).registry
    assert kept.version_of("challenger") in {"1", "2"}
    for number in ("1", "2"):
        found = load_model(kept, kept.address(number))
        assert found[0].card == small_la.training.model.card


def test_a_store_that_another_training_is_making_is_waited_for(
    small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with ThreadPoolExecutor(1) as pool:
        with Store(tracking).one_at_a_time():
            with closing(sqlite3.connect(tmp_path / "mlflow.db")) as half:
                half.execute("create table alembic_version (version_num text)")
            waiting = pool.submit(Run("pex", tracking=tracking).registry.open)
            assert not wait([waiting], timeout=1).done
            shutil.copy(small_la.folder / "mlflow.db", tmp_path)
        assert waiting.result()


def test_two_that_ask_for_a_key_at_once_get_the_same(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from riskmodel.data.identity import load_key\n"
        "sys.stdout.write(load_key(Path(sys.argv[1])).hex())"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "of" / "both")]
    made = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    keys = [process.communicate()[0] for process in made]
    assert keys[0] == keys[1] == load_key(tmp_path / "of" / "both").hex()


# --- clocks, zones and languages


def digest_of(folder: Path) -> str:
    """Return a digest of a list's files, but of the workbook, which holds the time it was made."""
    made = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".xlsx":
            made.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return made.hexdigest()


PLACES: list[dict[str, Any]] = [
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
    {"TZ": "America/Los_Angeles", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"TZ": "Europe/London", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"},
    # a zone of our own that turns its clock forward at midnight of every day of 2025 there is a list for
    {"TZ": "XXX-13YYY,J1/0,J364/23", "LC_ALL": "de_DE.UTF-8"},
]


def test_p8_the_list_is_the_same_in_every_zone_language_and_order_of_hashing(
    tiny: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "Stände & Tische").mkdir()
    (here,) = answers(tmp_path, [*listing(tiny, model, "here"), "--log", tmp_path / "lists.jsonl"])
    assert here.returncode == 0, here.stderr
    digests = {digest_of(tmp_path / "here")}
    for number, place in enumerate(PLACES):
        out = tmp_path / "Stände & Tische" / f"é{number}"
        answer = run(
            tmp_path, *listing(tiny, model, out), "--log", tmp_path / "lists.jsonl", **place
        )
        assert answer.returncode == 0, answer.stderr
        digests.add(digest_of(out))
    assert len(digests) == 1
    for entry in read_journal(tmp_path / "lists.jsonl"):
        at = datetime.fromisoformat(entry["at"])
        assert at.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - at) < timedelta(hours=1)


@pytest.mark.parametrize("shift", [timedelta(days=400), timedelta(days=-400)])
def test_a_clock_that_was_wrong_before_does_not_break_a_log(
    shift: timedelta, tiny: Path, model: Path, tmp_path: Path
) -> None:
    at = (datetime.now(UTC) + shift).isoformat(timespec="seconds")
    append(tmp_path / "lists.jsonl", lambda _: [{"kind": "list", "at": at}])
    (answer,) = answers(tmp_path, listing(tiny, model))
    assert answer.returncode == 0, answer.stderr
    numbers = [entry["number"] for entry in read_journal(tmp_path / "lists.jsonl")]
    assert numbers == [1, 2]  # entries follow each other, whatever the clock shows


def test_a_folder_is_for_whom_the_account_makes_folders(tmp_path: Path) -> None:
    rights = {}
    before = os.umask(0o077)
    try:
        for mask in (0o077, 0o027, 0o022):
            os.umask(mask)
            with new_folder(tmp_path / f"{mask:o}") as folder:
                (folder / "list.csv").write_text("x", encoding="utf-8")
            rights[mask] = (tmp_path / f"{mask:o}").stat().st_mode & 0o777
    finally:
        os.umask(before)
    assert rights == {0o077: 0o700, 0o027: 0o750, 0o022: 0o755}
