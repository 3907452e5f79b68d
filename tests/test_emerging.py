"""Places for emerging concern: a second part of a list, for children never suspended."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from scipy.special import logit

from riskmodel.assess import Assessment, rank
from riskmodel.cohort import build_spine
from riskmodel.data import Tables
from riskmodel.data.journal import read_journal
from riskmodel.data.read import Extract, read
from riskmodel.errors import ModelError, RequestError
from riskmodel.evaluation.capacity import part_of_places
from riskmodel.jobs import Emerging, Run, Settings, make_list, signed
from riskmodel.jobs.emerging import emerging_part
from riskmodel.model import RiskModel
from riskmodel.report.list_files import read_list
from riskmodel.report.records import write_records
from tests.small_la import SmallLA, promoted, registered

CAPACITY, SHARE, RESERVED = 40, 0.15, 6

DAY = pd.Timestamp("2024-08-01").as_unit("s")


@dataclass(frozen=True)
class Two:
    """A list in two parts, the models that rank them, and the store that holds both."""

    extract: Extract
    run: Run
    folder: Path
    log: Path
    known: RiskModel
    other: RiskModel

    @property
    def parts(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The rankings of both parts."""
        return read_list(self.folder)[1], read_list(self.folder / "emerging")[1]


def turned(model: RiskModel, outcome: str) -> RiskModel:
    """Return a model of another outcome that ranks in another order: its linear part is turned round."""
    ensemble = model.calibrated.ensemble
    linear = replace(ensemble.linear, coefficient=-ensemble.linear.coefficient)
    calibrated = replace(model.calibrated, ensemble=replace(ensemble, linear=linear))
    return replace(model, outcome=outcome, calibrated=calibrated)


@pytest.fixture(scope="module")
def two(small_la: SmallLA, tmp_path_factory: pytest.TempPathFactory) -> Two:
    folder = tmp_path_factory.mktemp("two")
    run = Run("pex", tracking=promoted(small_la, folder, 1), as_of=DAY, capacity=CAPACITY)
    known, extract = small_la.training.model, read(small_la.extracts)
    other = turned(known, "first-suspension")
    beside = replace(small_la, training=replace(small_la.training, model=other))
    second = replace(run, outcome="first-suspension")
    second.registry.set_champion([registered(beside, second, None)])
    log = folder / "lists.jsonl"
    out = make_list(extract, run, out=folder / "list", log=signed(log, "analyst"), emerging=SHARE)
    return Two(extract, run, out, log, known, other)


def by_hand(two: Two) -> tuple[list[str], list[str], int]:
    """Return the pupils of both parts in their order, and among how many the second was chosen."""
    tables = two.extract.tables
    facts = tables["suspensions"]
    known = facts[(facts["recorded_on"] < DAY).to_numpy() & (facts["start_date"] < DAY).to_numpy()]
    suspended = set(known["pupil_id"].astype("str"))
    whole = rank(two.known.assess(tables, as_of=DAY, capacity=CAPACITY))["pupil_id"].tolist()
    first = whole[: CAPACITY - RESERVED]
    others = rank(two.other.assess(tables, as_of=DAY, capacity=1))["pupil_id"].tolist()
    free = [pupil for pupil in others if pupil not in suspended and pupil not in first]
    return first, free[:RESERVED], len(free)


def test_each_part_holds_the_pupils_that_a_slow_count_gives(two: Two) -> None:
    first, second = two.parts
    known, emerging, n_free = by_hand(two)
    assert first.loc[first["selected"], "pupil_id"].tolist() == known
    assert second.loc[second["selected"], "pupil_id"].tolist() == emerging
    assert len(second) == n_free
    whole = rank(two.known.assess(two.extract.tables, as_of=DAY, capacity=CAPACITY))["pupil_id"]
    assert set(emerging) - set(whole.iloc[:CAPACITY]), "the other model must make a difference here"


def test_the_restriction_changes_no_risk_and_reasons_add_up(two: Two) -> None:
    _, second = two.parts
    whole = rank(two.other.assess(two.extract.tables, as_of=DAY, capacity=1)).set_index("pupil_id")
    columns = ["risk", "risk_low", "risk_high", "reason_1", "strength_1"]
    here = second.set_index("pupil_id")[columns]
    there = whole.loc[here.index, columns].fillna("")
    pd.testing.assert_frame_equal(here, there, check_dtype=False, rtol=1e-12)
    reasons = pd.read_parquet(two.folder / "emerging" / "reasons.parquet").set_index("pupil_id")
    np.testing.assert_allclose(reasons.sum(axis=1).loc[here.index], logit(here["risk"]), atol=1e-6)


def test_the_audit_of_each_part_is_of_its_own_pupils(two: Two) -> None:
    for folder, ranking in zip((two.folder, two.folder / "emerging"), two.parts, strict=True):
        facts = json.loads((folder / "assessment.json").read_text("utf-8"))
        assert facts["capacity"] == int(ranking["selected"].sum())
        assert facts["pupils"] == len(ranking)
    tables = two.extract.tables
    listed = two.parts[0].loc[two.parts[0]["selected"], "pupil_id"]
    known = two.known.assess(tables, as_of=DAY, capacity=CAPACITY - RESERVED), None
    made, _ = emerging_part(two.other, tables, known, RESERVED, {})
    selection = made.audit.frame()
    by_sex = selection[selection["characteristic"] == "sex"]
    assert (by_sex["listed"].sum(), by_sex["n"].sum()) == (RESERVED, len(two.parts[1]))
    assert not set(made.scores["pupil_id"].astype("str")) & set(listed)


def test_the_pages_and_the_workbooks_name_both_parts_and_the_pages_link_them(two: Two) -> None:
    n_known, n_free = (len(ranking) for ranking in two.parts)
    known = f"Of {n_known:,} pupils, the 34 with the highest risk of permanent exclusion"
    emerging = (
        f"Of {n_free:,} children never suspended who are not in the known part, the 6 with the highest "
        "risk of a first suspension within 12 months."
    )
    for folder, link in (
        (two.folder, "emerging/index.html"),
        (two.folder / "emerging", "../index.html"),
    ):
        page = (folder / "index.html").read_text("utf-8")
        assert all(
            title in page for title in ("Known concern: 34 places", "Emerging concern: 6 places")
        )
        assert [part in page for part in (known, emerging)] == [True, True]
        assert page.count(f'href="{link}"') == 1
        assert (folder / link).is_file()
        sheet = openpyxl.load_workbook(folder / "list.xlsx")["Read me"]
        words = " ".join(str(cell.value) for cell in sheet["A"])
        assert [part in words for part in (known, emerging)] == [True, True]
        for school in (folder / "schools").iterdir():
            text = school.read_text("utf-8")
            assert (emerging in text, "index.html" in text) == (True, False)
    assert "early: emerging concern</h1>" in (two.folder / "emerging/index.html").read_text("utf-8")


def test_the_log_has_an_entry_for_each_part_that_names_the_other(two: Two) -> None:
    first, second = read_journal(two.log)
    assert (first["part"], second["part"]) == ("known", "emerging")
    assert first["other_part"] == second["list_id"] == read_list(two.folder / "emerging")[0].list_id
    assert second["other_part"] == first["list_id"]
    assert (second["outcome"], second["capacity"]) == ("first-suspension", RESERVED)
    assert first["model_digest"] != second["model_digest"]


def test_the_emerging_part_is_compared_with_such_children_of_the_earlier_day(two: Two) -> None:
    facts = json.loads((two.folder / "emerging" / "assessment.json").read_text("utf-8"))
    first = json.loads((two.folder / "assessment.json").read_text("utf-8"))
    assert facts["provenance"]["compared_with"] == first["provenance"]["compared_with"]
    assert {"rising", "falling"} <= set(two.parts[1]["change"])


@pytest.mark.parametrize("emerging", [None, 0.0])
def test_without_a_share_the_list_is_whole_and_nothing_speaks_of_parts(
    two: Two, tmp_path: Path, emerging: float | None
) -> None:
    log = tmp_path / "log.jsonl"
    out = make_list(two.extract, two.run, out=tmp_path / "list", log=signed(log), emerging=emerging)
    assert not (out / "emerging").exists()
    assert "part" not in json.loads((out / "assessment.json").read_text("utf-8"))
    assert "other_part" not in read_journal(log)[0]
    for path in (out / "index.html", out / "records" / "transparency.html"):
        text = path.read_text("utf-8")
        assert not any(words in text for words in ("concern: ", "two parts"))
    assert int(read_list(out)[1]["selected"].sum()) == CAPACITY


def test_the_share_and_the_ranking_outcome_come_from_the_settings(two: Two, tmp_path: Path) -> None:
    settings = Settings(emerging=Emerging(share=SHARE, ranked_by="pex"))
    out = make_list(two.extract, replace(two.run, settings=settings), out=tmp_path / "list")
    second = read_list(out / "emerging")[1]
    whole = rank(two.known.assess(two.extract.tables, as_of=DAY, capacity=CAPACITY))
    order = whole["pupil_id"][whole["pupil_id"].isin(second["pupil_id"])]
    assert second["pupil_id"].tolist() == order.tolist()
    facts = json.loads((out / "emerging" / "assessment.json").read_text("utf-8"))
    assert facts["backtest"] is None  # those lists held pupils suspended before
    text = (out / "emerging" / "index.html").read_text("utf-8")
    assert "How often such lists are right has not been measured." in text
    assert "held pupils suspended before too" in text


@pytest.mark.parametrize(
    ("changes", "emerging", "error", "words"),
    [
        ({}, 0.3, RequestError, r"must be 0 to 0\.2; got 0\.3"),
        ({}, -0.1, RequestError, r"must be 0 to 0\.2; got -0\.1"),
        ({}, float("nan"), RequestError, r"must be 0 to 0\.2; got nan"),
        ({"capacity": 4}, 0.1, RequestError, r"10\.0% of 4 places rounds to no place"),
        ({"capacity": 1190}, 0.2, RequestError, r"and \d+ of them can be ranked by first-suspension"),
        ({"outcome": "neet"}, 0.1, RequestError, "A list for neet has no places for emerging concern"),
        ({"settings": Settings(emerging=Emerging(ranked_by="exit"))}, 0.1, ModelError,
         "There is no champion for exit, which ranks the places"),
    ],
)  # fmt: skip
def test_a_reserve_that_cannot_be_is_refused_in_a_sentence_and_nothing_is_written(
    two: Two, tmp_path: Path, changes: dict[str, Any], emerging: float, error: type[Exception], words: str
) -> None:  # fmt: skip
    n_cohort = len(build_spine(two.extract.tables, [DAY], "pex"))
    if changes.get("capacity", 0) > 1000:
        changes = {"capacity": n_cohort}
    log = signed(tmp_path / "log.jsonl")
    with pytest.raises(error, match=words) as caught:
        make_list(
            two.extract, replace(two.run, **changes), out=tmp_path / "list", log=log, emerging=emerging
        )  # fmt: skip
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_nobody_in_the_reserve_is_a_sentence(two: Two) -> None:
    tables = two.extract.tables
    pupils = tables["pupils"]["pupil_id"]
    first = tables["suspensions"].iloc[[0]].loc[[tables["suspensions"].index[0]] * len(pupils)]
    everybody = first.assign(pupil_id=pupils.to_numpy(), start_date=DAY - pd.Timedelta(days=90))
    everybody["recorded_on"] = DAY - pd.Timedelta(days=80)
    facts = Tables({**tables, "suspensions": everybody.astype(tables["suspensions"].dtypes)})
    known = two.known.assess(tables, as_of=DAY, capacity=CAPACITY), None
    with pytest.raises(RequestError, match="and 0 of them can be ranked"):
        emerging_part(two.other, facts, known, RESERVED, {})


def test_a_failure_in_the_second_part_leaves_neither(
    two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(assessment: Assessment, folder: Path) -> None:
        if assessment.part is not None and assessment.part.is_emerging:
            raise OSError(28, "No space left on device")
        write_records(assessment, folder)

    monkeypatch.setattr("riskmodel.report.list_files.write_records", failing)
    with pytest.raises(RequestError, match="nothing half-written was left"):
        make_list(
            two.extract,
            two.run,
            out=tmp_path / "list",
            log=signed(tmp_path / "log.jsonl"),
            emerging=SHARE,
        )
    assert not list(tmp_path.iterdir())


def test_p2_what_is_recorded_on_the_day_or_later_changes_neither_part(two: Two) -> None:
    tables = two.extract.tables
    cut = Tables(
        {
            name: frame[(frame["recorded_on"] < DAY)].reset_index(drop=True)
            if "recorded_on" in frame and name != "calendar"
            else frame
            for name, frame in tables.items()
        }
    )
    made = []
    for facts in (tables, cut):
        known = two.known.assess(facts, as_of=DAY, capacity=CAPACITY - RESERVED), None
        made.append(emerging_part(two.other, facts, known, RESERVED, {})[0].scores)
    pd.testing.assert_frame_equal(*[scores.astype({"pupil_id": "str"}) for scores in made])


@pytest.mark.parametrize(
    ("places", "share", "reserved"), [(100, 0.1, 10), (25, 0.1, 3), (24, 0.1, 2), (4, 0.1, 0)]
)
def test_reserved_places_are_the_nearest_whole_number(
    places: int, share: float, reserved: int
) -> None:
    assert part_of_places(places, share) == reserved
