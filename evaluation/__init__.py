"""Metrics with intervals, backtest and baselines: how good a list is, and against what."""

from riskmodel.evaluation.backtest import Backtest, compare
from riskmodel.evaluation.baselines import (
    points_of,
    read_points,
    roni_points,
    school_rate,
    simple_rankers,
)
from riskmodel.evaluation.decision_curve import net_benefit
from riskmodel.evaluation.metrics import (
    average_precision,
    expected_over_observed,
    precision_at_k,
    recall_at_k,
    roc_auc,
)

__all__ = [
    "Backtest",
    "average_precision",
    "compare",
    "expected_over_observed",
    "net_benefit",
    "points_of",
    "precision_at_k",
    "read_points",
    "recall_at_k",
    "roc_auc",
    "roni_points",
    "school_rate",
    "simple_rankers",
]
