"""What a user sees: exit codes, one plain sentence, no traceback, files whole or absent."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from riskmodel import cli
from riskmodel.errors import ModelError
from tests.small_la import SmallLA

Command = Callable[..., subprocess.CompletedProcess[str]]


def refused(answer: subprocess.CompletedProcess[str]) -> str:
    """Assert that a command ended as it should on bad input, and return its last sentence."""
    assert answer.returncode == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    assert "did not foresee" not in answer.stderr
    return answer.stderr.strip().splitlines()[-1]


@pytest.fixture
def broken(tiny: Path, tmp_path: Path) -> Path:
    """Return a copy of the extracts without the register marks, to be spoilt."""
    copy = tmp_path / "broken"
    shutil.copytree(tiny, copy, ignore=shutil.ignore_patterns("sessions*", "truth"))
    return copy


def test_check_of_simulated_extracts_finds_nothing_to_put_right(
    tiny: Path, command: Command, tmp_path: Path
) -> None:
    answer = command("check", tiny, "--out", tmp_path / "report")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (tmp_path / "report" / "problems.csv").is_file()


def test_list_writes_every_file_and_promote_reports_what_it_did(
    small_la: SmallLA, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "list"
    uri = f"models:/riskmodel-pex/{small_la.training.version}"
    answer = command(
        "list",
        small_la.extracts,
        "--outcome",
        "pex",
        "--capacity",
        "25",
        "--out",
        out,
        "--model",
        uri,
        "--tracking",
        small_la.tracking,
    )
    assert answer.returncode == 0, answer.stderr
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "list.csv",
        "list.xlsx",
        "index.html",
        "schools",
        "reasons.parquet",
        "audit.json",
        "assessment.json",
    }
    ranking = pd.read_csv(out / "list.csv")
    assert list(ranking["rank"]) == list(range(1, len(ranking) + 1))
    assert ranking["risk"].is_monotonic_decreasing
    assert int(ranking["selected"].sum()) == 25
    assert '"weeks":' in (out / "index.html").read_text(
        encoding="utf-8"
    )  # the charts had their facts


@pytest.mark.parametrize("capacity", ["0", "-3", "999999"])
def test_list_refuses_a_capacity_that_does_not_fit(
    small_la: SmallLA, command: Command, tmp_path: Path, capacity: str
) -> None:
    answer = command(
        "list",
        small_la.extracts,
        "--outcome",
        "pex",
        "--capacity",
        capacity,
        "--out",
        tmp_path / "list",
        "--model",
        f"models:/riskmodel-pex/{small_la.training.version}",
        "--tracking",
        small_la.tracking,
    )
    assert capacity in refused(answer)
    assert not (tmp_path / "list").exists()


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), (b"elevenchars\nmore", "11 characters")]
)
def test_list_refuses_a_password_that_will_not_do(
    small_la: SmallLA, command: Command, tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "password.txt").write_bytes(content)
    answer = command(
        "list",
        small_la.extracts,
        "--outcome",
        "pex",
        "--capacity",
        "25",
        "--out",
        tmp_path / "list",
        "--model",
        f"models:/riskmodel-pex/{small_la.training.version}",
        "--tracking",
        small_la.tracking,
        "--password-file",
        "password.txt",
    )
    assert words in refused(answer)
    assert not (tmp_path / "list").exists()


@pytest.mark.parametrize("as_of", ["1999-01-01", "2021-09-02"])
def test_train_refuses_a_day_without_enough_history(
    extracts: Path, command: Command, tmp_path: Path, as_of: str
) -> None:
    answer = command("train", extracts, "--outcome", "pex", "--as-of", as_of)
    assert "day" in refused(answer)
    assert not (tmp_path / "mlflow.db").exists()


def test_train_refuses_a_day_beyond_the_data(
    extracts: Path, command: Command, tmp_path: Path
) -> None:
    answer = command("train", extracts, "--outcome", "pex", "--as-of", "2026-08-01")
    text = refused(answer)
    assert "2026-08-01" in text
    assert "up to 2025-09-14" in text
    assert not (tmp_path / "mlflow.db").exists()


def test_settings_that_are_not_there_are_reported_before_anything_is_read(
    extracts: Path, command: Command, tmp_path: Path
) -> None:
    answer = command("train", extracts, "--outcome", "pex", "--settings", tmp_path / "nope.toml")
    assert "nope.toml cannot be read: No such file" in refused(answer)
    assert "Reading" not in answer.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("promote",), ("rollback",), ("monitor", "."), ("list", ".")])
def test_a_mistyped_store_is_not_made(
    words: tuple[str, ...], command: Command, tmp_path: Path
) -> None:
    more = ("--capacity", "9", "--out", "list") if words[0] == "list" else ()
    answer = command(*words, "--outcome", "pex", "--tracking", "sqlite:///mflow.db", *more)
    assert refused(answer).startswith("There is no MLflow store at sqlite:///mflow.db.")
    assert not list(tmp_path.iterdir())


def test_what_was_not_foreseen_is_kept_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("http://la:secret@server:5000/api is odd")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert "did not foresee (RuntimeError)" in capsys.readouterr().err
    (log,) = tmp_path.glob("riskmodel-*.log")
    assert "http://***@server:5000/api is odd" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://la:secret@server:5000/x", "http://***@server:5000/x"),
        ("http://secret@server", "http://***@server"),
        ("postgresql+psycopg://la:se/cr@et@server/x", "postgresql+psycopg://***@server/x"),
        (
            "postgresql://server/x?user=la&password=secret&a=b",
            "postgresql://server/x?user=la&password=***&a=b",
        ),
        ("sqlite:////home/la@work/mlflow.db", "sqlite:////home/la@work/mlflow.db"),
        ("models:/riskmodel-pex@champion", "models:/riskmodel-pex@champion"),
    ],
)
def test_no_message_shows_who_signs_on(address: str, shown: str) -> None:
    assert str(ModelError(f"'{address}' is down; so is ({address}).")) == (
        f"'{shown}' is down; so is ({shown})."
    )


def test_list_without_a_champion_explains_what_to_do(
    extracts: Path, command: Command, tmp_path: Path
) -> None:
    answer = command(
        "list", extracts, "--outcome", "pex", "--capacity", "9", "--out", tmp_path / "l"
    )
    assert "promote" in refused(answer)
    assert not (tmp_path / "l").exists()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("suspensions.csv", b""),
        ("suspensions.parquet", b"PAR1 cut off"),
        ("sessions.parquet", b"no"),
    ],
)
@pytest.mark.parametrize("job", ["check", "train", "list"])
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_made_of_the_others(
    broken: Path, command: Command, tmp_path: Path, file: str, content: bytes, job: str
) -> None:
    for path in broken.glob(f"{Path(file).stem}.*"):
        path.unlink()
    (broken / file).write_bytes(content)
    asked = {"check": [], "train": ["--outcome", "neet"]}
    more = ["--outcome", "pex", "--capacity", "9", "--out", tmp_path / "list"]
    answer = command(job, broken, *asked.get(job, more))
    if job == "check":  # goes on, and ends with 1
        assert answer.returncode == 1, answer.stderr
        assert f"{file}: NOT READ" in answer.stdout
    elif job == "train":
        assert refused(answer).startswith(f"{file}: ")
    else:  # there is no champion to ask
        assert refused(answer)
    assert not (tmp_path / "list").exists()


def test_check_refuses_extracts_without_pupils(broken: Path, command: Command) -> None:
    (broken / "pupils.parquet").unlink()
    assert "pupils" in refused(command("check", broken))


def test_check_names_an_unknown_column_and_guesses_the_right_one(
    broken: Path, command: Command
) -> None:
    frame = pd.read_parquet(broken / "suspensions.parquet").rename(columns={"reason_2": "reson_2"})
    frame.to_parquet(broken / "suspensions.parquet")
    answer = command("check", broken)
    assert answer.returncode == 1
    (sentence,) = [line for line in answer.stdout.splitlines() if "'reson_2'" in line]
    assert "'reason_2'" in sentence


def test_check_sets_bad_rows_aside_and_names_file_row_and_value(
    broken: Path, command: Command
) -> None:
    frame = pd.read_parquet(broken / "suspensions.parquet").astype({"category": "str"})
    frame["start_date"] = frame["start_date"].astype("str")
    frame.loc[0, "category"] = "EXCL"
    frame.loc[1, "start_date"] = "2201-05-01"
    frame = pd.concat([frame, frame.iloc[[5]]])
    (broken / "suspensions.parquet").unlink()
    frame.to_csv(broken / "suspensions.csv", index=False)
    answer = command("check", broken)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    text = answer.stdout + answer.stderr
    assert "EXCL" in text
    assert "2201-05-01" in text
    assert "suspensions.csv" in text


def test_an_empty_folder_and_a_missing_folder_are_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty" in refused(command("check", tmp_path / "empty"))
    assert "nowhere" in refused(command("check", tmp_path / "nowhere"))


def test_a_wrong_command_line_exits_with_2(command: Command) -> None:
    assert command("list", "somewhere").returncode == 2
    assert command("train", "somewhere", "--outcome", "grades").returncode == 2


def test_simulate_refuses_nonsense(command: Command, tmp_path: Path) -> None:
    assert "100" in refused(command("simulate", tmp_path / "x", "--pupils", "5"))
    assert not (tmp_path / "x").exists()
