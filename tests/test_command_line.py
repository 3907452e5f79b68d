"""The command line within this process: options, refusals before any work, errors as one sentence."""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riskmodel import cli
from riskmodel.data.outcomes import OUTCOMES
from riskmodel.errors import DataError, ModelError, RequestError

COMMANDS = [
    "demo",
    "simulate",
    "check",
    "map",
    "train",
    "reserve",
    "promote",
    "rollback",
    "list",
    "verify",
    "feedback",
    "monitor",
    "dashboard",
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Run in an empty folder, and leave the level of the log as it was."""
    monkeypatch.chdir(tmp_path)
    level = logging.getLogger("riskmodel").level
    yield tmp_path
    logging.getLogger("riskmodel").setLevel(level)


def run(*words: str) -> Any:
    return CliRunner().invoke(cli.app, list(words), env={"COLUMNS": "200"})


def test_every_command_is_listed_with_what_it_is_for() -> None:
    shown = " ".join(run("--help").output.split())
    assert "it decides nothing about a child" in shown
    names = [
        one.name or one.callback.__name__ for one in cli.app.registered_commands if one.callback
    ]
    assert names == COMMANDS
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_its_options(command: str) -> None:
    answer = run(command, "--help")
    assert answer.exit_code == 0
    assert f"{command} [OPTIONS]" in answer.output
    described = [line for line in answer.output.splitlines() if line.strip().startswith("--")]
    assert all(len(line.split(maxsplit=1)) == 2 for line in described)


@pytest.mark.parametrize("command", ["train", "promote", "rollback", "list", "monitor"])
@pytest.mark.parametrize("outcome", ["", "PEX", "grades"])
def test_only_outcomes_that_there_are_can_be_asked_for(command: str, outcome: str) -> None:
    data = [] if command in ("promote", "rollback") else ["data"]
    more = ["--capacity", "5", "--out", "out"] if command == "list" else []
    answer = run(command, *data, "--outcome", outcome, *more)
    assert answer.exit_code == 2
    assert "--outcome" in answer.output
    assert all(name in answer.output for name in OUTCOMES)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["train", "data"], "Missing option '--outcome'"),
        (["train", "--outcome", "pex"], "Missing argument 'DATA'"),
        (["train", "data", "--outcome", "pex", "--trials", "-1"], "--trials"),
        (["train", "data", "--outcome", "pex", "--capacity", "0"], "--capacity"),
        (["train", "data", "--outcome", "pex", "--seed", "-1"], "--seed"),
        (["train", "data", "--outcome", "pex", "--as-of", "01/09/2024"], "--as-of"),
        (["train", "data", "--outcome", "pex", "--as-of", "2024-02-30"], "--as-of"),
        (["list", "data", "--outcome", "pex", "--out", "out"], "Missing option '--capacity'"),
        (["list", "data", "--outcome", "pex", "--capacity", "5"], "Missing option '--out'"),
        (["list", "data", "--outcome", "pex", "--capacity", "many", "--out", "o"], "--capacity"),
        (["monitor", "data", "--outcome", "pex", "--as-of", "today"], "--as-of"),
        (["dashboard", "data"], "Missing option '--out'"),
        (["simulate"], "Missing argument 'OUT'"),
        (["simulate", "out", "--preset", "wales"], "--preset"),
        (["simulate", "out", "--layout", "xml"], "--layout"),
        (["feedback"], "Missing argument 'WORKBOOK...'"),
        (["verify"], "Missing argument 'LOG'"),
        (["check"], "Missing argument 'DATA'"),
        (["promot"], "No such command 'promot'"),
        (["check", "data", "--fast"], "No such option"),
    ],
)
def test_a_wrong_command_line_is_refused_with_the_option(
    words: list[str], text: str, here: Path
) -> None:
    answer = run(*words)
    assert answer.exit_code == 2
    assert text in answer.output
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "kind", "text"),
    [
        (["promote", "--outcome", "pex", "--tracking", "ftp://x"], ModelError, "is no address"),
        (["rollback", "--outcome", "pex", "--tracking", "ftp://x"], ModelError, "is no address"),
        (["rollback", "--outcome", "pex"], ModelError, "There is no MLflow store at sqlite"),
        (
            ["promote", "--outcome", "pex", "--settings", "no.toml"],
            RequestError,
            "no.toml cannot be",
        ),
        (["verify", "no.jsonl"], RequestError, "no.jsonl"),
        (["feedback", "no.xlsx"], RequestError, "There is no file no.xlsx"),
        (["check", "nowhere"], RequestError, "nowhere"),
        (["dashboard", "nowhere", "--out", "out"], RequestError, "nowhere"),
        (
            ["train", "nowhere", "--outcome", "pex", "--tracking", "sqlite://"],
            ModelError,
            "is in memory",
        ),
        (
            ["list", "nowhere", "--outcome", "pex", "--capacity", "0", "--out", "out"],
            RequestError,
            "at least 1; got 0",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    words: list[str], kind: type[Exception], text: str, here: Path
) -> None:
    answer = run(*words)
    assert answer.exit_code == 1
    assert isinstance(answer.exception, (kind, DataError)), answer.exception
    assert text in str(answer.exception)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (RequestError("Choose another."), "Choose another."),
        (ModelError("http://la:secret@server is down."), "http://***@server is down."),
        (KeyboardInterrupt(), "Stopped; nothing half-written was left behind."),
        (
            OSError(28, "No space left on device", "out/list.csv"),
            "out/list.csv: cannot be read or written (No space left on device). Make room",
        ),
        (OSError("odd"), "cannot be read or written (odd). Make room, or check the rights"),
        (PermissionError(13, "Permission denied", "x"), "x: cannot be read or written (Permission"),
    ],
)
def test_every_error_is_one_sentence_and_an_exit_code(
    error: BaseException,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(sentence)
    assert shown.err.count("\n") == 1


def test_no_warning_of_a_library_reaches_the_user(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def warn() -> None:
        warnings.warn("identical low and high ylims", UserWarning, stacklevel=2)
        raise SystemExit(0)

    monkeypatch.setattr(cli, "app", warn)
    monkeypatch.setattr(sys, "warnoptions", [])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), KeyError("pwd=secret"), RuntimeError("")]
)
def test_the_details_of_an_unforeseen_error_are_in_a_file(
    error: Exception,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(here))
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    (log,) = here.iterdir()
    text = capsys.readouterr().err
    assert text == (
        f"Something went wrong that this program did not foresee ({type(error).__name__}). "
        f"The details are in {log}; please report them.\n"
    )
    assert "Traceback" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code"), [(["--help"], 0), (["verify", "--help"], 0), (["nothing"], 2), ([], 2)]
)
def test_the_program_ends_with_the_code_of_its_command(
    words: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["riskmodel", *words])
    with pytest.raises(SystemExit, match=str(code)):
        cli.main()


def test_an_empty_log_has_no_last_hash(here: Path) -> None:
    (here / "log.jsonl").write_text("", encoding="utf-8")
    answer = run("verify", "log.jsonl")
    assert answer.exit_code == 0
    assert "all 0 entries holds.\nLast hash: none, the log is empty" in answer.output
