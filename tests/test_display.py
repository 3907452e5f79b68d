"""What a notebook shows of results: short, captioned, escaped, and read out in order."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from riskmodel.assess import Assessment
from riskmodel.cohort import build_spine, describe, snapshots
from riskmodel.data.read import read
from riskmodel.display import MOST_ROWS, html_list, html_table, write_interval
from riskmodel.evaluation import compare
from riskmodel.fairness import audit_list, audit_model
from riskmodel.training.gate_answers import GateAnswer
from tests.small_la import SmallLA

HOSTILE = "<script>alert(1)</script> & Co"


class Outline(HTMLParser):
    """The tags in their order, and the tables' captions and column headers."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.captions: list[str] = []
        self.headers = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        if tag == "th":
            assert dict(attrs)["scope"] in {"col", "row"}
            self.headers += dict(attrs)["scope"] == "col"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "caption":
            self.captions.append(data)


def outline(html: str) -> Outline:
    made = Outline()
    made.feed(html)
    assert made.open == []
    assert len(made.captions) == made.tags.count("table")
    assert all(caption.strip() for caption in made.captions)
    return made


def test_a_table_by_hand() -> None:
    table = pd.DataFrame(
        {
            "group_name": ["a", "b"],
            "n": [1200, 3],
            "share": [0.25, np.nan],
            "day": pd.to_datetime(["2024-06-01", None]),
            "listed": [True, False],
        }
    )
    html = html_table(table, "Pupils", note="A note.")
    for cell in ("1,200", "0.250", "1 June 2024", "yes", "no", "–"):
        assert f"<td>{cell}</td>" in html
    assert '<th scope="col">group name</th>' in html
    assert '<th scope="row">a</th>' in html
    assert "A note." in html
    assert outline(html).captions == ["Pupils"]


@pytest.mark.parametrize(
    ("n", "text"),
    [(MOST_ROWS, ""), (MOST_ROWS + 1, "1 more row is"), (MOST_ROWS + 2, "2 more rows are")],
)
def test_a_long_table_is_cut_and_shows_it(n: int, text: str) -> None:
    html = html_table(pd.DataFrame({"row": range(n)}), "Rows")
    assert html.count("<tr>") == min(n, MOST_ROWS) + 1
    assert text in html
    assert ("not shown" in html) == bool(text)


def test_no_rows_are_a_table_too() -> None:
    assert outline(html_table(pd.DataFrame({"a": []}), "Nothing")).headers == 1


def test_every_text_is_escaped() -> None:
    frame = pd.DataFrame({HOSTILE: [HOSTILE], "b": [HOSTILE]})
    html = html_table(frame, HOSTILE, note=HOSTILE) + html_list([HOSTILE])
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 6  # header, row, cell, caption, note, list


def test_undefined_is_not_zero_in_an_interval() -> None:
    assert write_interval(np.nan, np.nan, np.nan) == "–"
    assert write_interval(0.0, 0.0, 0.5) == "0.000 (0.000 to 0.500)"
    assert write_interval(0.2, np.nan, np.nan) == "0.200 (no interval)"


# ---- the cohort


def test_describe_counts_by_hand() -> None:
    day, later = pd.Timestamp("2025-01-01"), pd.Timestamp("2025-06-01")
    spine = pd.DataFrame(
        {
            "pupil_id": ["a", "b", "c", "a"],
            "as_of": [day, day, day, later],
            "school_id": ["s", "s", "t", "s"],
            "year_group": [9, 10, 10, 9],
        }
    )
    table = describe(spine).frame()
    assert list(table.columns) == ["as_of", "pupils", "schools", "Year 9", "Year 10"]
    assert table.drop(columns="as_of").to_numpy().tolist() == [[3, 2, 1, 2], [1, 1, 1, 0]]
    assert "Pupils in the cohort on 2 days" in describe(spine)._repr_html_()
    assert "on 1 day," in describe(spine[3:])._repr_html_()


def test_no_school_and_no_age_are_not_counted_as_some() -> None:
    spine = pd.DataFrame(
        {
            "pupil_id": ["a"],
            "as_of": [pd.Timestamp("2025-01-01")],
            "school_id": [""],
            "year_group": pd.Series([None], dtype="Int64"),
        }
    )
    table = describe(spine).table
    assert pd.isna(table["schools"].iloc[0])
    assert "age not known" in table
    assert "<td>–</td>" in describe(spine)._repr_html_()


def test_describe_agrees_with_the_spine_of_an_la(small_la: SmallLA) -> None:
    tables = read(small_la.extracts).tables
    days = snapshots(tables, "pex", before=pd.Timestamp("2025-08-01"))
    spine = build_spine(tables, days, "pex")
    table = describe(spine).table
    assert table["as_of"].tolist() == list(days)
    assert table["pupils"].sum() == len(spine)
    years = table.filter(like="Year")
    assert list(years.columns) == [f"Year {number}" for number in range(1, 12)]
    assert (years.sum(axis=1) == table["pupils"]).all()


# ---- results


def lists() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two lists of 1,000 pupils; girls with the outcome rank lower than boys with it."""
    rng = np.random.default_rng(0)
    n = 1000
    sex = np.where(np.arange(n) % 2 == 0, "Girls", "Boys")
    label = (np.arange(n) < 300).astype(float)
    score = label * np.where(sex == "Girls", 0.3, 1.3) + rng.normal(0, 0.8, n)
    frame = pd.DataFrame(
        {
            "pupil_id": np.arange(n),
            "as_of": pd.Timestamp("2024-01-01"),
            "label": label,
            "model": score,
            "mine": rng.random(n),
        }
    )
    other = frame.assign(as_of=pd.Timestamp("2024-06-01"))
    return pd.concat([frame, other], ignore_index=True), pd.DataFrame({"sex": np.tile(sex, 2)})


def test_a_backtest_shows_figures_with_intervals_and_what_to_prefer() -> None:
    predictions, _ = lists()
    made = compare(predictions, rankers=["model", "mine"], capacity=200, simpler=["mine"])
    html = made._repr_html_()
    assert outline(html).captions == [made.text().split("\n")[0]]
    for value in made.table["average_precision"].tolist():
        assert f"{value:.3f} (" in html
    assert made.recommendation() in html.replace("&#39;", "'")


def test_a_ranker_of_ones_own_can_be_the_simpler_one() -> None:
    predictions, _ = lists()
    perfect = predictions.assign(mine=predictions["label"])
    named = compare(perfect, rankers=["model", "mine"], capacity=200, simpler=["mine"])
    assert "those of mine 67% (61% to 74%). Prefer it." in named.recommendation()
    assert json.loads(json.dumps(named.to_dict(), allow_nan=False)) == named.to_dict()
    assert named.to_dict()["simpler"] == ["mine"]
    unnamed = compare(perfect, rankers=["model", "mine"], capacity=200)
    assert unnamed.recommendation().startswith("No simpler ranker was measured")


def test_one_list_is_not_called_lists() -> None:
    predictions, _ = lists()
    made = compare(predictions[:1000], rankers=["model"], capacity=200)
    assert made.text().startswith("1 list, 1,000 rows")


def test_the_audit_of_a_model_counts_verdicts_and_shows_disparities() -> None:
    predictions, groups = lists()
    made = audit_model(predictions, groups, capacity=200)
    html = made._repr_html_()
    assert len(outline(html).captions) == 2
    assert "too few to tell" in html
    apart = made.measures[made.measures["verdict"] == "disparity"]
    assert len(apart)
    for value in apart["value"].tolist():
        assert f"{value:.3f}" in html
    equal = audit_model(predictions.assign(model=predictions["label"]), groups, capacity=400)
    assert len(outline(equal._repr_html_()).captions) == 1


def test_the_audit_of_a_list_shows_no_small_count() -> None:
    group = np.where(np.arange(100) < 20, HOSTILE, "other")
    made = audit_list(pd.DataFrame({"g": group}), np.arange(100) < 3, np.full(100, 0.1))
    html = made._repr_html_()
    assert "<script>" not in html
    assert "disparity" in html
    assert "<td>3</td>" not in html  # three of the group are listed


def test_an_assessment_is_short_and_states_whom_why_and_how_sure(
    small_assessment: Assessment,
) -> None:
    html = small_assessment._repr_html_()
    made = outline(html)
    assert len(html) < 20_000
    top = small_assessment.scores.nlargest(1, "risk").iloc[0]
    assert f"{top['risk']:.3f} ({top['risk_low']:.3f} to {top['risk_high']:.3f})" in html
    assert f"{len(small_assessment.scores):,} pupils, capacity 150" in made.captions[0]
    assert "This list." in html
    assert "Earlier lists." in html


def test_a_training_shows_that_pupils_are_simulated_and_every_gate(small_la: SmallLA) -> None:
    html = small_la.training._repr_html_()
    outline(html)
    assert "SIMULATED DATA." in html
    for answer in small_la.training.gates:
        assert answer.title in html
    answer = GateAnswer(code="smallest_lift", result="failed", reason="1.2 is below 2")
    failed = replace(small_la.training, gates=(answer,))
    assert "Gate smallest lift: failed: 1.2 is below 2" in failed._repr_html_()
    assert "Gates passed: none." in failed._repr_html_()
