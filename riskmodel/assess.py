"""The Assessment: scores, their reasons and their audit, which never come apart.

In:  risks with intervals, exact contributions, an audit.
Out: :class:`Assessment`, which refuses to exist without all three.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskmodel.display import html_table, write_intervals
from riskmodel.errors import ModelError
from riskmodel.fairness import Audit

if TYPE_CHECKING:
    from riskmodel.model import RiskModel

__all__ = ["Assessment"]

TOLERANCE = 1e-6
"""Largest difference, in log-odds, between the shown risk and the sum of its reasons."""

SHOWN = 5
"""Pupils that a notebook shows."""

SCORE_COLUMNS = ("pupil_id", "school_id", "year_group", "risk", "risk_low", "risk_high")


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """A scored cohort with reasons and audit.

    Attributes
    ----------
    outcome : str
        ``"pex"``, ``"neet"`` or ``"neet-post16"``.
    as_of : Timestamp
        Nothing recorded on or after it was used.
    capacity : int
        Pupils the service can see.
    scores : DataFrame
        ``pupil_id, school_id, year_group, risk, risk_low, risk_high``; one row per pupil.
    base_value : float
        Calibrated log-odds of the average training row.
    contributions : DataFrame of shape (n_pupils, n_features)
        Calibrated log-odds; ``base_value`` and a row's contributions add up to ``logit(risk)``.
    features : DataFrame of shape (n_pupils, n_features)
        The values explained.
    audit : Audit
        Equality audit of the list at ``capacity``.
    backtest : dict or None
        How the ranker did on earlier lists.
    provenance : dict
        Versions, digests, where the model came from, the day of the ranking that a list is compared
        with; JSON-ready.
    model : RiskModel or None
        What made it, to be asked more about the same pupils: whether a reason survives in every
        bag, which facts act together. None where an assessment was put together by hand.

    Raises
    ------
    ModelError
        If reasons or audit are missing, rows do not match, a pupil is scored twice, a risk is not
        between 0 and 1 or outside its interval, or the reasons do not add up.
    """

    outcome: str
    as_of: pd.Timestamp
    capacity: int
    scores: pd.DataFrame = field(repr=False)
    base_value: float
    contributions: pd.DataFrame = field(repr=False)
    features: pd.DataFrame = field(repr=False)
    audit: Audit = field(repr=False)
    backtest: dict[str, Any] | None = field(repr=False)
    provenance: dict[str, Any] = field(repr=False)
    model: RiskModel | None = field(repr=False, default=None)

    def __post_init__(self) -> None:
        """Refuse an assessment without reasons that add up, or without audit."""
        if not isinstance(self.audit, Audit):
            raise ModelError("An assessment needs its audit; make it with RiskModel.assess.")
        self._check_rows()
        self._check_risks()
        self._check_sum()

    def _check_rows(self) -> None:
        for name, frame in (
            ("scores", self.scores),
            ("contributions", self.contributions),
            ("features", self.features),
        ):
            if not isinstance(frame, pd.DataFrame) or not frame.index.equals(self.scores.index):
                raise ModelError(
                    f"An assessment needs the {name} of every pupil, in the same rows; make it with "
                    "RiskModel.assess."
                )
        missing = [name for name in SCORE_COLUMNS if name not in self.scores]
        if missing:
            raise ModelError(
                f"The scores have no column '{missing[0]}'. Give {', '.join(SCORE_COLUMNS)}."
            )
        if list(self.contributions.columns) != list(self.features.columns):
            raise ModelError("Contributions and features must have the same columns, in one order.")
        twice = self.scores["pupil_id"].duplicated().to_numpy()
        if twice.any():
            raise ModelError(
                f"Row {int(twice.argmax())} of the scores holds a pupil who has a row already. "
                "Score every pupil once."
            )

    def _check_risks(self) -> None:
        risk, low, high = (
            self.scores[name].to_numpy(dtype=float) for name in ("risk", "risk_low", "risk_high")
        )
        wrong = ~((risk > 0) & (risk < 1))
        if wrong.any():
            row = int(wrong.argmax())
            raise ModelError(
                f"Every risk must lie between 0 and 1, both excluded; row {row} has {risk[row]}."
            )
        outside = ~((low <= risk + TOLERANCE) & (risk <= high + TOLERANCE))
        if outside.any():
            row = int(outside.argmax())
            raise ModelError(
                f"Every risk must lie within its interval; row {row} has {risk[row]:.4g} with "
                f"{low[row]:.4g} to {high[row]:.4g}."
            )

    def _check_sum(self) -> None:
        risk = self.scores["risk"].to_numpy(dtype=float)
        total = self.base_value + self.contributions.to_numpy(dtype=float).sum(axis=1)
        error = np.abs(total - (np.log(risk) - np.log1p(-risk)))
        error[np.isnan(error)] = np.inf  # a missing reason is no reason
        if error.size and error.max() > TOLERANCE:
            raise ModelError(
                f"The reasons of row {int(error.argmax())} do not add up to its risk: they differ by "
                f"{error.max():.2g} log-odds, more than {TOLERANCE:g}. Score the pupils again."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return what made the assessment, without any pupil.

        Returns
        -------
        dict
            JSON-ready: outcome, day, capacity, counts, backtest, provenance.
        """
        return {
            "outcome": self.outcome,
            "as_of": f"{self.as_of:%Y-%m-%d}",
            "capacity": self.capacity,
            "pupils": len(self.scores),
            "features": self.contributions.shape[1],
            "base_value": self.base_value,
            "expected_events": float(self.scores["risk"].sum()),
            "backtest": self.backtest,
            "provenance": self.provenance,
        }

    def _repr_html_(self) -> str:
        from riskmodel.ranking import rank

        top = rank(self).head(SHOWN)
        shown = top[["rank", "pupil_id", "school_id", "year_group"]].assign(
            risk=write_intervals(top, "risk"),
            a_reason=top["reason_1"],
            a_strength=top["strength_1"],
        )
        caption = (
            f"{self.outcome}, {self.as_of.day} {self.as_of:%B %Y}: {len(self.scores):,} pupils, "
            f"capacity {self.capacity}; the {len(top)} of highest risk"
        )
        return html_table(shown, caption) + self.audit._repr_html_()
