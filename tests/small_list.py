"""Shared by the tests: an assessment of 60 pupils in four schools, with hostile names.

In:  what is to differ.
Out: an assessment with its audit and backtest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from riskmodel.assess import Assessment
from riskmodel.explain import Explanation
from riskmodel.fairness import Audit, audit_list, audit_model

__all__ = ["CAPACITY", "NAMES", "SCHOOLS", "N", "make"]


N, CAPACITY = 60, 20


SCHOOLS = ["north", "=cmd()", "<script>alert(1)</script>", "../up"]


NAMES = ["absence_rate_20_days", "suspensions_12_months", "sen_support_now", "fsm_now"]


BACKTEST = {
    "children": [
        {"ranker": "roni", "precision_by_child": 0.01},
        {
            "ranker": "model",
            "precision_by_child": 0.12,
            "precision_by_child_low": 0.08,
            "precision_by_child_high": 0.17,
            "recall_by_child": 0.41,
            "recall_by_child_low": 0.3,
            "recall_by_child_high": 0.52,
        },
    ],
    "counts": {"capacity": 25},
}


def make(**changes: Any) -> Assessment:
    """Return an assessment of 60 pupils in four schools with hostile names."""
    random = np.random.default_rng(5)
    values = random.random((N, len(NAMES)))
    parts = 3 * (values - 0.6)
    risk = 1 / (1 + np.exp(2 - parts.sum(axis=1)))
    pupils = [f"=HYPERLINK({n})" if n % 7 == 0 else f"<b>{n:02}&" for n in range(N)]
    groups = pd.DataFrame({"sex": ["girl", "boy"] * 30, "language": ["x"] * 57 + ["y"] * 3})
    selected = np.argsort(np.argsort(-risk)) < CAPACITY
    tested = pd.DataFrame(
        {
            "pupil_id": range(N),
            "as_of": pd.Timestamp("2023-09-02"),
            "model": risk,
            "label": (random.random(N) < 0.5).astype(float),
        }
    )
    made = Assessment(
        outcome="pex",
        as_of=pd.Timestamp("2024-09-02"),
        capacity=CAPACITY,
        scores=pd.DataFrame(
            {
                "pupil_id": pd.Categorical(pupils),
                "school_id": [SCHOOLS[n % 4] for n in range(N)],
                "year_group": 9,
                "risk": risk,
                "risk_low": risk / 2,
                "risk_high": (1 + risk) / 2,
            }
        ),
        explanation=Explanation(
            base_value=-2.0,
            contributions=pd.DataFrame(parts, columns=NAMES),
            features=pd.DataFrame(values, columns=NAMES),
            log_odds=logit(risk),
        ),
        audit=Audit(
            this_list=audit_list(groups, selected, risk),
            model=audit_model(tested, groups, capacity=CAPACITY).published(),
            note="From 3 earlier lists.",
        ),
        backtest=BACKTEST,
        provenance={"model_uri": "models:/riskmodel-pex/4", "evaluated": "out of time"},
    )
    return replace(made, **changes)
