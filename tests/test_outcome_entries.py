from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import riskmodel
from riskmodel.cohort import (
    build_spine,
    default_as_of,
    refuse_old_extract,
    resolve_as_of,
    snapshots,
)
from riskmodel.cohort_rules import COHORT_RULES
from riskmodel.data import TABLES, Tables
from riskmodel.data.outcomes import OUTCOMES, Outcome, outcome_of
from riskmodel.errors import RequestError
from riskmodel.evaluation.follow_up import counted_once
from riskmodel.jobs import read_settings
from riskmodel.labels import LABELLERS, RELATED, Labels, horizon_end, label, related
from tests.rolls import day, make_tables, roll

ROOT = Path(riskmodel.__file__).parent.parent
FOLDERS = ("riskmodel", "features", "training", "evaluation", "fairness")

HOMES = {
    "riskmodel/data/outcomes.py": set(OUTCOMES),
    "riskmodel/labels.py": set(OUTCOMES),
    "riskmodel/data/check.py": {"pex"},
    "riskmodel/inclusion/leavers.py": {"neet"},
    "riskmodel/labelling/positions.py": {"neet"},
    "features/post16.py": {"neet"},
    "riskmodel/simulate/behaviour.py": {"pex"},
    "riskmodel/simulate/figures/exclusions.py": {"pex"},
    "riskmodel/simulate/life.py": {"pex"},
    "riskmodel/simulate/population.py": {"pex"},
    "riskmodel/simulate/records/incidents.py": {"pex"},
    "riskmodel/simulate/records/rolls.py": {"exit"},
    "riskmodel/simulate/truth.py": set(OUTCOMES) - {"neet-post16"},
}
"""Where a name may decide something. ``leavers.py``, ``positions.py`` and ``post16.py`` mean the group of
NCCIS activities; ``check.py`` a published rate, ``"pex"`` beside ``"suspensions"``; the simulator the kind
of an incident, in ``rolls.py`` a column, in ``truth.py`` the outcome whose true risk it writes."""

ASKING = {
    "dict",
    "startswith",
    "endswith",
    "removeprefix",
    "get",
    "pop",
    "setdefault",
    "eq",
    "ne",
    "isin",
}
"""Functions and methods that compare their arguments, look them up, or make keys of them."""

COLLECTING = {"frozenset", "set", "tuple", "list", "dict"}


def names_that_decide(source: str) -> Iterator[tuple[int, object]]:
    """Find literals that are compared, looked up, matched, keys, defaults or bound to a name; with lines.

    A literal in an argument of a call is handed on, unless the call compares it or looks it up.
    """
    for node in ast.walk(ast.parse(source)):
        for part in deciding_parts(node):
            yield from literals_in(part)
        if isinstance(node, ast.Call) and name_of(node.func) == "dict":
            yield from ((node.lineno, keyword.arg) for keyword in node.keywords)


def deciding_parts(node: ast.AST) -> list[ast.expr | None]:
    """Return the parts of a node in which a literal decides something."""
    match node:
        case ast.Compare():
            return [node.left, *node.comparators]
        case ast.Dict():
            return list(node.keys)
        case ast.Subscript():
            return [node.slice]
        case ast.MatchValue() | ast.Assign() | ast.AnnAssign() | ast.NamedExpr():
            return [node.value]
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            return [node.iter]
        case ast.arguments():
            return [*node.defaults, *node.kw_defaults]
        case ast.Call() if name_of(node.func) in ASKING:
            return list(node.args)
    return []


def literals_in(part: ast.expr | None) -> Iterator[tuple[int, object]]:
    """Yield a literal, or those of a collection however it is written or nested."""
    if isinstance(part, ast.Constant):
        yield part.lineno, part.value
    elif isinstance(part, ast.Tuple | ast.List | ast.Set):
        for one in part.elts:
            yield from literals_in(one)
    elif isinstance(part, ast.Starred):
        yield from literals_in(part.value)
    elif isinstance(part, ast.Call) and name_of(part.func) in COLLECTING:
        for one in part.args:
            yield from literals_in(one)


def name_of(function: ast.expr) -> str | None:
    """Return the name of a function or method that is called."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def test_only_the_entry_and_the_labels_decide_by_the_name_of_an_outcome() -> None:
    guilty = []
    for path in (path for top in FOLDERS for path in (ROOT / top).rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        forbidden = set(OUTCOMES) - HOMES.get(where, set())
        guilty += [
            f"{where}:{line}: {name}"
            for line, name in names_that_decide(path.read_text(encoding="utf-8"))
            if name in forbidden
        ]
    assert guilty == []


@pytest.mark.parametrize(
    "source",
    ['a == "pex"', '"pex" != a', 'a in ("neet", "pex")', '{"pex": 1}', 'SHARE["pex"]',
     'match a:\n    case "pex":\n        pass', 'a.startswith("pex")', 'a.startswith(("x", "pex"))',
     'a.endswith("pex")', 'a in frozenset({"pex"})', 'a in set(["pex"])', 'a in [*("pex",)]',
     'dict(pex=1)', 'dict([("pex", 1)])["x"]', 'SHARE.get("pex")', 'SHARE.pop("pex", None)',
     'column.isin(["pex"])', 'column.eq("pex")', 'NAME = "pex"', 'NAME: str = "pex"',
     'NAMES = frozenset({"neet", "pex"})', 'PAIRS = (("pex", 1),)', 'f(name := "pex")',
     'for name in ("pex",):\n    pass', '[name for name in ("pex",)]', 'def f(name="pex"): ...',
     'def f(*, name="pex"): ...'],
)  # fmt: skip
def test_every_way_to_decide_by_a_name_is_seen(source: str) -> None:
    assert "pex" in [name for _, name in names_that_decide(source)]


@pytest.mark.parametrize("source", ['train(data, "pex")', 'Run("pex")', 'Outcome(name="pex")'])
def test_a_name_that_is_handed_on_decides_nothing(source: str) -> None:
    assert list(names_that_decide(source)) == []


def test_each_outcome_has_one_entry_and_one_labelling_function() -> None:
    assert list(LABELLERS) == list(OUTCOMES) == [one.name for one in OUTCOMES.values()]


@pytest.mark.parametrize("one", OUTCOMES.values(), ids=lambda one: one.name)
def test_an_entry_fits_the_tables_and_the_labels(one: Outcome) -> None:
    assert {one.cohort_table, *one.facts, *one.label_tables, *one.label_tables_if_there} <= set(
        TABLES
    )
    assert one.related is None or RELATED[one.related][0] in TABLES
    assert one.cohort_rule is None or one.cohort_rule in COHORT_RULES
    assert one.year_groups[0] <= one.year_groups[1]
    assert 0 < one.capacity_share < 1
    assert re.match(r"A (pupil|young person) counts as [\w ]+ if ", one.policy)
    sentences = one.policy.split(". ")
    assert max(len(sentence.split()) for sentence in sentences) <= 25
    assert ";" not in one.policy


def test_an_unknown_outcome_is_refused_in_one_place_and_the_known_ones_named() -> None:
    with pytest.raises(
        RequestError,
        match=r"Outcome must be one of pex, neet, neet-post16, exit, not-known, .*; got 'exams'\.",
    ):
        outcome_of("exams")


@pytest.mark.parametrize(
    ("n_pupils", "places"), [(0, 1), (3, 1), (12, 2), (1_000, 150)]
)  # 0.15 × 12 is 1.8
def test_the_usual_capacity_is_a_share_of_the_cohort_and_at_least_one(
    n_pupils: int, places: int
) -> None:
    assert TOY.usual_capacity(n_pupils) == places


# A new outcome is one entry and one labelling function, and nothing else

TOY = Outcome(
    name="moved",
    words="changing school within 3 months",
    happened="at another school within 3 months",
    policy="A pupil counts as moved if a new roll begins on the day of the list or in the 3 months after.",
    year_groups=(7, 8),
    label_tables=("enrolments",),
    snapshot_days=((2, 1), (5, 1)),
    history_days=30,
    days_beyond_data=20,
    horizon_months=3,
    capacity_share=0.15,
)


def label_moved(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    """Label pupils with a roll that begins within the horizon."""
    rolls = known["enrolments"]
    rows = spine.assign(row=np.arange(len(spine)), end=end).merge(rolls, on="pupil_id")
    begins = (rows["entry_date"] >= rows["as_of"]) & (rows["entry_date"] < rows["end"])
    first = rows[begins].groupby("row")["entry_date"].min().reindex(range(len(spine)))
    status = np.where(first.notna(), "event", "no_event").astype(object)
    return status, first.to_numpy().astype("datetime64[s]")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> str:
    """Declare an outcome that no module has heard of; return its name."""
    monkeypatch.setitem(OUTCOMES, TOY.name, TOY)
    monkeypatch.setitem(LABELLERS, TOY.name, label_moved)
    return TOY.name


@pytest.fixture(scope="module")
def facts() -> Tables:
    """Pupils A to D in Years 6 to 9, of whom B changes school in March; two suspensions."""
    rolls = [
        roll(name, "2024-09-01", year_group=year)
        for name, year in zip("ABCD", range(6, 10), strict=True)
    ]
    fact = {"pupil_id": "D", "school_id": "S1", "category": "SUSP", "sessions": 2.0}
    return make_tables(
        enrolments=[*rolls, roll("B", "2025-03-10", year_group=7, school_id="S2")],
        suspensions=[fact | {"start_date": text} for text in ("2024-09-20", "2025-04-24")],
    )


def test_a_new_outcome_has_days_of_its_own(toy: str, facts: Tables) -> None:
    days = snapshots(facts, toy, before=day("2026-01-01"))
    assert days.tolist() == [day("2025-02-01"), day("2025-05-01")]
    assert default_as_of(facts, toy) == day("2025-05-01")
    assert resolve_as_of(facts, toy, day("2025-05-14")) == day("2025-05-14")
    with pytest.raises(RequestError, match="Nothing for moved can be said.*up to 2025-05-14"):
        resolve_as_of(facts, toy, day("2025-05-15"))
    refuse_old_extract(facts, toy, day("2025-05-01"))


def test_a_new_outcome_has_a_spine_labels_and_a_capacity(toy: str, facts: Tables) -> None:
    spine = build_spine(facts, [day("2025-02-01")], toy)
    assert spine["pupil_id"].tolist() == ["B", "C"]
    assert horizon_end(spine, toy).tolist() == [day("2025-05-01")] * 2
    known = label(facts, spine, toy, known_by=day("2025-05-01"))
    assert known["status"].tolist() == ["event", "no_event"]
    assert known["event_on"].tolist() == [day("2025-03-10"), pd.NaT]
    assert label(facts, spine, toy, known_by=day("2025-04-30"))["label"].isna().all()
    assert related(facts, spine, toy, known_by=day("2025-05-01")) is None
    assert outcome_of(toy).usual_capacity(len(spine)) == 1


def test_a_new_outcome_has_gates_of_its_own(toy: str, tmp_path: Path) -> None:
    path = tmp_path / "riskmodel.toml"
    path.write_text("[gates.moved]\nsmallest_lift = 7.0\n", encoding="utf-8")
    settings = read_settings(path)
    assert settings.gates(toy).smallest_lift == 7.0
    assert settings.gates("pex").smallest_lift == 2.0


@pytest.mark.parametrize(("months", "rows"), [(3, 2), (None, 1)])
def test_a_new_outcome_is_counted_once_where_all_lists_look_at_the_same_winter(
    months: int | None, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OUTCOMES, TOY.name, replace(TOY, horizon_months=months))
    lists = pd.DataFrame(
        {"pupil_id": "A", "complete": True, "same_model": True,
         "as_of": pd.to_datetime(["2022-06-01", "2023-06-01"])}
    )  # fmt: skip
    assert len(counted_once(lists, TOY.name)) == rows
