"""The records that a council publishes or keeps: what the tool knows of them, the rest marked.

In:  an assessment; for the card of a model, what was measured when it was trained.
Out: a model card, a draft for the Algorithmic Transparency Recording Standard (ATRS), and input for
assessments of the impact on equality and on data protection; each a page of its own.

The fields of the standard are in ``transparency.csv``: their numbers and names (version 4.0 of the guidance
and the table of version 2.1, co-cddo/algorithmic-transparency-recording-standard), hints in our words. The
guidance prints only some numbers of 4.0; the others follow the order of its sections.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.data.outcomes import outcome_of
from riskmodel.explain import theme_totals
from riskmodel.fairness.disclosure import SMALLEST_SHOWN
from riskmodel.features import CATALOGUE
from riskmodel.report.list_page.audit_view import audit_words
from riskmodel.report.sentences import (
    AUDIT_TABLES,
    MISUSE,
    backtest_words,
    day_words,
)
from riskmodel.report.tables import TextTable, frame_table
from riskmodel.report.templates import render
from riskmodel.training.gate_answers import GateAnswer

__all__ = ["RECORDS", "model_card", "transparency_fields", "write_records"]

RECORDS = {
    "model_card": "Model card",
    "transparency": "Transparency record",
    "equality_impact": "Input for an equality impact assessment",
    "data_protection": "Input for a data protection impact assessment",
}
"""File → title."""

CHARACTERISTICS = {
    "Age": "year group is known; each list covers a few year groups by design",
    "Disability": "only as special educational needs",
    "Gender reassignment": "not held",
    "Marriage and civil partnership": "not held",
    "Pregnancy and maternity": "not held",
    "Race": "as ethnicity",
    "Religion or belief": "where schools recorded it",
    "Sex": "as recorded by schools",
    "Sexual orientation": "not held",
}
"""The nine of the Equality Act 2010, section 4 → what the tables hold of each."""

AUDITED_AS = {"Age": "year_group", "Disability": "sen", "Race": "ethnicity",
              "Religion or belief": "religion", "Sex": "sex"}  # fmt: skip
"""Protected characteristic → what the audit calls it."""

AUDITED = ("characteristic", "group", "n", "listed",
           "selection_rate", "selection_rate_low", "selection_rate_high",
           "recall", "recall_low", "recall_high", "others",
           "difference", "difference_low", "difference_high", "verdict")  # fmt: skip
"""Columns of the audit that the records show."""

SHOWN = 10
"""Features with the largest part in the risks that are named."""


def write_records(assessment: Assessment, folder: Path) -> None:
    """Write all records of a list.

    Parameters
    ----------
    assessment : Assessment
        What is known.
    folder : Path
        New folder.
    """
    folder.mkdir()
    known = _of_model(assessment.outcome, assessment.provenance, assessment.backtest or {})
    known |= _of_list(assessment)
    for name, title in RECORDS.items():
        page = render(
            f"{name}.html", title=f"{title}: {known['outcome_words']}, {known['as_of']}", known=known,
            fields=transparency_fields(), misuse=MISUSE, notes=[], answers=[],
            simulated=bool(assessment.provenance.get("simulated")),
        )  # fmt: skip
        (folder / f"{name}.html").write_text(page, encoding="utf-8")


def model_card(
    outcome: str,
    *,
    trained: Mapping[str, Any],
    backtest: Mapping[str, Any],
    audit: Mapping[str, Any],
    notes: Sequence[str],
    answers: Sequence[GateAnswer],
) -> str:
    """Return the card of a model as it is registered.

    Parameters
    ----------
    outcome : str
        Outcome.
    trained : mapping
        What it was trained on.
    backtest : mapping
        From :meth:`riskmodel.evaluation.Backtest.to_dict`.
    audit : mapping
        Published tables of the model's audit, as rows.
    notes : sequence of str
        What to know of the figures.
    answers : sequence of GateAnswer
        How the model did at each gate.

    Returns
    -------
    str
        A page.
    """
    known = _of_model(outcome, trained, backtest) | {
        "audit": _audit({name: pd.DataFrame(rows) for name, rows in audit.items()}),
        "audit_words": notes[:1], "themes": {}, "strongest": {},
    }  # fmt: skip
    return render(
        "model_card.html",
        title=f"{RECORDS['model_card']}: {known['outcome_words']}",
        known=known,
        misuse=MISUSE,
        notes=notes,
        answers=[(answer.code, answer.text()) for answer in answers],
        simulated=bool(trained.get("simulated")),
    )


def transparency_fields() -> dict[str, dict[str, str]]:
    """Return the fields of the transparency standard.

    Returns
    -------
    dict of str to dict
        Number in version 4.0 → ``in_2_1`` (numbers in version 2.1, by spaces), ``section``, ``field`` and
        ``hint``, what the council has to fill in or to add; empty where the tool knows all.
    """
    path = Path(__file__).with_name("transparency.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["number"]: row for row in csv.DictReader(stream)}


def _of_model(
    outcome: str, trained: Mapping[str, Any], backtest: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is known of a model wherever it is used."""
    counts = backtest.get("counts", {})
    training = {
        "Trained on what was known before": trained.get("trained_as_of"),
        "Rows (a pupil on a day)": trained.get("training_rows"),
        "Pupils": trained.get("training_pupils"),
        "Pupils with the outcome": _shown(trained.get("training_pupils_with_outcome")),
        "Fingerprint of the data": trained.get("training_data_digest"),
        "Tested": trained.get("evaluated"),
        "Simulated": "yes" if trained.get("simulated") else "no",
        "Seed": trained.get("seed"),
    }
    versions, declared = trained.get("versions", {}), outcome_of(outcome)
    return {
        "outcome_words": declared.words,
        "policy": declared.policy,
        "tool": f"riskmodel: early support list, {declared.words}",
        "training": [(name, value) for name, value in training.items() if value is not None],
        "extracts": [(one["file"], f"{one['rows_read']:,} rows, table {one['table']}")
                     for one in trained.get("extracts", [])] or [("Files", "not recorded")],
        "tables": ", ".join(sorted({one["table"] for one in trained.get("extracts", [])}))
                  or "not recorded",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items())
                    or "versions that were not recorded",
        "evaluated": trained.get("evaluated", "not tested"),
        "track_record": backtest_words(backtest, trained.get("evaluated")),
        "tested": f"{counts.get('origins', 0)} lists of {counts.get('capacity', 0)} pupils",
        "rankers": frame_table(_rankers(backtest)),
    }  # fmt: skip


def _of_list(assessment: Assessment) -> dict[str, Any]:
    """Return what is known of a list."""
    origin = assessment.provenance
    as_of, pupils = day_words(assessment.as_of), f"{len(assessment.scores):,}"
    words = outcome_of(assessment.outcome).words
    n_features = assessment.explanation.features.shape[1]
    return {
        "as_of": as_of,
        "pupils": pupils,
        "capacity": assessment.capacity,
        "features": n_features,
        "model_uri": origin.get("model_uri", "not registered"),
        "model_digest": origin.get("model_digest", "not recorded"),
        "data_digest": origin.get("data_digest", "not recorded"),
        "set_aside": origin.get("rows_set_aside", "an unknown number of"),
        "one_sentence": f"Ranks pupils by their risk of {words}, from records that the council holds, "
                        "so that officers can offer support early.",
        "scope": [("Day", as_of), ("Outcome", words), ("Pupils scored", pupils),
                  ("Places", assessment.capacity), ("Features of each pupil", n_features),
                  ("Model", origin.get("model_uri", "not registered"))],
        "themes": frame_table(_themes(assessment)),
        "strongest": frame_table(_strongest(assessment)),
        "audit": _audit(assessment.audit.published()),
        "audit_words": [one for lines in audit_words(assessment.audit).values() for one in lines],
        "characteristics": frame_table(_characteristics(assessment)),
    }  # fmt: skip


def _rankers(backtest: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rankers compared: three metrics with their intervals."""
    rows = []
    for row in backtest.get("table", []):
        cells = {"Ranker": row["ranker"]}
        for metric in ("average_precision", "precision_at_capacity", "recall_at_capacity"):
            ends = [row.get(f"{metric}{end}") for end in ("", "_low", "_high")]
            known = all(value is not None for value in ends)
            name = metric.replace("_", " ").capitalize()
            cells[name] = "{:.3f} ({:.3f} to {:.3f})".format(*ends) if known else "not known"
        rows.append(cells)
    return pd.DataFrame(rows)


def _themes(assessment: Assessment) -> pd.DataFrame:
    """Return how many features each theme has, from where, how whole, and how much they move risks."""
    names = [str(name) for name in assessment.explanation.features]
    known = [CATALOGUE.get(name) for name in names]
    table = pd.DataFrame({
        "theme": [feature.theme if feature else "other" for feature in known],
        "source": [feature.source if feature else "" for feature in known],
        "missing": assessment.explanation.features.isna().mean().to_numpy(),
    })  # fmt: skip
    size = theme_totals(assessment.explanation.contributions).abs().mean().to_dict()
    total = sum(size.values())
    grouped = table.groupby("theme", sort=False)
    return pd.DataFrame({
        "Theme": list(grouped.groups),
        "Features": grouped.size().to_numpy(),
        "From the tables": grouped["source"].agg(lambda one: ", ".join(sorted(set(one) - {""}))).to_numpy(),
        "Values not known": [f"{share:.0%}" for share in grouped["missing"].mean()],
        "Share of the reasons": [f"{size[name] / total:.0%}" if total else "not known"
                                 for name in grouped.groups],
    })  # fmt: skip


def _strongest(assessment: Assessment) -> pd.DataFrame:
    """Return the features with the largest mean contribution."""
    size = (
        assessment.explanation.contributions.abs()
        .mean()
        .sort_values(ascending=False, kind="stable")
    )
    top = size.head(SHOWN)
    labels = [CATALOGUE[name].label if name in CATALOGUE else name for name in map(str, top.index)]
    return pd.DataFrame({"Feature": labels, "Mean size, in log-odds": top.round(3).to_numpy()})


def _audit(published: Mapping[str, pd.DataFrame]) -> dict[str, TextTable]:
    """Return of the audit who is listed and whom earlier lists found; the list's page has all of it."""
    shown = {}
    if "selection" in published:
        shown["selection"] = published["selection"]
    if "measures" in published:
        found = published["measures"]
        shown["measures"] = found[found["measure"] == "recall"].rename(
            columns={"value": "recall", "low": "recall_low", "high": "recall_high"}
        )
    return {
        AUDIT_TABLES[name]: frame_table(table[[one for one in AUDITED if one in table]], heads=2)
        for name, table in shown.items()
    }


def _characteristics(assessment: Assessment) -> pd.DataFrame:
    """Return of each protected characteristic what is held, and whether the audit covers it."""
    audited = set(assessment.audit.frame()["characteristic"])
    rows = [
        (name, held, "yes" if AUDITED_AS.get(name) in audited else "no")
        for name, held in CHARACTERISTICS.items()
    ]
    return pd.DataFrame(rows, columns=["Characteristic", "What is held", "In the audit"])


def _shown(count: int | None) -> int | str | None:
    """Return a count of pupils, unless it is small."""
    return count if count is None or count >= SMALLEST_SHOWN else f"fewer than {SMALLEST_SHOWN}"
