"""Facts of records, audits in words, and backtests in words: what is known, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.errors import RequestError
from riskmodel.evaluation import Backtest, compare
from riskmodel.fairness import Audit, audit_list, cross
from riskmodel.fairness.groups import checked_groups
from riskmodel.report.list_page.audit_view import audit_table, audit_words
from riskmodel.report.record_facts import audit_facts, list_facts, model_facts
from riskmodel.report.tables import TextTable
from tests.small_list import make

DAYS = pd.to_datetime(["2023-06-01", "2024-06-01"])


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "0 lists of 0 pupils"),
        ({"origins": 1, "capacity": 1}, "1 list of 1 pupil"),
        ({"origins": 1, "capacity": 30}, "1 list of 30 pupils"),
        ({"origins": 5, "capacity": 150}, "5 lists of 150 pupils"),
    ],
)
def test_what_was_tested_is_counted(counts: dict[str, int], words: str) -> None:
    assert model_facts("pex", {}, {"counts": counts}).tested == words


@pytest.mark.parametrize(
    ("trained", "name", "value"),
    [
        ({"trained_as_of": "2024-08-01"}, "Trained on what was known before", "2024-08-01"),
        ({"training_rows": 500}, "Rows (a pupil on a day)", 500),
        ({"training_pupils_with_outcome": 4}, "Pupils with the outcome", "fewer than 5"),
        ({"training_pupils_with_outcome": 0}, "Pupils with the outcome", "fewer than 5"),
        ({"training_pupils_with_outcome": 5}, "Pupils with the outcome", 5),
        ({"seed": 0}, "Seed", 0),
        ({"simulated": True}, "Simulated", "yes"),
        ({"simulated": False}, "Simulated", "no"),
        ({}, "Simulated", "no"),
        ({}, "Seed", None),
        ({}, "Pupils with the outcome", None),
    ],
)
def test_what_was_recorded_of_a_training_is_shown(
    trained: dict[str, Any], name: str, value: object
) -> None:
    assert dict(model_facts("pex", trained, {}).training).get(name) == value


@pytest.mark.parametrize(
    ("trained", "field", "words"),
    [
        ({}, "tables", "not recorded"),
        ({}, "versions", "versions that were not recorded"),
        ({}, "evaluated", "not tested"),
        ({}, "extracts", [("Files", "not recorded")]),
        ({"versions": {"numpy": "2.0", "python": "3.11"}}, "versions", "numpy 2.0, python 3.11"),
        (
            {"extracts": [{"file": "a.csv", "table": "send", "rows_read": 1200}]},
            "extracts",
            [("a.csv", "1,200 rows, table send")],
        ),
        (
            {"extracts": [{"file": n, "table": t, "rows_read": 1} for n, t in ("ab", "ca", "da")]},
            "tables",
            "a, b",
        ),
    ],
)
def test_a_fact_that_was_not_recorded_is_called_so(
    trained: dict[str, Any], field: str, words: object
) -> None:
    assert getattr(model_facts("pex", trained, {}), field) == words


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        (
            {
                "recall_at_capacity": 0.5,
                "recall_at_capacity_low": 0.25,
                "recall_at_capacity_high": 0.75,
            },
            "0.500 (0.250 to 0.750)",
        ),
        ({"recall_at_capacity": 0.5}, "0.500 (no interval)"),
        ({"recall_at_capacity": None, "recall_at_capacity_low": 0.1}, "–"),
        ({}, "–"),
    ],
)
def test_rankers_have_figures_with_intervals_or_none(row: dict[str, Any], cell: str) -> None:
    table = model_facts("pex", {}, {"table": [{"ranker": "model"} | row]}).rankers
    assert table.rows[0][0] == "model"
    assert table.rows[0][table.columns.index("Recall at capacity")] == cell


@pytest.mark.parametrize(
    ("field", "name", "unknown"),
    [
        ("model_uri", "model_uri", "not registered"),
        ("model_digest", "model_digest", "not recorded"),
        ("data_digest", "data_digest", "not recorded"),
        ("set_aside", "rows_set_aside", "an unknown number of"),
    ],
)
def test_what_a_list_was_made_of(field: str, name: str, unknown: str) -> None:
    assert getattr(list_facts(make(provenance={})), field) == unknown
    assert getattr(list_facts(make(provenance={name: "known"})), field) == "known"


@pytest.mark.parametrize(
    ("characteristic", "is_audited"),
    [("Sex", "yes"), ("Race", "no"), ("Age", "no"), ("Marriage and civil partnership", "no")],
)
def test_protected_characteristics_are_reported_with_whether_they_are_audited(
    characteristic: str, is_audited: str
) -> None:
    table = list_facts(make()).characteristics
    assert len(table.rows) == 9
    assert {row[0]: row[2] for row in table.rows}[characteristic] == is_audited


def test_themes_and_the_strongest_features_of_a_list() -> None:
    facts = list_facts(make())
    assert sum(int(row[1]) for row in facts.themes.rows) == 4
    assert {row[3] for row in facts.themes.rows} == {"0%"}
    sizes = [float(row[1]) for row in facts.strongest.rows]
    assert sizes == sorted(sizes, reverse=True)


def published(**changed: Any) -> pd.DataFrame:
    row = {
        "characteristic": "fsm",
        "group": "Eligible",
        "measure": "recall",
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "others": 0.25,
        "difference": 0.25,
        "verdict": "disparity",
    }
    return pd.DataFrame([row | changed])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, "fsm, Eligible: recall is 0.50, for all others 0.25 (disparity)."),
        (
            {"measure": "miss_rate", "value": 0.0},
            "fsm, Eligible: miss rate is 0.00, for all others 0.25 (disparity).",
        ),
        ({"value": "c"}, "fsm, Eligible: recall differs from that of all others (disparity)."),
        ({"others": "low"}, "fsm, Eligible: recall differs from that of all others (disparity)."),
    ],
)
def test_a_disparity_of_earlier_lists_in_a_sentence(changed: dict[str, Any], sentence: str) -> None:
    audit = replace(make().audit, model={"measures": published(**changed)})
    assert audit.sentences() == [
        "Of 1 comparison of a group with all others 1 shows a disparity, 0 no evidence of one, and 0 are "
        "too few to tell.",
        sentence,
    ]


@pytest.mark.parametrize("verdict", ["no evidence", "too few to tell"])
def test_what_is_no_disparity_is_only_counted(verdict: str) -> None:
    audit = replace(make().audit, model={"measures": published(verdict=verdict)})
    assert len(audit.sentences()) == 1


@pytest.mark.parametrize(
    ("characteristic", "name"),
    [
        ("sex", "Sex"),
        ("fsm", "Free school meals"),
        ("sen", "SEN"),
        ("idaci_fifth", "Deprivation (IDACI)"),
        ("first_language", "First language"),
    ],
)
def test_characteristics_are_named_in_full(characteristic: str, name: str) -> None:
    table = audit_table(published(characteristic=characteristic), ["characteristic", "group"])
    assert table.rows == ((name, "Eligible"),)


@pytest.mark.parametrize(
    ("columns", "heads"),
    [
        (["characteristic", "group", "value"], ("Characteristic", "Group", "Figure")),
        (["characteristic", "group", "others"], ("Characteristic", "Group", "All others")),
        (["characteristic", "group", "absent"], ("Characteristic", "Group")),
    ],
)
def test_only_columns_that_are_there_are_shown(columns: list[str], heads: tuple[str, ...]) -> None:
    table: TextTable = audit_table(published(), columns)
    assert table.columns == heads
    assert table.heads == 2


@pytest.mark.parametrize("measure", ["recall", "precision"])
def test_records_show_the_recall_alone(measure: str) -> None:
    facts = audit_facts({"measures": published(measure=measure), "groups": published()}, ["Words."])
    (table,) = facts.tables.values()
    assert len(table.rows) == (measure == "recall")
    assert facts.words == ("Words.",)


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (40, "Sex, Girls: 80.0 in 100 are listed, of all others 20.0 in 100."),
        (10, "Sex, Girls: 20.0 in 100 are listed, of all others 80.0 in 100."),
        (2, "often than all others, by figures that are suppressed: Sex, Boys; Sex, Girls."),
    ],
)
def test_a_disparity_of_this_list_in_a_sentence(listed: int, words: str) -> None:
    groups = pd.DataFrame({"sex": ["Girls"] * 50 + ["Boys"] * 50})
    selected = np.r_[np.arange(50) < listed, np.arange(50) < 50 - listed]
    this_list = audit_list(groups, selected, np.full(100, 0.2))
    wording = audit_words(Audit(this_list=this_list, model={}, note="A note."))
    assert any(line.endswith(words) for line in wording["On this list"])
    assert wording["On earlier lists"][-1] == "A note."


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("sex", "sex", "got 'sex' twice. Choose from sex, sen"),
        ("sex", "age", "got no 'age'"),
        ("age", "age", "got no 'age'"),
    ],
)
def test_only_two_different_characteristics_can_be_crossed(a: str, b: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        cross(pd.DataFrame({"sex": ["Girls"], "sen": ["No SEN"]}), a, b)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (pd.DataFrame({"sex": []}), "There is nobody, .* have 0 rows and 1 columns"),
        (pd.DataFrame(index=range(3)), "have 3 rows and 0 columns"),
        (pd.DataFrame({"sex": ["Girls"] * 2}), "risk has 3 values for 2 rows of groups"),
        (pd.DataFrame({"postcode": range(301)}), "'postcode' has 301 different groups"),
    ],
)
def test_groups_that_cannot_be_audited_are_refused(groups: pd.DataFrame, words: str) -> None:
    risk = np.zeros(301 if "postcode" in groups else 3)
    with pytest.raises(RequestError, match=words):
        checked_groups(groups, risk=risk)


def backtest(**shift: float) -> Backtest:
    """A model, and rivals that are better or worse by a shift of those with the outcome."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"pupil_id": np.tile(np.arange(300), 2), "as_of": DAYS.repeat(300)})
    frame["label"] = (frame["pupil_id"] < 60).astype(float)
    noise = rng.normal(size=600)
    frame["model"] = noise + frame["label"]
    for name, more in shift.items():
        frame[name.replace("_", " ")] = noise + (1 + more) * frame["label"]
    return compare(frame, rankers=["model", *[n.replace("_", " ") for n in shift]], capacity=60)


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        ({}, "No simpler ranker was measured on these lists."),
        ({"RONI_points": -1.0}, "The model finds more than the best simpler ranker, beyond noise"),
        ({"RONI_points": 0.0}, "A simpler ranker finds about as many, within noise"),
        ({"RONI_points": 2.0}, "A simpler ranker finds more, beyond noise"),
        (
            {"a_rival": 3.0},
            "No simpler ranker was measured",
        ),  # better, but not among the simpler ones
    ],
)
def test_a_simpler_ranker_is_recommended_where_it_is_better(
    shift: dict[str, float], words: str
) -> None:
    assert backtest(**shift).recommendation().startswith(words)


def test_the_best_of_the_better_rankers_is_recommended() -> None:
    wording = backtest(RONI_points=1.0, school_only=3.0).recommendation()
    assert "those of school only 98% (81% to 100%). Prefer it." in wording


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"origins": 1}, "1 list, "),
        ({"origins": 2}, "2 lists, "),
        ({"rows": 12000, "pupils": 6000}, "12,000 rows, 6,000 pupils, "),
        ({"prevalence": 0.0123}, "(prevalence 1.23%)"),
        ({"capacity": 7}, "capacity 7 a list"),
    ],
)
def test_a_backtest_in_a_terminal_states_what_was_measured(
    counts: dict[str, Any], words: str
) -> None:
    made = backtest(RONI_points=-1.0)
    text = replace(made, counts=made.counts | counts).text()
    assert words in text.splitlines()[0]
    assert len(text.splitlines()) == 5
