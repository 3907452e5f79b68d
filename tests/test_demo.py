"""The demo that fails: nothing is left, and the advice is one that its user can follow."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from riskmodel.errors import HistoryError, RequestError
from riskmodel.jobs import run_demo

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_a_demo_of_too_few_pupils_names_its_own_option(command: Command, tmp_path: Path) -> None:
    answer = command("demo", "--pupils", "300", "--out", tmp_path / "demo")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "Ask for more pupils with --pupils" in answer.stderr.splitlines()[-1]
    assert "later day" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize(
    ("pupils", "error", "words"),
    [(300, HistoryError, "Too few of the 300 simulated pupils"), (5, RequestError, "At least 100")],
)
def test_a_folder_is_as_it_was_when_a_demo_fails(
    tmp_path: Path, is_there: bool, pupils: int, error: type[Exception], words: str
) -> None:
    out = tmp_path / "demo"
    if is_there:
        out.mkdir(mode=0o750)
    with pytest.raises(error, match=words):
        run_demo(out, pupils=pupils, seed=0)
    assert out.exists() == is_there
    assert not is_there or (list(out.iterdir()) == [] and out.stat().st_mode & 0o777 == 0o750)


def test_a_demo_touches_nothing_in_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(RequestError, match="is not empty"):
        run_demo(tmp_path, pupils=300, seed=0)
    assert (tmp_path / "mine.txt").read_text() == "kept"
