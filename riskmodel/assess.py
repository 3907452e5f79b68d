"""The Assessment: scores, their explanation and their audit, which never come apart; and its list.

In:  risks with intervals, an explanation, an audit; the ranking before.
Out: :class:`Assessment`, which refuses to exist without all three; :func:`rank`, one row per pupil,
best first, with who is near the line and what changed since the ranking before.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from riskmodel.data import Tables
from riskmodel.data.stopped_registers import stopped_schools
from riskmodel.data.write import records
from riskmodel.display import html_table, write_intervals
from riskmodel.errors import ModelError, RequestError
from riskmodel.evaluation.capacity import rank_on_list
from riskmodel.explain import Explanation, Story, compose_story, interactions, reasons_in_words
from riskmodel.explain.explanation import TOLERANCE
from riskmodel.fairness import Audit
from riskmodel.training.calibrated import CalibratedEnsemble

__all__ = ["Assessment", "ListPart", "check_capacity", "last_near", "rank"]

NEAR_SHARE = 0.1
"""Pupils just below the line who are shown too, as a share of the capacity."""

STEADY_SHARE = 0.25
"""A rank within this share of the former rank is steady."""

SHOWN = 5
"""Pupils that a notebook shows."""

NOT_JUDGED_COLUMNS = ("pupil_id", "school_id", "year_group", "since")

SCORE_COLUMNS = ("pupil_id", "school_id", "year_group", "risk", "risk_low", "risk_high")


@dataclass(frozen=True, kw_only=True)
class ListPart:
    """Which of the two parts of a list an assessment is.

    Attributes
    ----------
    name : str
        ``"known"``, the highest risks of the whole cohort; ``"emerging"``, children never suspended.
    outcome : str
        Outcome of the list, by whose risk the known part is ranked.
    ranked_by : str
        Outcome by whose risk the emerging part is ranked.
    places : (int, int)
        Places of the known part, and of the emerging part.
    pupils : (int, int)
        Pupils among whom each part was chosen.
    """

    name: Literal["known", "emerging"]
    outcome: str
    ranked_by: str
    places: tuple[int, int]
    pupils: tuple[int, int]

    @property
    def is_emerging(self) -> bool:
        """Whether the part holds children never suspended alone."""
        return self.name == "emerging"


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """A scored cohort with reasons and audit.

    Attributes
    ----------
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.
    as_of : Timestamp
        Nothing recorded on or after it was used.
    capacity : int
        Pupils the service can see.
    scores : DataFrame
        ``pupil_id, school_id, year_group, risk, risk_low, risk_high``; one row per pupil.
    explanation : Explanation
        Base value, contributions and the values explained, rows as in ``scores``; they add up to
        the log-odds of the risk.
    audit : Audit
        Equality audit of the list at ``capacity``.
    backtest : dict or None
        How the ranker did on earlier lists.
    provenance : dict
        Versions, digests, where the model came from, the day of the ranking that a list is compared
        with; JSON-ready.
    calibrated : CalibratedEnsemble or None
        What scored the pupils, for further questions about them: which reasons most bags give,
        which facts act together. None where an assessment was put together by hand.
    not_judged : DataFrame
        ``pupil_id, school_id, year_group, since`` of pupils whose registers stopped
        (:func:`riskmodel.cohort.not_judged`). They have no score and no rank, and take no place.
    part : ListPart or None
        Which part of a list this is; None where it is the whole list.

    Raises
    ------
    ModelError
        If explanation or audit are missing, rows do not match, a pupil is scored twice, a risk is
        not between 0 and 1 or outside its interval, or the explanation adds up to another risk.
    """

    outcome: str
    as_of: pd.Timestamp
    capacity: int
    scores: pd.DataFrame = field(repr=False)
    explanation: Explanation = field(repr=False)
    audit: Audit = field(repr=False)
    backtest: dict[str, Any] | None = field(repr=False)
    provenance: dict[str, Any] = field(repr=False)
    calibrated: CalibratedEnsemble | None = field(repr=False, default=None)
    not_judged: pd.DataFrame = field(
        repr=False, default_factory=lambda: pd.DataFrame(columns=list(NOT_JUDGED_COLUMNS))
    )
    part: ListPart | None = None

    def __post_init__(self) -> None:
        """Refuse an assessment without an explanation of its risks, or without audit."""
        for name, kind in (
            ("scores", pd.DataFrame),
            ("explanation", Explanation),
            ("audit", Audit),
        ):
            if not isinstance(getattr(self, name), kind):
                raise ModelError(
                    f"An assessment needs its {name}, a {kind.__name__}. "
                    "Make it with RiskModel.assess."
                )
        self._check_rows()
        self._check_risks()
        self.explanation.check_risks(self.scores["risk"])

    def _check_rows(self) -> None:
        missing = [name for name in SCORE_COLUMNS if name not in self.scores]
        if missing:
            raise ModelError(
                f"The scores have no column '{missing[0]}'. Give {', '.join(SCORE_COLUMNS)}."
            )
        if not self.explanation.features.index.equals(self.scores.index):
            raise ModelError(
                "An assessment needs the explanation of every pupil, in the rows of the scores. "
                "Make it with RiskModel.assess."
            )
        if (row := _first_row(self.scores["pupil_id"].duplicated().to_numpy())) is not None:
            raise ModelError(
                f"Row {row} of the scores holds a pupil who has a row already. "
                "Score every pupil once."
            )

    def _check_risks(self) -> None:
        risk, low, high = (
            self.scores[name].to_numpy(dtype=float) for name in ("risk", "risk_low", "risk_high")
        )
        rounded = risk == expit(self.explanation.log_odds)  # 0 or 1 far out, and no mistake
        if (row := _first_row(~((risk > 0) & (risk < 1) | rounded))) is not None:
            raise ModelError(
                f"Every risk must lie between 0 and 1, both excluded; row {row} has {risk[row]}."
            )
        outside = ~((low <= risk + TOLERANCE) & (risk <= high + TOLERANCE))
        if (row := _first_row(outside)) is not None:
            raise ModelError(
                f"Every risk must lie within its interval; row {row} has {risk[row]:.4g} with "
                f"{low[row]:.4g} to {high[row]:.4g}."
            )

    def story(self, pupils: list[str] | None = None, *, tables: Tables | None = None) -> Story:
        """Return the whole story of some pupils: reasons, strengths, questions, gaps.

        Parameters
        ----------
        pupils : list of str, optional
            ``pupil_id`` of the pupils; those within the capacity, highest risk first, where left out.
        tables : Tables, optional
            The LA's facts, for the day of the last mark.

        Returns
        -------
        Story
            Pupils in the order asked for.

        Raises
        ------
        RequestError
            If a pupil is not in the assessment, or asked for twice.
        """
        rows = _order(self.scores)[: self.capacity] if pupils is None else self._rows_of(pupils)
        return compose_story(
            self.explanation.take(rows),
            self.scores["pupil_id"].iloc[rows].reset_index(drop=True),
            as_of=self.as_of,
            calibrated=self.calibrated,
            tables=tables,
        )

    def interactions(self, pupils: list[str]) -> pd.DataFrame:
        """Return which facts act together for a few pupils: exact Shapley interaction values.

        Parameters
        ----------
        pupils : list of str
            ``pupil_id`` of the pupils.

        Returns
        -------
        DataFrame of shape (n_pupils * n_features, n_features)
            As :func:`riskmodel.explain.interactions`.

        Raises
        ------
        RequestError
            If a pupil is not in the assessment, or asked for twice, or no model made the assessment.
        """
        rows = self._rows_of(pupils)
        if self.calibrated is None:
            raise RequestError(
                "Interactions need the model that made the assessment, and this one was put together "
                "without. Make it with RiskModel.assess."
            )
        return interactions(self.explanation.features.iloc[rows], pupils, self.calibrated)

    def _rows_of(self, pupils: list[str]) -> NDArray[np.int64]:
        rows = pd.Index(self.scores["pupil_id"].astype("str")).get_indexer(
            pd.Index(pupils, dtype="str")
        )
        if (rows < 0).any():
            unknown = pupils[int((rows < 0).argmax())]
            raise RequestError(
                f"Pupil {unknown!r} is not among the {len(self.scores):,} pupils assessed on "
                f"{self.as_of:%Y-%m-%d}. Ask for pupils of this list."
            )
        if len(set(pupils)) < len(pupils):
            raise RequestError("A pupil is asked for twice. Ask for each pupil once.")
        return np.asarray(rows)

    def stopped_schools(self) -> pd.DataFrame:
        """Return the schools whose registers stopped, with how many pupils could not be judged.

        Returns
        -------
        DataFrame
            As :func:`riskmodel.data.stopped_registers.stopped_schools`.
        """
        groups = self.not_judged.groupby(["school_id", "year_group"], as_index=False).agg(
            pupils=("pupil_id", "size"), since=("since", "min")
        )
        return stopped_schools(groups)

    def to_dict(self) -> dict[str, Any]:
        """Return what made the assessment, without any pupil.

        Returns
        -------
        dict
            JSON-ready: outcome, day, capacity, counts, schools whose registers stopped, backtest,
            provenance; which part of a list it is, where it is one.
        """
        stopped = self.stopped_schools()
        return {
            "outcome": self.outcome,
            "as_of": f"{self.as_of:%Y-%m-%d}",
            "capacity": self.capacity,
            "pupils": len(self.scores),
            "not_judged": len(self.not_judged),
            "registers_stopped": records(stopped),
            "features": self.explanation.contributions.shape[1],
            "base_value": self.explanation.base_value,
            "expected_events": float(self.scores["risk"].sum()),
            "backtest": self.backtest,
            "provenance": self.provenance,
            **({} if self.part is None else {"part": asdict(self.part)}),
        }

    def _repr_html_(self) -> str:
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


def _first_row(wrong: NDArray[np.bool_]) -> int | None:
    """Return the first row where something is wrong, None where nothing is."""
    return int(wrong.argmax()) if wrong.any() else None


def check_capacity(capacity: int, n_pupils: int) -> None:
    """Refuse a capacity that does not fit the cohort.

    Parameters
    ----------
    capacity : int
        Pupils the service can see.
    n_pupils : int
        Pupils in the cohort.

    Raises
    ------
    RequestError
        If the capacity is below 1 or above the cohort's size.
    """
    if not 1 <= capacity <= n_pupils:
        raise RequestError(
            f"Capacity must be between 1 and the {n_pupils} pupils of the cohort; got {capacity}. "
            "Choose the number of pupils the service can see."
        )


def last_near(capacity: int) -> int:
    """Return the last place that is near the line.

    Parameters
    ----------
    capacity : int
        Pupils the service can see.

    Returns
    -------
    int
        The capacity and a tenth of it, at least one more.
    """
    return capacity + max(1, math.ceil(NEAR_SHARE * capacity))


def rank(assessment: Assessment, *, previous: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rank the cohort.

    Parameters
    ----------
    assessment : Assessment
        Scores, reasons, audit.
    previous : DataFrame, optional
        An earlier ranking, with ``pupil_id`` and ``rank``.

    Returns
    -------
    DataFrame
        ``rank, selected, pupil_id, school_id, year_group, risk, risk_low, risk_high, band, change,
        reason_1..3, strength_1..2``; every pupil, highest risk first. ``band`` is ``listed``,
        ``near the line`` (the next tenth of the capacity, at least one pupil) or ``not listed``.
        ``change`` is ``new``, ``rising``, ``steady`` (within a quarter of the former rank),
        ``falling``, or ``first list`` where there is no previous ranking.

    Raises
    ------
    RequestError
        If the capacity does not fit the cohort, or ``previous`` is not a ranking.
    """
    check_capacity(assessment.capacity, len(assessment.scores))
    order = _order(assessment.scores)
    calibrated = assessment.calibrated
    typical = None if calibrated is None else calibrated.typical
    sentences = reasons_in_words(assessment.explanation, typical)
    ranking = pd.concat([assessment.scores, sentences], axis=1).iloc[order]
    ranking = ranking.reset_index(drop=True).astype({"pupil_id": "str"})
    place = np.arange(1, len(ranking) + 1)
    ranking.insert(0, "rank", place)
    ranking.insert(1, "selected", place <= assessment.capacity)
    at = list(ranking.columns).index("risk_high") + 1
    ranking.insert(at, "band", _bands(place, assessment.capacity))
    ranking.insert(at + 1, "change", _change(ranking, previous))
    return ranking


def _bands(place: NDArray[np.int64], capacity: int) -> NDArray[np.str_]:
    """Return for each place whether it is listed, near the line or neither."""
    bounds = [place <= capacity, place <= last_near(capacity)]
    return np.select(bounds, ["listed", "near the line"], "not listed")


def _order(scores: pd.DataFrame) -> NDArray[np.int64]:
    """Return the rows in the order of the list."""
    return np.argsort(rank_on_list(scores["risk"], scores["pupil_id"]))


def _check_previous(previous: pd.DataFrame) -> None:
    missing = [name for name in ("pupil_id", "rank") if name not in previous]
    if missing:
        raise RequestError(
            f"The previous list has no column '{missing[0]}'. Give a ranking with one row per pupil."
        )
    if previous["pupil_id"].duplicated().any():
        raise RequestError("The previous list holds a pupil twice. Give one row per pupil.")


def _change(ranking: pd.DataFrame, previous: pd.DataFrame | None) -> NDArray[np.object_]:
    """Return whether each pupil is new, rising, steady or falling since the previous list."""
    if previous is None:
        return np.full(len(ranking), "first list", dtype=object)
    _check_previous(previous)
    before = previous.set_index(previous["pupil_id"].astype("str"))["rank"]
    was = ranking["pupil_id"].map(before).to_numpy(dtype=float)
    now = ranking["rank"].to_numpy(dtype=float)
    room = np.maximum(1.0, STEADY_SHARE * was)
    return np.select(
        [np.isnan(was), now < was - room, now > was + room], ["new", "rising", "falling"], "steady"
    ).astype(object)
