"""The facts that records hold of a model, of a list, and of their audit, as text.

In:  what a model's card keeps of its training and backtest; an assessment.
Out: :class:`ModelFacts`, :class:`ListFacts`, :class:`AuditFacts`; counts of few pupils are suppressed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.data.counted import counted
from riskmodel.data.outcomes import outcome_of
from riskmodel.display import write_interval
from riskmodel.explain import theme_totals
from riskmodel.fairness.disclosure import SMALLEST_SHOWN
from riskmodel.features import CATALOGUE
from riskmodel.report.list_page.audit_view import audit_table
from riskmodel.report.parts import part_sentences
from riskmodel.report.sentences import AUDIT_TABLES, backtest_words, day_words
from riskmodel.report.tables import TextTable, text_table

__all__ = ["AuditFacts", "ListFacts", "ModelFacts", "audit_facts", "list_facts", "model_facts"]

CHARACTERISTICS = {
    "Age": "as year group, which the model uses; each list covers some year groups by design",
    "Disability": "only as special educational needs, which the model uses",
    "Gender reassignment": "not held",
    "Marriage and civil partnership": "not held",
    "Pregnancy and maternity": "only as 'pregnant or a parent'; the model may use it",
    "Race": "as ethnicity",
    "Religion or belief": "where schools recorded it",
    "Sex": "as recorded by schools",
    "Sexual orientation": "not held",
}
"""The nine of the Equality Act 2010, section 4 → what the tables hold of each."""

AUDITED_AS = {
    "Age": "year_group",
    "Disability": "sen",
    "Race": "ethnicity",
    "Religion or belief": "religion",
    "Sex": "sex",
}
"""Protected characteristic → what the audit calls it."""

AUDITED = {
    "selection": (
        "characteristic",
        "group",
        "n",
        "listed",
        "selection_rate",
        "others",
        "difference",
        "verdict",
    ),
    "measures": (
        "characteristic",
        "group",
        "measure",
        "value",
        "others",
        "difference",
        "verdict",
    ),
}
"""Table of the audit that the records show → its columns."""

METRICS = {
    "average_precision": "Average precision",
    "precision_at_capacity": "Precision at capacity",
    "recall_at_capacity": "Recall at capacity",
}
"""Metric of a backtest that the records show → its name."""

SHOWN = 10
"""Features with the largest contributions that are named."""

Pairs = list[tuple[str, object]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts:
    """What is known of a model wherever it is used.

    Attributes
    ----------
    outcome, policy : str
        The outcome in words, and what counts as it.
    tool : str
        Name of the tool.
    training : list of (str, object)
        What it was trained on: a name, and a value.
    extracts : list of (str, str)
        Files, and their rows.
    tables, versions : str
        Tables of the facts, and libraries.
    evaluated : str
        How it was tested.
    track_record : str
        How often its lists were right.
    tested : str
        Lists on which it was tested.
    rankers : TextTable
        The rankers compared; without rows where there was no backtest.
    levels : TextTable
        Expected over observed outcomes of each list, and what the level of its risks rests on; without
        rows where no list made earlier could be tested.
    points : TextTable
        Lines of the learned points score; without rows where there are none.
    """

    outcome: str
    policy: str
    tool: str
    training: Pairs
    extracts: Pairs
    tables: str
    versions: str
    evaluated: str
    track_record: str
    tested: str
    rankers: TextTable
    levels: TextTable
    points: TextTable


@dataclass(frozen=True, kw_only=True, slots=True)
class ListFacts:
    """What is known of a list.

    Attributes
    ----------
    as_of, pupils : str
        Its day, and how many pupils were scored.
    capacity, n_features : int
        Places, and features of each pupil.
    model_uri, model_digest, data_digest : str
        The model's address, and the fingerprints of model and data.
    set_aside : object
        Rows of the extracts that were set aside.
    one_sentence : str
        What the list is for.
    scope : list of (str, object)
        Day, outcome, pupils, places, features, model.
    themes, strongest, characteristics : TextTable
        Features by theme, the features that move risks most, and the protected characteristics.
    """

    as_of: str
    pupils: str
    capacity: int
    n_features: int
    model_uri: str
    model_digest: str
    data_digest: str
    set_aside: object
    one_sentence: str
    scope: Pairs
    themes: TextTable
    strongest: TextTable
    characteristics: TextTable


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFacts:
    """What an audit found.

    Attributes
    ----------
    words : tuple of str
        Verdicts.
    tables : dict of str to TextTable
        Title → who is listed, and whom earlier lists found.
    """

    words: tuple[str, ...]
    tables: dict[str, TextTable]


def model_facts(
    outcome: str, trained: Mapping[str, Any], backtest: Mapping[str, Any]
) -> ModelFacts:
    """Return what is known of a model.

    Parameters
    ----------
    outcome : str
        Outcome.
    trained : mapping
        What it was trained on.
    backtest : mapping
        From :meth:`riskmodel.evaluation.Backtest.to_dict`; empty where there was none.

    Returns
    -------
    ModelFacts
        A field that was not recorded is named as such.

    Raises
    ------
    RequestError
        If there is no such outcome.

    Examples
    --------
    >>> facts = model_facts("pex", {"seed": 7}, {})
    >>> facts.training, facts.track_record
    ([('Simulated', 'no'), ('Seed', 7)], 'How often such lists are right has not been measured.')
    """
    declared, counts = outcome_of(outcome), backtest.get("counts", {})
    read = trained.get("extracts", [])
    versions = [f"{name} {version}" for name, version in trained.get("versions", {}).items()]
    return ModelFacts(
        outcome=declared.words,
        policy=declared.policy,
        tool=f"riskmodel: early support list, {declared.words}",
        training=_training(trained),
        extracts=[_rows_read(one) for one in read] or [("Files", "not recorded")],
        tables=", ".join(sorted({one["table"] for one in read})) or "not recorded",
        versions=", ".join(versions) or "versions that were not recorded",
        evaluated=trained.get("evaluated", "not tested"),
        track_record=backtest_words(backtest, trained.get("evaluated")),
        tested=_tested(counts.get("origins", 0), counts.get("capacity", 0)),
        rankers=_rankers(backtest),
        levels=_levels(backtest),
        points=_points(backtest),
    )


def _tested(n_lists: int, capacity: int) -> str:
    """Return how many lists were tested, and how long they were."""
    return f"{counted(n_lists, 'list')} of {counted(capacity, 'pupil')}"


def _training(trained: Mapping[str, Any]) -> Pairs:
    """Return what a model was trained on; what was not recorded is left out."""
    values = {
        "Trained on what was known before": trained.get("trained_as_of"),
        "Rows (a pupil on a day)": trained.get("training_rows"),
        "Pupils": trained.get("training_pupils"),
        "Pupils with the outcome": _unless_few(trained.get("training_pupils_with_outcome")),
        "Fingerprint of the data": trained.get("training_data_digest"),
        "Tested": trained.get("evaluated"),
        "Simulated": "yes" if trained.get("simulated") else "no",
        "Seed": trained.get("seed"),
    }
    return [(name, value) for name, value in values.items() if value is not None]


def _unless_few(count: int | None) -> int | str | None:
    """Return a count of pupils, unless it is small."""
    return count if count is None or count >= SMALLEST_SHOWN else f"fewer than {SMALLEST_SHOWN}"


def _rows_read(file: Mapping[str, Any]) -> tuple[str, str]:
    return file["file"], f"{file['rows_read']:,} rows, table {file['table']}"


def _rankers(backtest: Mapping[str, Any]) -> TextTable:
    """Return the rankers compared: three metrics with their intervals."""
    rows = [
        [row["ranker"], *[_figure(row, metric) for metric in METRICS]]
        for row in backtest.get("table", [])
    ]
    return text_table(["Ranker", *METRICS.values()], rows)


def _levels(backtest: Mapping[str, Any]) -> TextTable:
    """Return expected over observed of each list and of all places; hidden where few were observed."""
    figures = backtest.get("calibration") or {}
    rows = [
        [row["as_of"], _ratio(row, row["observed"]), row["calibrated_on"]]
        for row in figures.get("by_list", [])
    ]
    rows += [
        ["all days, pupils listed", _ratio(row, row["pupils"]), "as above"]
        for row in figures.get("listed", [])
    ]
    return text_table(["List of", "Expected over observed", "Level of the risks rests on"], rows)


def _ratio(row: Mapping[str, Any], n_outcomes: int) -> str:
    """Return the ratio with its interval, unless few had the outcome."""
    if n_outcomes < SMALLEST_SHOWN:
        return f"fewer than {SMALLEST_SHOWN} outcomes"
    return write_interval(row["ratio"], row["low"], row["high"])


def _points(backtest: Mapping[str, Any]) -> TextTable:
    """Return the lines of the learned points score in words."""
    rows = [[line["label"], f"{line['points']:g}"] for line in backtest.get("points") or []]
    return text_table(["A child with", "Points"], rows)


def _figure(row: Mapping[str, Any], metric: str) -> str:
    """Return a metric with its interval, as notebooks write it."""
    figures = (row.get(f"{metric}{end}") for end in ("", "_low", "_high"))
    return write_interval(*(math.nan if one is None else one for one in figures))


def list_facts(assessment: Assessment) -> ListFacts:
    """Return what is known of a list.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.

    Returns
    -------
    ListFacts
        A field that was not recorded is named as such.
    """
    origin = assessment.provenance
    words, part = outcome_of(assessment.outcome).words, assessment.part
    whom = "pupils never suspended" if part is not None and part.is_emerging else "pupils"
    return ListFacts(
        as_of=day_words(assessment.as_of),
        pupils=f"{len(assessment.scores):,}",
        capacity=assessment.capacity,
        n_features=assessment.explanation.features.shape[1],
        model_uri=origin.get("model_uri", "not registered"),
        model_digest=origin.get("model_digest", "not recorded"),
        data_digest=origin.get("data_digest", "not recorded"),
        set_aside=origin.get("rows_set_aside", "an unknown number of"),
        one_sentence=f"Ranks {whom} by their risk of {words}, from records that the council holds, so "
        "that officers can offer support early.",
        scope=_scope(assessment),
        themes=_themes(assessment),
        strongest=_strongest(assessment),
        characteristics=_characteristics(assessment),
    )


def _scope(assessment: Assessment) -> Pairs:
    """Return day, outcome, pupils, places, features and model of a list."""
    return [
        ("Day", day_words(assessment.as_of)),
        ("Outcome", outcome_of(assessment.outcome).words),
        ("Pupils scored", f"{len(assessment.scores):,}"),
        ("Places", assessment.capacity),
        *(("Part of a list", words) for words in part_sentences(assessment)),
        ("Features of each pupil", assessment.explanation.features.shape[1]),
        ("Model", assessment.provenance.get("model_uri", "not registered")),
    ]


def _themes(assessment: Assessment) -> TextTable:
    """Return per theme its features, their tables, how many values lack, and their share of the reasons."""
    features = assessment.explanation.features
    known = [CATALOGUE.get(str(name)) for name in features]
    theme = [feature.theme if feature else "other" for feature in known]
    size = theme_totals(assessment.explanation.contributions).abs().mean().to_dict()
    total = sum(size.values())
    rows = []
    for name in dict.fromkeys(theme):
        own = [place for place, other in enumerate(theme) if other == name]
        tables = {feature.source for place in own if (feature := known[place])} - {""}
        missing = f"{features.iloc[:, own].isna().to_numpy().mean():.0%}"
        share = f"{size[name] / total:.0%}" if total else "not known"
        rows.append([name, len(own), ", ".join(sorted(tables)), missing, share])
    heads = ["Theme", "Features", "From the tables", "Values not known", "Share of the reasons"]
    return text_table(heads, rows)


def _strongest(assessment: Assessment) -> TextTable:
    """Return the features with the largest mean contribution."""
    size = assessment.explanation.contributions.abs().mean()
    top = size.sort_values(ascending=False, kind="stable").head(SHOWN)
    labels = [CATALOGUE[name].label if name in CATALOGUE else name for name in map(str, top.index)]
    rows = [(label, f"{mean:.3f}") for label, mean in zip(labels, top, strict=True)]
    return text_table(["Feature", "Mean size, in log-odds"], rows)


def _characteristics(assessment: Assessment) -> TextTable:
    """Return of each protected characteristic what is held, and whether the audit covers it."""
    audited = set(assessment.audit.frame()["characteristic"])
    rows = [
        (name, held, "yes" if AUDITED_AS.get(name) in audited else "no")
        for name, held in CHARACTERISTICS.items()
    ]
    return text_table(["Characteristic", "What is held", "In the audit"], rows)


def audit_facts(published: Mapping[str, pd.DataFrame], words: Sequence[str]) -> AuditFacts:
    """Return who is listed and whom earlier lists found.

    Parameters
    ----------
    published : mapping of str to DataFrame
        Published tables of an audit; the page of a list shows all of them.
    words : sequence of str
        Its verdicts.

    Returns
    -------
    AuditFacts
        Of the measures of earlier lists, recall alone.

    Examples
    --------
    >>> audit_facts({}, ["Not known yet."])
    AuditFacts(words=('Not known yet.',), tables={})
    """
    shown = {name: table for name, table in published.items() if name in AUDITED}
    if "measures" in shown:
        measures = shown["measures"]
        shown["measures"] = measures[(measures["measure"] == "recall").to_numpy()]
    tables = {
        AUDIT_TABLES[name]: audit_table(table, AUDITED[name]) for name, table in shown.items()
    }
    return AuditFacts(words=tuple(words), tables=tables)
