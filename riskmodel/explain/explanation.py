"""An explanation: base value, contributions and feature values that add up to given log-odds.

In:  calibrated contributions of some pupils, the values explained, and the log-odds to reach.
Out: :class:`Explanation`, which cannot be made unless they add up; ``shap.Explanation`` for shap's plots.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from riskmodel.errors import ModelError

if TYPE_CHECKING:
    import shap

__all__ = ["TOLERANCE", "Explanation"]

TOLERANCE = 1e-6
"""Largest difference, in log-odds, between a pupil's log-odds and the sum of the parts."""

ROUNDING = 4 * np.finfo(float).eps
"""Relative error of a risk that was computed from log-odds and back."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What each feature adds to the log-odds of some pupils, exactly.

    Attributes
    ----------
    base_value : float
        Calibrated log-odds of the average training row.
    contributions : DataFrame of shape (n_pupils, n_features)
        Calibrated log-odds that each feature adds.
    features : DataFrame of shape (n_pupils, n_features)
        The values explained, in the same rows and columns.
    log_odds : float array of shape (n_pupils,)
        Calibrated log-odds that ``base_value`` and a row's contributions add up to.
    months_held : mapping of str to float, optional
        Table → months for which it holds facts before the day. "Nothing of this kind in the last 12
        months" is a strength only where a table goes back so far; one that is not named does.

    Raises
    ------
    ModelError
        If a part is missing or holds anything but numbers, rows or columns differ, or a row does not
        add up.

    Examples
    --------
    >>> parts = pd.DataFrame({"fsm_now": [0.5]})
    >>> made = Explanation(base_value=-2.0, contributions=parts, features=parts * 2,
    ...                    log_odds=np.array([-1.5]))
    >>> made.contributions.shape
    (1, 1)
    """

    base_value: float
    contributions: pd.DataFrame = field(repr=False)
    features: pd.DataFrame = field(repr=False)
    log_odds: NDArray[np.float64] = field(repr=False)
    months_held: Mapping[str, float] = field(repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse parts that do not fit each other or do not add up."""
        for name in ("contributions", "features"):
            frame = getattr(self, name)
            if not isinstance(frame, pd.DataFrame) or not frame.index.equals(self._index):
                raise ModelError(
                    f"An explanation needs the {name} of every pupil, in the same rows. "
                    "Give two frames with one index."
                )
        if list(self.contributions.columns) != list(self.features.columns):
            raise ModelError("Contributions and features must have the same columns, in one order.")
        self._check_numbers()
        self._check_sum()

    @property
    def _index(self) -> pd.Index:
        return getattr(self.contributions, "index", pd.Index([]))

    def _check_numbers(self) -> None:
        is_number = {
            "base_value": isinstance(self.base_value, Real),
            "contributions": _holds_numbers(self.contributions),
            "features": _holds_numbers(self.features),
            "log_odds": np.asarray(self.log_odds).dtype.kind in "fiu",
        }
        for name, is_sound in is_number.items():
            if not is_sound:
                raise ModelError(
                    f"The {name} of an explanation must be numbers, and these are not. "
                    "Make it with RiskModel.assess."
                )

    def _check_sum(self) -> None:
        total = self.base_value + self.contributions.to_numpy(dtype=float).sum(axis=1)
        if np.shape(self.log_odds) != total.shape:
            raise ModelError(
                f"The explanation of {len(total)} pupils needs as many log-odds; got an array of "
                f"shape {np.shape(self.log_odds)}."
            )
        error = np.abs(total - np.asarray(self.log_odds, dtype=float))
        error[np.isnan(error)] = np.inf  # a missing reason is no reason
        if error.size and error.max() > TOLERANCE:
            raise ModelError(
                f"The reasons of row {int(error.argmax())} do not add up to its risk: they differ by "
                f"{error.max():.2g} log-odds, more than {TOLERANCE:g}. Score the pupils again."
            )

    def check_risks(self, risk: ArrayLike) -> None:
        """Refuse risks that are not those of the log-odds.

        The comparison is made between risks: near 0 and 1 many log-odds have the same risk, and no
        risk gives its log-odds back.

        Parameters
        ----------
        risk : array-like of shape (n_pupils,)
            Risk of each row, 0 to 1.

        Raises
        ------
        ModelError
            If the log-odds of a risk are further than :data:`TOLERANCE` from those of its row.

        Examples
        --------
        >>> parts = pd.DataFrame({"fsm_now": [32.0]})
        >>> made = Explanation(base_value=-2.0, contributions=parts, features=parts,
        ...                    log_odds=np.array([30.0]))
        >>> made.check_risks([0.9999999999999065])
        >>> made.check_risks([0.99])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        riskmodel.errors.ModelError: The reasons of row 0 do not add up to its risk: ...
        """
        given, log_odds = np.asarray(risk, dtype=float), np.asarray(self.log_odds, dtype=float)
        low, high = expit(log_odds - TOLERANCE), expit(log_odds + TOLERANCE)
        wrong = ~((low * (1 - ROUNDING) <= given) & (given <= high * (1 + ROUNDING)))
        if wrong.any():
            row = int(wrong.argmax())
            raise ModelError(
                f"The reasons of row {row} do not add up to its risk: they give "
                f"{expit(log_odds[row]):.8g}, the scores {given[row]:.8g}. Score the pupils again."
            )

    def take(self, rows: NDArray[np.int64]) -> Explanation:
        """Return the explanation of some rows.

        Parameters
        ----------
        rows : int array of shape (n_chosen,)
            Positions of the rows, in the order wanted.

        Returns
        -------
        Explanation
            Rows numbered from 0.

        Examples
        --------
        >>> parts = pd.DataFrame({"fsm_now": [0.5, 0.0]})
        >>> made = Explanation(base_value=-2.0, contributions=parts, features=parts,
        ...                    log_odds=np.array([-1.5, -2.0]))
        >>> made.take(np.array([1])).contributions["fsm_now"].tolist()
        [0.0]
        """
        return replace(
            self,
            contributions=self.contributions.iloc[rows].reset_index(drop=True),
            features=self.features.iloc[rows].reset_index(drop=True),
            log_odds=np.asarray(self.log_odds)[rows],
        )

    def to_shap(self) -> shap.Explanation:
        """Return the same numbers as shap's own object, so that its plots work.

        Returns
        -------
        shap.Explanation
            Values in calibrated log-odds, one row per pupil; ``shap.plots.waterfall`` takes one
            row of it, ``shap.plots.beeswarm`` all.
        """
        import shap  # slow to import, and needed for its plots only

        return shap.Explanation(
            values=self.contributions.to_numpy(dtype=float),
            base_values=np.full(len(self.contributions), self.base_value),
            data=self.features.to_numpy(dtype=float),
            feature_names=[str(name) for name in self.contributions.columns],
        )


def _holds_numbers(frame: pd.DataFrame) -> bool:
    return all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes)
