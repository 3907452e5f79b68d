"""Shared by the tests of pages: a simulated LA scored by a hand-made rule, and hostile names.

In:  nothing.
Out: tables and an assessment of their latest cohort.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from riskmodel.assess import Assessment
from riskmodel.cohort import build_spine, default_as_of
from riskmodel.data import Tables
from riskmodel.evaluation.capacity import is_listed
from riskmodel.explain import Explanation
from riskmodel.fairness import Audit, audit_list, audit_model
from riskmodel.features import build
from riskmodel.simulate import simulate

__all__ = ["HOSTILE", "TRACK", "hostile_names", "score", "simulated_tables"]

WEIGHTS = {
    "suspensions_12_months": 0.5,
    "absence_rate_60_days": 4.0,
    "sen_support_now": 0.7,
    "fsm_now": 0.4,
    "months_at_school": -0.01,
    "ks2_score": -0.2,
}
"""A rule that a test can follow: log-odds per unit, about the cohort's mean."""

TRACK: dict[str, Any] = {
    "children": [
        {
            "ranker": "model",
            "precision_by_child": 0.08,
            "precision_by_child_low": 0.05,
            "precision_by_child_high": 0.12,
            "recall_by_child": 0.48,
            "recall_by_child_low": 0.3,
            "recall_by_child_high": 0.6,
        }
    ],
    "counts": {"capacity": 25},
}

HOSTILE = (
    "<script>document.title='taken'</script>",
    '=HYPERLINK("http://example.org","x")',
    "\u202eمحمد بن عبد الله",
    "</script><h1>taken",
    "a" * 300,
    'O\'Neil & "Sons" {{ 7*7 }}',
    "<img src=x onerror=alert(1)>",
    "line\nbreak",
)
"""Names that have broken pages elsewhere."""


@cache
def simulated_tables() -> Tables:
    """Return the tables of a simulated LA of 500 pupils."""
    return simulate(pupils=500, years=2, seed=1, preset="bcp").tables


def score(
    tables: Tables, *, capacity: int = 30, outcome: str = "pex", as_of: pd.Timestamp | None = None
) -> Assessment:
    """Score the cohort of a day with the hand-made rule."""
    day = as_of if as_of is not None else default_as_of(tables, outcome)
    spine = build_spine(tables, [day], outcome)
    built = build(tables, spine)
    X = built[[name for name in WEIGHTS if name in built]].fillna(0.0).astype(float)
    parts = (X - X.mean()) * pd.Series(WEIGHTS)[X.columns]
    risk = 1 / (1 + np.exp(4.0 - parts.sum(axis=1)))
    scores = pd.DataFrame(
        {
            "pupil_id": spine["pupil_id"],
            "school_id": spine["school_id"],
            "year_group": spine["year_group"],
            "risk": risk,
            "risk_low": risk / 2,
            "risk_high": (1.5 * risk).clip(upper=(1 + risk) / 2),
        }
    )
    groups = pd.DataFrame(
        {"sex": ["girl", "boy"] * (len(scores) // 2) + ["girl"] * (len(scores) % 2)}
    )
    tested = pd.DataFrame(
        {
            "pupil_id": range(len(scores)),
            "as_of": day,
            "model": risk,
            "label": (np.arange(len(scores)) % 3 == 0).astype(float),
        }
    )
    return Assessment(
        outcome=outcome,
        as_of=day,
        capacity=capacity,
        scores=scores,
        explanation=Explanation(
            base_value=-4.0, contributions=parts, features=X, log_odds=logit(risk.to_numpy())
        ),
        audit=Audit(
            this_list=audit_list(groups, is_listed(risk, scores["pupil_id"], capacity), risk),
            model=audit_model(tested, groups, capacity=capacity).published(),
            note="From 3 earlier lists.",
        ),
        backtest=TRACK,
        provenance={
            "model_uri": "models:/riskmodel-pex/4",
            "evaluated": "out of time",
            "trained_as_of": "2024-08-01",
        },
    )


def hostile_names(tables: Tables) -> Tables:
    """Return the same facts of pupils and schools with hostile names."""
    old = tables.pupils.categories
    new = pd.Index([HOSTILE[n % len(HOSTILE)] + f" {n}" for n in range(len(old))], dtype="str")
    frames = {}
    for name, frame in tables.items():
        changed = frame.copy()
        if "pupil_id" in changed:
            renamed = pd.Series(changed["pupil_id"]).cat.rename_categories(
                dict(zip(old, new, strict=True))
            )
            changed["pupil_id"] = renamed.cat.reorder_categories(sorted(new))
        if "school_id" in changed:
            names = {
                school: HOSTILE[n % len(HOSTILE)] + f" school {n}"
                for n, school in enumerate(sorted(tables["schools"]["school_id"]))
            }
            changed["school_id"] = changed["school_id"].map(names).astype("str")
        frames[name] = changed
    return Tables(frames)
