"""Records: every field of the standard is there, filled in or marked for the council, and nothing leaks."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from riskmodel.jobs import Training
from riskmodel.report import write_list
from riskmodel.report.records import RECORDS, model_card, transparency_fields
from riskmodel.report.sentences import MISUSE
from tests.outline import Outline
from tests.small_la import SmallLA
from tests.small_list import make

VERSION_2_1 = """
    0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9
    1.1 1.2 1.3 1.4
    2.1.1 2.1.2 2.1.3 2.1.4 2.1.4.1 2.1.4.2 2.1.4.3 2.1.4.4 2.1.4.5
    2.2.1 2.2.2 2.2.3 2.2.4 2.2.5
    2.3.1 2.3.2 2.3.3 2.3.4 2.3.5
    2.4.1 2.4.2 2.4.3 2.4.4 2.4.5 2.4.6 2.4.7 2.4.8 2.4.9 2.4.10 2.4.11 2.4.12 2.4.13 2.4.14
    2.5.1 2.5.2
    3.1
"""
"""Every field of the published table of version 2.1."""

PRINTED_IN_4_0 = """
    1.2 2.1.4 2.1.4.1 2.1.4.2 2.1.4.3 2.1.4.4 2.1.4.5 2.2.1 2.3.1
    2.4.1.2 2.4.1.3 2.4.2.1 2.4.2.6 2.4.2.8
"""
"""Fields whose numbers the guidance of version 4.0 prints."""

COUNCIL_ALONE = ("1.4", "2.1.1", "2.1.2", "2.1.3", "2.1.4", "2.3.4", "2.3.5", "2.5.1")
TOOL_ALONE = ("0.6", "0.9", "1.1", "2.4.1.5", "2.4.2.1", "2.4.2.2", "2.4.2.6", "2.4.3.3", "2.4.4.1")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the records of a list."""
    folder = write_list(make(), tmp_path_factory.mktemp("lists") / "list") / "records"
    assert sorted(path.stem for path in folder.iterdir()) == sorted(RECORDS)
    return {path.stem: path.read_text("utf-8") for path in folder.iterdir()}


def answers(page: str) -> dict[str, str]:
    """Return field → what stands beside it."""
    found = re.findall(
        r'<section id="f([\d.]+)">\s*<h3>.*?</h3>(.*?)</section>', page, flags=re.DOTALL
    )
    assert len(dict(found)) == len(found)
    return dict(found)


def test_no_field_of_either_version_of_the_standard_is_missing(records: dict[str, str]) -> None:
    fields = transparency_fields()
    assert list(answers(records["transparency"])) == list(fields)
    older = {number for one in fields.values() for number in one["in_2_1"].split()}
    assert older == set(VERSION_2_1.split())
    assert set(PRINTED_IN_4_0.split()) <= set(fields)


def test_a_field_is_filled_in_or_marked_for_the_council_with_a_hint(
    records: dict[str, str],
) -> None:
    fields = transparency_fields()
    for number, answer in answers(records["transparency"]).items():
        assert ("For the council" in answer) == bool(fields[number]["hint"]), number
        assert fields[number]["hint"] in unescape(answer)
        assert len(re.sub(r"<[^>]+>|\s", "", answer)) > 2, number
    for number in COUNCIL_ALONE:
        assert "For the council to fill in" in answers(records["transparency"])[number]
    for number in TOOL_ALONE:
        assert "For the council" not in answers(records["transparency"])[number]


def test_the_record_states_what_the_tool_knows(records: dict[str, str]) -> None:
    replies = answers(records["transparency"])
    assert "models:/riskmodel-pex/4" in replies["2.4.2.1"]
    assert "about 12 had it (95% interval 8 to 17)" in replies["2.4.2.7"]
    assert "too few to tell" in replies["2.4.2.7"]
    assert "4 features" in replies["2.4.2.4"]
    assert "20 places among 60 pupils, 2 September 2024" in replies["2.3.3"]


def test_the_sheets_hold_the_audit_and_ask_for_what_the_law_asks(
    records: dict[str, str],
) -> None:
    equality = records["equality_impact"]
    for name in (
        "Age",
        "Disability",
        "Gender reassignment",
        "Race",
        "Religion or belief",
        "Sex",
        "Sexual orientation",
        "Pregnancy and maternity",
        "Marriage and civil partnership",
    ):
        assert re.search(rf'<th scope="row">{name}</th>', equality)
    assert re.search(r">Sex</th><td>as recorded by schools</td><td>yes<", equality)
    assert re.search(r">Race</th><td>as ethnicity</td><td>no<", equality)
    assert re.search(r">c</td>", equality)
    for words in ("lawful basis", "special category", "object", "data protection officer"):
        assert words in records["data_protection"]
    assert all(line in unescape(records["data_protection"]) for line in MISUSE)


@pytest.mark.parametrize("name", RECORDS)
def test_records_are_whole_pages_without_pupils_or_network(
    records: dict[str, str], name: str, tmp_path: Path
) -> None:
    page = records[name]
    (tmp_path / "page.html").write_text(page, "utf-8")
    assert Outline(tmp_path / "page.html").open == []
    assert not re.search(r"https?://|src=|href=|@import|url\(|<script", page)
    assert "HYPERLINK" not in page
    assert "b&gt;" not in page
    assert "{{" not in page
    assert "Undefined" not in page


def test_small_numbers_of_pupils_are_not_in_the_records(tmp_path: Path) -> None:
    few = {"training_pupils_with_outcome": 3, "training_pupils": 800, "evaluated": "out of time"}
    folder = write_list(make(provenance=few), tmp_path / "list")
    text = (folder / "records" / "data_protection.html").read_text("utf-8")
    card = (folder / "records" / "model_card.html").read_text("utf-8")
    assert "fewer than 5" in card
    assert re.search(r">Pupils with the outcome</th><td>3<", card + text) is None


def test_the_card_of_a_registered_model_states_how_it_did_and_which_gates_it_passed(
    small_la: SmallLA,
) -> None:
    training: Training = small_la.training
    card = model_card(
        "pex",
        trained=training.model.card.trained.to_dict(),
        backtest=training.backtest.to_dict(),
        audit=training.model.card.audit,
        notes=training.notes,
        answers=training.gates,
    )
    assert "Simulated data: no real child" in card
    assert all(f">{answer.code}</th>" in card for answer in training.gates)
    assert "suspensions last year" in card
    assert training.notes[0] in unescape(card)
