"""The whole story of a few pupils: reasons and strengths with their size, questions, and gaps.

In:  the explanation of the pupils asked for; what scored them.
Out: :class:`Story`, three long frames and the text that can be read out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.explain.explanation import Explanation
from riskmodel.explain.gaps import find_gaps
from riskmodel.explain.questions import ask
from riskmodel.explain.reasons import risk_factors, write_factor, write_sentences
from riskmodel.explain.robustness import is_robust
from riskmodel.explain.subjects import SubjectTotals, subject_totals
from riskmodel.training.calibrated import CalibratedEnsemble

__all__ = ["Story", "compose_story", "interactions"]

NOTED = (
    " (this lowers the risk in the model; a need is not a strength, and the data do not say why)"
)
"""End of the sentence of something borne that lowers the risk."""

SMALLEST_SHOWN = 1.05
"""Smallest factor of the odds that gives a subject its own sentence; the others are added up."""

LIMIT = float(np.log(SMALLEST_SHOWN))
"""The same in log-odds."""

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

HEADINGS = (
    ("protects", "What protects"),
    ("noted", "Noted"),
    ("raises", "What raises the risk"),
    ("rest", ""),
)


@dataclass(frozen=True, kw_only=True)
class Story:
    """Reasons, questions and gaps of some pupils.

    Attributes
    ----------
    reasons : DataFrame
        ``pupil_id, order, direction, theme, subject, sentence, factor, size, weak``. ``direction``
        is ``protects``, ``raises``, ``noted`` (something borne that lowers the risk, which is not
        a strength) or ``rest`` (everything without a sentence). ``factor`` is the risk over the risk without
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


def compose_story(
    explanation: Explanation,
    pupil_id: pd.Series,
    *,
    as_of: pd.Timestamp,
    calibrated: CalibratedEnsemble | None = None,
    tables: Tables | None = None,
) -> Story:
    """Return the story of some pupils.

    Parameters
    ----------
    explanation : Explanation
        Contributions and values of these pupils, rows numbered from 0.
    pupil_id : Series of shape (n_pupils,)
        The pupils, in the same rows.
    as_of : Timestamp
        The day of the list.
    calibrated : CalibratedEnsemble, optional
        What scored the pupils; without it nothing is known of which reasons are weak.
    tables : Tables, optional
        The LA's facts, for the day of the last mark.

    Returns
    -------
    Story
        Pupils in the order given.
    """
    features = explanation.features
    return Story(
        reasons=_reasons(explanation, pupil_id, calibrated),
        questions=ask(features, pupil_id),
        gaps=find_gaps(features, pupil_id, as_of=as_of, tables=tables),
    )


def interactions(
    features: pd.DataFrame, pupil_id: list[str], calibrated: CalibratedEnsemble
) -> pd.DataFrame:
    """Return which facts act together for a few pupils: exact Shapley interaction values.

    Parameters
    ----------
    features : DataFrame of shape (n_pupils, n_features)
        Their values, columns as in training.
    pupil_id : list of str
        The pupils, in the same rows.
    calibrated : CalibratedEnsemble
        What scored the pupils.

    Returns
    -------
    DataFrame of shape (n_pupils * n_features, n_features)
        Calibrated log-odds, index ``pupil_id`` and ``feature``: on the diagonal what a feature does by
        itself, beside it half of what two do together. A row adds up to the feature's contribution.
    """
    values = calibrated.interactions(features.to_numpy(dtype=np.float32))
    names = [str(name) for name in features.columns]
    index = pd.MultiIndex.from_product([pupil_id, names], names=["pupil_id", "feature"])
    return pd.DataFrame(values.reshape(-1, len(names)), index=index, columns=names)


def _reasons(
    explanation: Explanation, pupil_id: pd.Series, calibrated: CalibratedEnsemble | None
) -> pd.DataFrame:
    contributions, features = explanation.contributions, explanation.features
    typical = None if calibrated is None else calibrated.typical
    subjects = subject_totals(contributions, features, typical, months_held=explanation.months_held)
    held = explanation.months_held
    parts = [_side(subjects, features, *side, months_held=held) for side in _sides(subjects)]
    rows = pd.concat([*parts, _rest(contributions, parts)], ignore_index=True)
    rows["factor"] = risk_factors(explanation.log_odds[rows["row"]], rows["total"].to_numpy())
    rows["size"] = [write_factor(factor) for factor in rows["factor"].tolist()]
    rows["weak"] = _weak(calibrated, features, rows)
    rows["pupil_id"] = pupil_id.astype("str").to_numpy()[rows["row"]]
    rows = rows.sort_values(["row", "place", "factor"], kind="stable", ignore_index=True)
    rows["order"] = rows.groupby("row").cumcount() + 1
    texts = ["pupil_id", "direction", "theme", "subject", "sentence", "size"]
    return rows[COLUMNS].astype(dict.fromkeys(texts, "str"))


def _sides(subjects: SubjectTotals) -> list[tuple[str, int, NDArray[np.int64]]]:
    """Return each direction, its sign, and the column whose words are used; -1 for no sentence."""
    raises, lowers = subjects.totals >= LIMIT, subjects.totals <= -LIMIT
    noted = np.where(subjects.protecting < 0, subjects.present, -1)
    return [
        ("raises", 1, np.where(raises, subjects.raising, -1)),
        ("protects", -1, np.where(lowers, subjects.protecting, -1)),
        ("noted", -1, np.where(lowers, noted, -1)),
    ]


def _side(
    subjects: SubjectTotals,
    features: pd.DataFrame,
    direction: str,
    sign: int,
    wording: NDArray[np.int64],
    *,
    months_held: Mapping[str, float],
) -> pd.DataFrame:
    """Return the sentences of one direction; strengths come before all else."""
    row, subject = np.nonzero(wording >= 0)
    sentences = write_sentences(features, row, wording[row, subject], sign, months_held=months_held)
    if direction == "noted":
        sentences = np.array([f"{text}{NOTED}" for text in sentences], dtype=object)
    return pd.DataFrame(
        {
            "row": row,
            "number": subject,
            "place": 0.0 if direction == "protects" else subjects.places[subject].astype(float),
            "direction": direction,
            "theme": np.array(subjects.themes, dtype=object)[subject],
            "subject": np.array(subjects.subjects, dtype=object)[subject],
            "sentence": sentences,
            "total": subjects.totals[row, subject],
        }
    )


def _rest(contributions: pd.DataFrame, parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return what everything without a sentence adds, so that nothing is hidden."""
    rest = contributions.to_numpy().sum(axis=1)
    for part in parts:
        np.subtract.at(rest, part["row"].to_numpy(), part["total"].to_numpy())
    row = np.flatnonzero(np.abs(rest) >= LIMIT)
    return pd.DataFrame(
        {
            "row": row,
            "number": -1,
            "place": np.inf,
            "direction": "rest",
            "theme": "",
            "subject": "",
            "sentence": REST,
            "total": rest[row],
        }
    )


def _weak(
    calibrated: CalibratedEnsemble | None, features: pd.DataFrame, rows: pd.DataFrame
) -> pd.api.extensions.ExtensionArray:
    """Return which reasons fail the tests; missing where nothing can be tested."""
    weak = pd.array([pd.NA] * len(rows), dtype="boolean")
    if calibrated is None:
        return weak
    raises, lowers = is_robust(calibrated, features, LIMIT)
    has_subject = (rows["number"] >= 0).to_numpy()
    row, number = (rows.loc[has_subject, name].to_numpy() for name in ("row", "number"))
    up = (rows.loc[has_subject, "total"] > 0).to_numpy()
    weak[has_subject] = ~np.where(up, raises[row, number], lowers[row, number])
    return weak
