"""The whole story of a few pupils: reasons and strengths with their size, questions, and gaps.

In:  an assessment; the pupils asked for.
Out: :class:`Story`, three long frames and the text that can be read out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.assess import Assessment
from riskmodel.data import Tables
from riskmodel.errors import RequestError
from riskmodel.explain.gaps import find_gaps
from riskmodel.explain.questions import ask
from riskmodel.explain.reasons import (
    risk_factors,
    say,
    typical_of,
    write_factor,
)
from riskmodel.explain.robustness import is_robust
from riskmodel.explain.subjects import SubjectTotals, subject_totals

__all__ = ["Story", "interactions", "story"]

NOTED = (
    " (this lowers the risk in the model; a need is not a strength, and the data do not say why)"
)
"""Said after something borne that lowers the risk."""

SMALLEST_TOLD = 1.05
"""A subject is told here only if it changes the odds by this factor or more; the others are added up."""

REST = "Everything else together"

COLUMNS = [
    "pupil_id",
    "order",
    "direction",
    "theme",
    "subject",
    "sentence",
    "factor",
    "size",
    "weak",
]

HEADINGS = (("protects", "What protects"), ("noted", "Noted"), ("raises", "What raises the risk"),
            ("rest", ""))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Story:
    """What can be said of some pupils.

    Attributes
    ----------
    reasons : DataFrame
        ``pupil_id, order, direction, theme, subject, sentence, factor, size, weak``. ``direction``
        is ``protects``, ``raises``, ``noted`` (something borne that lowers the risk, which is not
        a strength) or ``rest`` (all that is not told). ``factor`` is the risk over the risk without
        the subject, ``size`` the same in words. ``weak`` is missing where it could not be tested.
    questions : DataFrame
        ``pupil_id, code, question, because``.
    gaps : DataFrame
        ``pupil_id, sentence``: what is not known or out of date.
    """

    reasons: pd.DataFrame = field(repr=False)
    questions: pd.DataFrame = field(repr=False)
    gaps: pd.DataFrame = field(repr=False)

    def frame(self) -> pd.DataFrame:
        """Return a copy of the reasons.

        Returns
        -------
        DataFrame
            One row per pupil and subject.
        """
        return self.reasons.copy()

    def text(self, pupil_id: str) -> str:
        """Write the story of one pupil, to be read out.

        Parameters
        ----------
        pupil_id : str
            One of the pupils asked for.

        Returns
        -------
        str
            Lines: what protects, what raises the risk, what to ask, what is not known.
        """
        own = self.reasons[self.reasons["pupil_id"] == pupil_id]
        lines = []
        for direction, heading in HEADINGS:
            rows = own[own["direction"] == direction]
            lines += [heading] if heading and len(rows) else []
            mark = np.where(rows["weak"].fillna(False).to_numpy(dtype=bool), " – weak", "")
            lines += ("- " + rows["sentence"] + " (" + rows["size"] + ")" + mark).tolist()
        asked = self.questions[self.questions["pupil_id"] == pupil_id]
        lines += ["Questions to ask"] if len(asked) else []
        lines += [f"- {row.question} ({row.because})" for row in asked.itertuples(index=False)]
        unknown = self.gaps.loc[self.gaps["pupil_id"] == pupil_id, "sentence"]
        lines += ["Not known"] if len(unknown) else []
        return "\n".join([*lines, *(f"- {sentence}" for sentence in unknown)])

    def _repr_html_(self) -> str:
        return "".join(
            frame.to_html(index=False, escape=True, na_rep="–")
            for frame in (self.reasons, self.questions, self.gaps)
        )


def story(
    assessment: Assessment, pupils: list[str] | None = None, *, tables: Tables | None = None
) -> Story:
    """Tell the story of some pupils.

    Parameters
    ----------
    assessment : Assessment
        Scores with contributions.
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
    rows = _rows_of(assessment, pupils)
    contributions = assessment.contributions.iloc[rows].reset_index(drop=True)
    features = assessment.features.iloc[rows].reset_index(drop=True)
    pupil_id = assessment.scores["pupil_id"].iloc[rows].reset_index(drop=True)
    return Story(
        reasons=_reasons(assessment, contributions, features, pupil_id),
        questions=ask(features, pupil_id),
        gaps=find_gaps(features, pupil_id, as_of=assessment.as_of, tables=tables),
    )


def interactions(assessment: Assessment, pupils: list[str]) -> pd.DataFrame:
    """Return which facts act together for a few pupils: exact Shapley interaction values.

    Parameters
    ----------
    assessment : Assessment
        Made by a model.
    pupils : list of str
        ``pupil_id`` of the pupils.

    Returns
    -------
    DataFrame of shape (n_pupils * n_features, n_features)
        Calibrated log-odds, index ``pupil_id`` and ``feature``: on the diagonal what a feature does by
        itself, beside it half of what two do together. A row adds up to the feature's contribution.

    Raises
    ------
    RequestError
        If a pupil is not in the assessment, or asked for twice, or no model made the assessment.
    """
    rows = _rows_of(assessment, pupils)
    if assessment.model is None:
        raise RequestError(
            "Interactions need the model that made the assessment, and this one was put together "
            "without. Make it with RiskModel.assess."
        )
    model, features = assessment.model, assessment.features.iloc[rows]
    values = model.ensemble.interactions(features.to_numpy(dtype=np.float32))
    names = [str(name) for name in features.columns]
    index = pd.MultiIndex.from_product([pupils, names], names=["pupil_id", "feature"])
    return pd.DataFrame(
        model.calibration.slope * values.reshape(-1, len(names)), index=index, columns=names
    )


def _rows_of(assessment: Assessment, pupils: list[str] | None) -> NDArray[np.int64]:
    everyone = assessment.scores["pupil_id"].astype("str").to_numpy().astype("U")
    if pupils is None:
        order = np.lexsort((everyone, -assessment.scores["risk"].to_numpy()))
        return np.asarray(order[: assessment.capacity])
    rows = pd.Index(everyone).get_indexer(pd.Index(pupils, dtype=object))
    if (rows < 0).any():
        unknown = pupils[int((rows < 0).argmax())]
        raise RequestError(
            f"Pupil {unknown!r} is not among the {len(everyone):,} pupils assessed on "
            f"{assessment.as_of:%Y-%m-%d}. Ask for pupils of this list."
        )
    if len(set(pupils)) < len(pupils):
        raise RequestError("A pupil is asked for twice. Ask for each pupil once.")
    return np.asarray(rows)


def _reasons(
    assessment: Assessment,
    contributions: pd.DataFrame,
    features: pd.DataFrame,
    pupil_id: pd.Series,
) -> pd.DataFrame:
    weighed = subject_totals(contributions, features, typical_of(assessment))
    log_odds = assessment.base_value + contributions.to_numpy().sum(axis=1)
    limit = float(np.log(SMALLEST_TOLD))
    noted = np.where(weighed.protecting < 0, weighed.present, -1)
    sides = [
        ("raises", 1, np.where(weighed.totals >= limit, weighed.raising, -1)),
        ("protects", -1, np.where(weighed.totals <= -limit, weighed.protecting, -1)),
        ("noted", -1, np.where(weighed.totals <= -limit, noted, -1)),
    ]
    parts = [_told(weighed, features, *side) for side in sides]
    told = pd.concat([*parts, _rest(contributions, weighed, parts, limit)], ignore_index=True)
    told["factor"] = risk_factors(log_odds[told["row"]], told["total"].to_numpy())
    told["size"] = [write_factor(factor) for factor in told["factor"].tolist()]
    told["weak"] = _weak(assessment, features, told, limit)
    told["pupil_id"] = pupil_id.astype("str").to_numpy()[told["row"]]
    told = told.sort_values(["row", "place", "factor"], kind="stable", ignore_index=True)
    told["order"] = told.groupby("row").cumcount() + 1
    texts = ["pupil_id", "direction", "theme", "subject", "sentence", "size"]
    return told[COLUMNS].astype(dict.fromkeys(texts, "str"))


def _told(
    weighed: SubjectTotals,
    features: pd.DataFrame,
    direction: str,
    sign: int,
    speaker: NDArray[np.int64],
) -> pd.DataFrame:
    """Return the sentences of one direction; strengths come before all else."""
    row, subject = np.nonzero(speaker >= 0)
    words = say(weighed, row, subject, speaker[row, subject], features, sign)
    if direction == "noted":
        words = np.array([f"{text}{NOTED}" for text in words], dtype=object)
    place = np.zeros(len(row)) if direction == "protects" else weighed.places[subject]
    return pd.DataFrame({
        "row": row, "number": subject, "place": place, "direction": direction,
        "theme": np.array(weighed.themes, dtype=object)[subject],
        "subject": np.array(weighed.subjects, dtype=object)[subject],
        "sentence": words, "total": weighed.totals[row, subject],
    })  # fmt: skip


def _rest(
    contributions: pd.DataFrame, weighed: SubjectTotals, parts: list[pd.DataFrame], limit: float
) -> pd.DataFrame:
    """Return what all that is not told adds, so that nothing is hidden."""
    rest = contributions.to_numpy().sum(axis=1)
    for part in parts:
        np.subtract.at(rest, part["row"].to_numpy(), part["total"].to_numpy())
    row = np.flatnonzero(np.abs(rest) >= limit)
    return pd.DataFrame({
        "row": row, "number": -1, "place": np.inf, "direction": "rest", "theme": "", "subject": "",
        "sentence": REST, "total": rest[row],
    })  # fmt: skip


def _weak(
    assessment: Assessment, features: pd.DataFrame, told: pd.DataFrame, limit: float
) -> pd.api.extensions.ExtensionArray:
    """Say which reasons do not survive; missing where there is no model to ask, or nothing told."""
    weak = pd.array([pd.NA] * len(told), dtype="boolean")
    if assessment.model is None:
        return weak
    raises, lowers = is_robust(assessment.model, features, limit)
    is_told = (told["number"] >= 0).to_numpy()
    row, number = (told.loc[is_told, name].to_numpy() for name in ("row", "number"))
    up = (told.loc[is_told, "total"] > 0).to_numpy()
    weak[is_told] = ~np.where(up, raises[row, number], lowers[row, number])
    return weak
