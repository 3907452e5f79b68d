"""Every command once as a user runs it, in a process of its own; and how each answers nonsense."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
import typer.main

from riskmodel.cli import app
from riskmodel.jobs.feedback import read_decisions
from tests.commands import answers, run
from tests.small_la import SmallLA, promoted
from tests.workbooks import edited, fill

Answer = subprocess.CompletedProcess[str]

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]

PEX = ("--outcome", "pex")

OFFICER = fill(
    2,
    seen_by="A. Officer",
    decision="Offer support",
    support_offered="Mentor",
    date=date(2025, 9, 12),
)
"""What an officer enters beside the first pupil of the list."""

WORKFLOW: dict[str, tuple[Sequence[str], str]] = {
    "simulate": (
        ("extracts", "--pupils", "400", "--years", "4", "--seed", "3"),
        "Simulated extracts",
    ),
    "check": (("extracts", "--out", "report"), "SIMULATED DATA, preset england"),
    "map": (("term dates.csv",), "[sources.term_dates]"),
    "rollback": (PEX, "Version 1 is the champion for pex again."),
    "promote": ((*PEX, "--version", "2"), "Version 2 is now the champion for pex."),
    "list": (("extracts", *PEX, "--capacity", "20", "--out", "list"), "Open list/index.html"),
    "verify": (("lists.jsonl",), "the chain of all 1 entries holds"),
    "feedback": (("returned.xlsx", "--list", "list"), "1 decision added to decisions.jsonl"),
    "monitor": (
        ("extracts", *PEX, "--list", "list", "--decisions", "decisions.jsonl", "--out", "watch"),
        "SIMULATED DATA. Model 2 for pex",
    ),
    "dashboard": (("extracts", "--out", "dashboard"), "Open dashboard/index.html"),
}
"""Command → its words, in the order in which an LA comes to need it; and what it answers."""

FORKED = {"check", "rollback", "list", "verify", "monitor", "dashboard"}
"""Commands that are forked here: the half-termly run of test_deploy starts them afresh.

A rollback imports what a promotion does. The others start afresh here, and import what they need themselves.
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that an LA works in."""
    return tmp_path_factory.mktemp("workflow")


@pytest.fixture(scope="module")
def workflow(small_la: SmallLA, place: Path) -> dict[str, Answer]:
    """Return what each command answered, beside a store with two versions that were promoted."""
    promoted(small_la, place, 2)
    made = {}
    (place / "term dates.csv").write_text("Day of school,Term,Half-term\n02/09/2024,autumn,1\n")
    for name, (words, _) in WORKFLOW.items():
        if name == "feedback":
            edited(place / "list" / "list.xlsx", place / "returned.xlsx", OFFICER)
        made[name] = (
            answers(place, [name, *words])[0] if name in FORKED else run(place, name, *words)
        )
    return made


@pytest.mark.parametrize("name", WORKFLOW)
def test_every_command_does_its_work(workflow: dict[str, Answer], name: str) -> None:
    answer = workflow[name]
    assert answer.returncode == 0, answer.stderr
    assert WORKFLOW[name][1] in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr
    assert "arning" not in answer.stderr


def test_the_workflow_leaves_pages_and_nothing_unfinished(
    workflow: dict[str, Answer], place: Path
) -> None:
    pages = {path.parent.name for path in place.glob("*/index.html")}
    assert pages >= {"report", "list", "watch", "dashboard"}
    assert len(read_decisions(place / "decisions.jsonl")) == 1
    assert not list(place.rglob("*unfinished*"))


NONSENSE = [
    (("demo", "--pupils", "many"), 2, "Invalid value for '--pupils'"),
    (("demo", "--pupils", "5"), 1, "At least 100 pupils are needed"),
    (("simulate",), 2, "Missing argument 'OUT'"),
    (("simulate", "x", "--preset", "mars"), 2, "'mars' is not one of 'england', 'bcp'"),
    (("simulate", "x", "--years", "0"), 1, "years"),
    (("map",), 2, "Missing argument 'FILE'"),
    (("map", "nowhere.csv"), 1, "nowhere.csv"),
    (("check",), 2, "Missing argument 'DATA'"),
    (("check", "nowhere"), 1, "nowhere"),
    (("check", "postgresql://la:secret@localhost:1/x"), 1, "***@localhost"),
    (("train", "nowhere", *PEX), 1, "nowhere"),
    (("train", "nowhere", "--outcome", "grades"), 2, "'grades' is not one of"),
    (("train", "nowhere", *PEX, "--as-of", "yesterday"), 2, "'yesterday' does not match"),
    (("train", "nowhere", *PEX, "--capacity", "0"), 2, "Invalid value for '--capacity'"),
    (("train", "nowhere", *PEX, "--trials", "-1"), 2, "Invalid value for '--trials'"),
    (("reserve", "nowhere", *PEX), 1, "nowhere"),
    (("reserve", "nowhere", "--outcome", "neet"), 1, "A list for neet has no places for emerging"),
    (("promote",), 2, "Missing option '--outcome'"),
    (("promote", *PEX, "--version", "../1"), 1, "../1"),
    (("promote", *PEX, "--tracking", "nonsense"), 1, "nonsense"),
    (("rollback", *PEX, "now"), 2, "Got unexpected extra argument"),
    (("rollback", *PEX), 1, "There is no MLflow store"),
    (("list", "nowhere", *PEX, "--out", "x"), 2, "Missing option '--capacity'"),
    (
        ("list", "nowhere", *PEX, "--out", "x", "--capacity", "2.5"),
        2,
        "Invalid value for '--capacity'",
    ),
    (("list", "nowhere", *PEX, "--out", "x", "--capacity", "0"), 1, "0"),
    (
        ("list", "nowhere", *PEX, "--out", "x", "--capacity", "20", "--emerging", "0.5"),
        1,
        "must be 0 to 0.2; got 0.5",
    ),
    (("verify", "nowhere.jsonl"), 1, "nowhere.jsonl"),
    (("verify", "."), 1, "."),
    (("feedback",), 2, "Missing argument 'WORKBOOK...'"),
    (("feedback", "nowhere.xlsx"), 1, "nowhere.xlsx"),
    (("monitor", "nowhere", *PEX, "--list"), 2, "'--list' requires an argument"),
    (("monitor", "nowhere", *PEX, "--decisions", "nowhere.jsonl"), 1, "nowhere.jsonl"),
    (("dashboard", "nowhere"), 2, "Missing option '--out'"),
    (("dashboard", "nowhere", "--out", "x"), 1, "nowhere"),
    (
        ("dashboard", "nowhere", "--out", "x", "--as-of", "2025-02-30"),
        2,
        "'2025-02-30' does not match",
    ),
    (("frobnicate",), 2, "No such command 'frobnicate'"),
    (("--nonsense",), 2, "No such option: --nonsense"),
]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    """Return what was answered to each line of nonsense; nothing was written."""
    folder = tmp_path_factory.mktemp("nonsense")
    made = answers(folder, *(words for words, _, _ in NONSENSE))
    assert list(folder.iterdir()) == []
    return made


@pytest.mark.parametrize("number", range(len(NONSENSE)), ids=lambda n: " ".join(NONSENSE[n][0]))
def test_nonsense_is_refused_in_a_sentence(refusals: list[Answer], number: int) -> None:
    _, code, sentence = NONSENSE[number]
    answer = refusals[number]
    assert answer.returncode == code, answer.stderr
    assert sentence in answer.stderr
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr
    assert "did not foresee" not in answer.stderr
    assert "secret" not in answer.stderr


def test_each_command_is_in_both_tables() -> None:
    # test_hardship runs the whole demo, the half-termly run of test_deploy trains, test_reserve has the job
    assert {"demo", "train", "reserve", *WORKFLOW} == set(COMMANDS)
    assert {words[0] for words, _, _ in NONSENSE} > set(COMMANDS)


def test_every_command_explains_itself(tmp_path: Path) -> None:
    made = answers(tmp_path, *((name, "--help") for name in COMMANDS))
    for name, answer in zip(COMMANDS, made, strict=True):
        assert answer.returncode == 0, name
        assert f"Usage: riskmodel {name}" in answer.stdout
        assert answer.stderr == ""
