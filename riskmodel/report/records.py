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
from riskmodel.report.list_page.audit_view import audit_words
from riskmodel.report.record_facts import audit_facts, list_facts, model_facts
from riskmodel.report.sentences import MISUSE, RANGE
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


def write_records(assessment: Assessment, folder: Path) -> None:
    """Write all records of a list.

    Parameters
    ----------
    assessment : Assessment
        What is known.
    folder : Path
        New folder.

    Raises
    ------
    FileExistsError
        If the folder is there already.
    """
    folder.mkdir()
    model = model_facts(assessment.outcome, assessment.provenance, assessment.backtest or {})
    made = list_facts(assessment)
    words = [line for lines in audit_words(assessment.audit).values() for line in lines]
    common = {
        "model": model,
        "made_list": made,
        "audit": audit_facts(assessment.audit.published(), words),
        "fields": transparency_fields(),
        "misuse": MISUSE,
        "range_words": RANGE,
        "simulated": bool(assessment.provenance.get("simulated")),
    }
    for name, title in RECORDS.items():
        page = render(f"{name}.html", title=f"{title}: {model.outcome}, {made.as_of}", **common)
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

    Raises
    ------
    RequestError
        If there is no such outcome.
    """
    model = model_facts(outcome, trained, backtest)
    published = {name: pd.DataFrame(rows) for name, rows in audit.items()}
    return render(
        "model_card.html",
        title=f"{RECORDS['model_card']}: {model.outcome}",
        model=model,
        audit=audit_facts(published, notes[:1]),
        misuse=MISUSE,
        range_words=RANGE,
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

    Examples
    --------
    >>> fields = transparency_fields()
    >>> fields["0.1"]["field"], len(fields)
    ('ID', 62)
    """
    path = Path(__file__).with_name("transparency.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["number"]: row for row in csv.DictReader(stream)}
