"""The settings of a run: what a job is about, and where its models are kept.

In:  an outcome, a tracking address; a day, a capacity, a seed, the LA's own settings where they differ.
Out: :class:`Run`, which every job takes.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from riskmodel.data.outcomes import outcome_of
from riskmodel.errors import RequestError, without_secrets
from riskmodel.jobs.settings import Gates, Settings
from riskmodel.training.registry import Registry
from riskmodel.training.store import Store

__all__ = ["Engine", "Run"]

Engine = Literal["local", "spark"]
"""Where features, scores and contributions of a list are made."""


@dataclass(frozen=True)
class Run:
    """The settings of a run: made once, and handed to every job.

    Attributes
    ----------
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.
    tracking : str
        MLflow tracking address, e.g. ``"sqlite:///mlflow.db"``.
    as_of : Timestamp, optional
        The day of the run: only facts recorded before it are used. The latest snapshot day of the data
        where left out; :func:`riskmodel.cohort.resolve_as_of` states how late it may be.
    capacity : int, optional
        Pupils the service can see. A list needs it; a training takes a stated share of the cohort where
        it is left out.
    seed : int
        Seed of a training.
    settings : Settings
        Gates and points; the defaults where left out.
    engine : str
        ``"spark"`` builds features, scores and contributions of a list on PySpark.

    Raises
    ------
    RequestError
        If the outcome or the engine is unknown, the day is no day, capacity or seed is no whole number, or
        outcome, address or settings are of another kind.
    ModelError
        If the tracking address is none.

    Examples
    --------
    >>> run = Run("pex", tracking="sqlite:///mlflow.db", capacity=100)
    >>> run.outcome, run.capacity, run.seed
    ('pex', 100, 0)
    >>> Run("pex", tracking="sqlite:///mlflow.db", seed=-1)
    Traceback (most recent call last):
    riskmodel.errors.RequestError: A seed must be a whole number of at least 0; got -1.
    """

    outcome: str
    _: KW_ONLY
    tracking: str = field(repr=False)
    as_of: pd.Timestamp | None = None
    capacity: int | None = None
    seed: int = 0
    settings: Settings = field(repr=False, default_factory=Settings)
    engine: Engine = "local"

    def __post_init__(self) -> None:
        """Refuse settings that no job can follow."""
        if not isinstance(self.outcome, str) or not isinstance(self.tracking, str):
            raise RequestError(
                "The outcome and the tracking address of a run must be text; got "
                f"{self.outcome!r} and a {type(self.tracking).__name__}."
            )
        outcome_of(self.outcome)
        if self.as_of is not None and not _is_day(self.as_of):
            raise RequestError(
                "The day of a run must be a pandas Timestamp without hours or a time zone; got "
                f"{self.as_of!r}."
            )
        if self.capacity is not None and not _is_whole(self.capacity, 1):
            raise RequestError(
                f"Capacity must be a whole number of at least 1; got {self.capacity!r}. Choose the number "
                "of pupils the service can see."
            )
        if not _is_whole(self.seed, 0):
            raise RequestError(f"A seed must be a whole number of at least 0; got {self.seed!r}.")
        if self.engine not in get_args(Engine):
            raise RequestError(f"The engine must be local or spark; got {self.engine!r}.")
        if not isinstance(self.settings, Settings):
            raise RequestError(
                f"The settings of a run must be Settings, as read_settings returns; got {self.settings!r}."
            )
        Store(self.tracking)

    @property
    def registry(self) -> Registry:
        """The models of the outcome in the store."""
        return Registry(self.outcome, Store(self.tracking))

    @property
    def gates(self) -> Gates:
        """What a challenger for the outcome must pass."""
        return self.settings.gates(self.outcome)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as they are kept beside the results.

        Returns
        -------
        dict
            JSON-ready; passwords are left out of the tracking address.

        Examples
        --------
        >>> run = Run("neet", tracking="http://la:secret@server", as_of=pd.Timestamp("2024-08-01"))
        >>> run.to_dict()["tracking"], run.to_dict()["as_of"]
        ('http://***@server', '2024-08-01')
        """
        return {
            "outcome": self.outcome,
            "tracking": without_secrets(self.tracking),
            "as_of": None if self.as_of is None else f"{self.as_of:%Y-%m-%d}",
            "capacity": None if self.capacity is None else int(self.capacity),
            "seed": int(self.seed),
            "engine": self.engine,
            "settings": self.settings.to_dict(self.outcome),
        }


def _is_day(value: object) -> bool:
    return isinstance(value, pd.Timestamp) and value.tz is None and value == value.normalize()


def _is_whole(value: object, least: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        return False
    return int(value) >= least
