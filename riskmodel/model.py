"""The risk model: what is saved, what is loaded, and what turns facts into an Assessment.

In:  tables and a day.
Out: an :class:`~riskmodel.assess.Assessment`; there is no other way from a model to a score.

A saved model is a folder with ``model.json`` and ``arrays.npz``: numbers and text. Loading it runs
no code from it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.assess import Assessment, check_capacity, last_near
from riskmodel.card import ModelCard
from riskmodel.cohort import judged_and_not
from riskmodel.data import Tables
from riskmodel.data.data_span import months_held
from riskmodel.data.outcomes import OUTCOMES
from riskmodel.errors import HistoryError, ModelError
from riskmodel.evaluation.capacity import rank_on_list
from riskmodel.explain import Explanation, reasons_in_words
from riskmodel.fairness import Audit, audit_list, groups_at
from riskmodel.features import build
from riskmodel.training.affine_calibration import AffineCalibration
from riskmodel.training.calibrated import RISKS, CalibratedEnsemble
from riskmodel.training.ensemble import Ensemble
from riskmodel.training.rate_range import RateRange

__all__ = ["RiskModel"]

FORMAT = 4
"""Version of the saved form."""


@dataclass(frozen=True, kw_only=True)
class RiskModel:
    """A fitted, calibrated model of one outcome.

    Attributes
    ----------
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.
    features : tuple of str
        Columns, in order.
    calibrated : CalibratedEnsemble
        The fitted recipe and its calibration.
    card : ModelCard
        What it carries of its making: day, counts, fingerprints, settings, backtest, audit.
    """

    outcome: str
    features: tuple[str, ...]
    calibrated: CalibratedEnsemble
    card: ModelCard = field(repr=False)

    def assess(
        self,
        tables: Tables,
        *,
        as_of: pd.Timestamp,
        capacity: int,
        provenance: dict[str, Any] | None = None,
        engine: Literal["local", "spark"] = "local",
        among: pd.Series | None = None,
    ) -> Assessment:
        """Score the cohort of a day, with reasons and audit.

        Parameters
        ----------
        tables : Tables
            The LA's facts; only those recorded before ``as_of`` are used.
        as_of : Timestamp
            The day of the list.
        capacity : int
            Pupils the service can see.
        provenance : dict, optional
            Where facts and model came from; written beside the list.
        engine : str
            ``"spark"`` builds features, scores and contributions on PySpark; the same
            numbers, to rounding.
        among : Series of shape (n_pupils,), optional
            ``pupil_id`` of the only pupils who can be listed; of others nothing is in the assessment. A
            pupil's risk and reasons do not depend on it.

        Returns
        -------
        Assessment
            Scores with intervals, exact contributions, audit; pupils whose registers stopped have no
            score, and are counted (:func:`riskmodel.cohort.not_judged`).

        Raises
        ------
        HistoryError
            If nobody is in the cohort on that day.
        RequestError
            If the capacity does not fit the cohort.
        ModelError
            If the tables lack what the model's features are made of.
        """
        spine, left_out = self._cohort_of(tables, as_of, among)
        check_capacity(capacity, len(spine))
        if engine == "spark":
            risks, explanation = self._explain_on_spark(tables, spine)
        else:
            risks, explanation = self._explain(self._columns_of(build(tables, spine)))
        explanation = replace(explanation, months_held=months_held(tables, as_of))
        scores = pd.concat([spine.drop(columns="as_of"), risks], axis=1)
        audit = self._audit(groups_at(tables, spine), scores, capacity)
        return Assessment(
            outcome=self.outcome,
            as_of=as_of,
            capacity=capacity,
            scores=scores,
            explanation=explanation,
            audit=replace(audit, not_judged=len(left_out)),
            backtest=self.card.backtest,
            provenance={**self.card.trained.to_dict(), **(provenance or {})},
            calibrated=self.calibrated,
            not_judged=left_out,
        )

    def _cohort_of(
        self, tables: Tables, as_of: pd.Timestamp, among: pd.Series | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the pupils to judge, and without a day those whose registers stopped."""
        spine, left_out = judged_and_not(tables, as_of, self.outcome)
        if among is not None:
            spine, left_out = (
                rows[rows["pupil_id"].isin(among).to_numpy()].reset_index(drop=True)
                for rows in (spine, left_out)
            )
        if spine.empty:
            why = f" Registers stopped for all {len(left_out):,} pupils." if len(left_out) else ""
            raise HistoryError(
                f"No pupil is in the {self.outcome} cohort on {as_of:%Y-%m-%d}.{why} "
                "Choose a day within the data's span."
            )
        return spine, left_out.drop(columns="as_of")

    def _audit(self, groups: pd.DataFrame, scores: pd.DataFrame, capacity: int) -> Audit:
        """Return the audit of the list, with that of the model."""
        ranks = rank_on_list(scores["risk"], scores["pupil_id"])
        selected = ranks <= capacity
        this_list = audit_list(
            groups,
            selected,
            scores["risk"],
            near=(ranks <= last_near(capacity)) & ~selected,
            school=scores["school_id"],
            pupil_id=scores["pupil_id"],
        )
        model = {name: pd.DataFrame(rows) for name, rows in self.card.audit.items()}
        return Audit(this_list=this_list, model=model, note=self.card.audit_note)

    def _explain_on_spark(
        self, tables: Tables, spine: pd.DataFrame
    ) -> tuple[pd.DataFrame, Explanation]:
        """Return what :meth:`_explain` makes of the features, from the workers."""
        from riskmodel.features.build_spark import map_parts

        def explained(part: pd.DataFrame) -> NDArray[np.float64]:
            X = self._columns_of(part)
            scored = self.calibrated.score(X.to_numpy(dtype=np.float32))
            base = np.full(len(X), scored.base_value)
            return np.column_stack([base, scored.log_odds, scored.risks(), X, scored.contributions])

        made = map_parts(tables, spine, explained)
        names, at = list(self.features), 2 + len(RISKS)
        risks = pd.DataFrame(made[:, 2:at], columns=list(RISKS))
        X, contributions = np.split(made[:, at:], [len(names)], axis=1)
        return risks, Explanation(
            base_value=float(made[0, 0]),
            contributions=pd.DataFrame(contributions, columns=names),
            features=pd.DataFrame(X.astype(np.float32), columns=names),
            log_odds=made[:, 1],
        )

    def _columns_of(self, X: pd.DataFrame) -> pd.DataFrame:
        missing = [name for name in self.features if name not in X]
        if missing:
            raise ModelError(
                f"The model needs {len(missing)} features that these data do not give, first "
                f"'{missing[0]}'. Supply the tables it was trained on, or train on these data."
            )
        return X[list(self.features)]

    def _explain(self, X: pd.DataFrame) -> tuple[pd.DataFrame, Explanation]:
        """Return risks with intervals, and their explanation."""
        scored = self.calibrated.score(X.to_numpy(dtype=np.float32))
        return scored.risks(), Explanation(
            base_value=scored.base_value,
            contributions=pd.DataFrame(scored.contributions, columns=list(X.columns)),
            features=X,
            log_odds=scored.log_odds,
        )

    def save(self, folder: Path) -> Path:
        """Write the model.

        Parameters
        ----------
        folder : Path
            A new folder.

        Returns
        -------
        Path
            The folder.
        """
        folder.mkdir(parents=True)
        calibration = self.calibrated.calibration
        document = {
            "format": FORMAT,
            "outcome": self.outcome,
            "features": list(self.features),
            "calibration": {"intercept": calibration.intercept, "slope": calibration.slope},
            "rate": self.calibrated.rate.to_dict(),
            "card": self.card.to_dict(),
        }
        text = json.dumps(document, indent=1, allow_nan=False)
        (folder / "model.json").write_text(text, encoding="utf-8")
        arrays = self.calibrated.ensemble.to_arrays()
        np.savez(folder / "arrays.npz", allow_pickle=False, **arrays)
        return folder

    @classmethod
    def load(cls, folder: Path) -> RiskModel:
        """Read a saved model; nothing in it is run.

        Parameters
        ----------
        folder : Path
            Folder that :meth:`save` wrote.

        Returns
        -------
        RiskModel
            The same model, number for number.

        Raises
        ------
        ModelError
            If a file is missing, damaged, or holds anything but numbers and text.
        """
        try:
            document, arrays = _read_files(folder)
            if fault := _fault(document, arrays):
                raise ModelError(_damaged(folder, fault))
            return cls(
                outcome=document["outcome"],
                features=tuple(document["features"]),
                calibrated=CalibratedEnsemble(
                    ensemble=Ensemble.from_arrays(arrays),
                    calibration=AffineCalibration(**document["calibration"]),
                    rate=RateRange.from_dict(document["rate"]),
                ),
                card=_card(folder, document["card"]),
            )
        except ModelError:
            raise
        except Exception as error:  # numpy, zipfile and json have a dozen kinds for a damaged file
            why = type(error).__name__ if not str(error) else f"{type(error).__name__}: {error}"
            raise ModelError(_damaged(folder, why)) from error


def _read_files(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the text and the arrays of a saved model; refuse another format, and packed arrays."""
    document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    with (
        (folder / "arrays.npz").open("rb") as stream,
        np.load(stream, allow_pickle=False) as stored,
    ):
        if any(one.compress_type for one in stored.zip.infolist()):
            # save packs none; such a file could unpack to more than memory holds
            raise ModelError(_damaged(folder, "its arrays are compressed"))
        arrays = {name: stored[name] for name in stored.files}
    if document["format"] != FORMAT:
        raise ModelError(
            f"The model in {folder.name} has format {document['format']}; this version reads "
            f"{FORMAT}. Train it again."
        )
    return document, arrays


def _fault(document: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> str:
    """Return why a document does not fit its arrays; empty where it does."""
    names, affine = document["features"], document["calibration"]
    if document["outcome"] not in OUTCOMES:
        return f"there is no outcome {document['outcome']!r}"
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return "the names of its features are not whole"
    if arrays["linear.coefficient"].shape[-1] != len(names):
        return f"it names {len(names)} features, and its arrays are of others"
    if not np.isfinite([affine["intercept"], affine["slope"]]).all() or affine["slope"] <= 0:
        return "its calibration would turn the ranking round"
    return ""


def _card(folder: Path, written: dict[str, Any]) -> ModelCard:
    try:
        return ModelCard.from_dict(written)
    except ModelError as error:
        raise ModelError(_damaged(folder, str(error))) from error


def _damaged(folder: Path, why: str) -> str:
    return (
        f"The model in {folder.name} cannot be read ({why}). "
        "Files are missing, damaged or not a riskmodel model; train it again."
    )


class _Scorer:
    """What MLflow serves: features in; risk, interval, reasons and strengths out, together."""

    def __init__(self, model: RiskModel) -> None:
        self.model = model

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        X = self.model._columns_of(rows.reset_index(drop=True)).astype(np.float32)
        risks, explanation = self.model._explain(X)
        words = reasons_in_words(explanation, self.model.calibrated.typical)
        return pd.concat([risks.assign(base_value=explanation.base_value), words], axis=1)


def _load_pyfunc(path: str) -> _Scorer:
    """Load the model for MLflow, which calls this by name."""
    return _Scorer(RiskModel.load(Path(path)))
