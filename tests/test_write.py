"""Folders and files appear whole or not at all, and tables become rows ready for JSON."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from filelock import FileLock

from riskmodel.data.write import new_folder, records, refuse_full, replace_file
from riskmodel.errors import RequestError


def fill(path: Path) -> None:
    path.mkdir()
    (path / "old").touch()


def fill_hidden(path: Path) -> None:
    path.mkdir()
    (path / ".old").touch()


STATES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "nothing": (lambda path: None, True),
    "an empty folder": (lambda path: path.mkdir(), True),
    "a folder that holds something": (fill, False),
    "a file": (lambda path: path.touch(), False),
    "a hidden file in a folder": (fill_hidden, False),
}


@pytest.mark.parametrize("state", STATES)
def test_only_a_new_or_an_empty_folder_is_written(tmp_path: Path, state: str) -> None:
    make, may = STATES[state]
    out = tmp_path / "out"
    make(out)
    before = sorted(tmp_path.rglob("*"))
    if may:
        refuse_full(out)
        with new_folder(out) as unfinished:
            (unfinished / "list.csv").write_text("rank")
        assert [path.name for path in out.iterdir()] == ["list.csv"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
        return
    for refuse in (lambda: refuse_full(out), lambda: new_folder(out).__enter__()):
        with pytest.raises(RequestError, match="is not empty. Name a new folder with --out."):
            refuse()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("deep", ["out", "a/out", "a/b/c/out"])
def test_folders_above_are_made(tmp_path: Path, deep: str) -> None:
    with new_folder(tmp_path / deep) as unfinished:
        (unfinished / "x").touch()
    assert (tmp_path / deep / "x").exists()


@pytest.mark.parametrize("error", [KeyError("x"), RequestError("no"), KeyboardInterrupt("stop")])
def test_work_that_fails_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    def work() -> None:
        with new_folder(tmp_path / "out") as unfinished:
            (unfinished / "half").write_text("written")
            raise error

    with pytest.raises(type(error), match=re.escape(str(error))):
        work()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_command_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / ".out.unfinished" / "new"
    left.mkdir(parents=True)
    (left / "half").touch()
    with new_folder(tmp_path / "out") as unfinished:
        assert list(unfinished.iterdir()) == []
    assert list((tmp_path / "out").iterdir()) == []
    assert not left.parent.exists()


def test_a_folder_that_another_command_is_writing_is_left_to_it(tmp_path: Path) -> None:
    place = tmp_path / ".out.unfinished"
    place.mkdir()
    with (
        FileLock(place / "lock"),
        pytest.raises(RequestError, match="Another command is writing .*out. Name another folder"),
        new_folder(tmp_path / "out"),
    ):
        pass
    assert place.exists()


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(RequestError, match="cannot be written .*Choose another folder"),
        new_folder(tmp_path / "file" / "out"),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"one\n", bytes(range(256))])
@pytest.mark.parametrize("mode", [None, 0o644, 0o600, 0o640])
def test_a_file_is_replaced_whole_and_keeps_its_rights(
    tmp_path: Path, content: bytes, mode: int | None
) -> None:
    path = tmp_path / "log"
    if mode is not None:
        path.write_bytes(b"old")
        path.chmod(mode)
    replace_file(path, content)
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == (mode or 0o600)
    assert [one.name for one in tmp_path.iterdir()] == ["log"]


def test_a_file_that_cannot_be_replaced_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.mkdir()  # a folder is no file to put another in the place of
    with pytest.raises(OSError, match="directory"):
        replace_file(path, b"new")
    assert path.is_dir()
    assert [one.name for one in tmp_path.iterdir()] == ["log"]


def test_what_a_killed_command_left_of_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"untouched")
    os.symlink(tmp_path / "other", tmp_path / ".log.unfinished")
    replace_file(tmp_path / "log", b"new")
    assert (tmp_path / "log").read_bytes() == b"new"
    assert not (tmp_path / "log").is_symlink()
    assert (tmp_path / "other").read_bytes() == b"untouched"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [1, 2]),
        ([1.5, float("nan")], [1.5, None]),
        (["a", None], ["a", None]),
        ([True, False], [True, False]),
        (pd.to_datetime(["2024-02-29", None]), ["2024-02-29", None]),
        (pd.array([1, None], dtype="Int64"), [1, None]),
        (pd.Categorical(["K", None]), ["K", None]),
        ([], []),
    ],
)
def test_cells_are_ready_for_json_and_missing_ones_null(values: Any, expected: list[Any]) -> None:
    made = records(pd.DataFrame({"x": values}))
    assert made == [{"x": value} for value in expected]
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize("names", [["a", "b"], [1, 2], [("a", "b"), "c"]])
def test_names_of_columns_become_text(names: list[Any]) -> None:
    frame = pd.DataFrame([[1, 2]])
    frame.columns = pd.Index(names, tupleize_cols=False)
    assert list(records(frame)[0]) == [str(name) for name in names]
