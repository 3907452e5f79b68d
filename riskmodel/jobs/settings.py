"""The gates a model must pass, written before it is trained; the LA's points; places for emerging concern.

In:  a file.
Out: :class:`Settings`; what the file leaves out keeps its default.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.data.outcomes import OUTCOMES, RESERVE_RANKERS
from riskmodel.data.settings_file import DEFAULT_FILE, read_document
from riskmodel.data.write import records
from riskmodel.errors import RequestError
from riskmodel.evaluation import read_points
from riskmodel.evaluation.backtest import SIMPLER
from riskmodel.features import CATALOGUE
from riskmodel.policy_breaks import PolicyBreak, read_breaks

__all__ = ["Emerging", "Gates", "Settings", "read_settings"]

LARGEST_SHARE = 0.2
"""Share of the places that may be reserved, at most; chosen."""

RENAMED = {"logistic regression": "tuned ridge"}
"""Earlier name of a ranker → its name today."""


@dataclass(frozen=True, kw_only=True)
class Gates:
    """What a challenger must pass before it can be promoted.

    Attributes
    ----------
    tested_out_of_time : bool
        Lists made earlier could be tested.
    most_rows_set_aside : float
        Largest share of the extracts' rows set aside.
    not_beaten_by : tuple of str
        Rivals; the best of them at the capacity is what the model is compared with. None: no gate.
    largest_loss_at_capacity : float
        Recall that the model may lose to the best rival, and to the champion's recipe: the 95% interval
        of the paired difference must rule out a larger loss, and the loss must not be beyond noise.
    smallest_lift : float
        Precision at capacity over prevalence, at least, by the low end of its 95% interval.
    expected_over_observed : tuple of float
        Range that must hold the 95% interval of expected over observed outcomes, of all pupils and of
        those listed.
    calibration_slope : tuple of float
        Range that must hold the 95% interval of the slope of the calibration line.
    not_below_champion : bool
        The champion's recipe, refitted on the same folds, is not better beyond noise, at the capacity or
        in average precision, and a loss beyond that margin is ruled out.
    no_new_disparity : bool
        No group is found less often than others by more than with the champion's recipe (without a
        champion: with today's practice), beyond noise and corrected for the number of groups.
    """

    tested_out_of_time: bool = True
    most_rows_set_aside: float = 0.01
    not_beaten_by: tuple[str, ...] = SIMPLER
    largest_loss_at_capacity: float = 0.1
    smallest_lift: float = 2.0
    expected_over_observed: tuple[float, float] = (0.67, 1.5)
    calibration_slope: tuple[float, float] = (0.5, 2.0)
    not_below_champion: bool = True
    no_new_disparity: bool = True


@dataclass(frozen=True, kw_only=True)
class Emerging:
    """Places of a list that are for children never suspended.

    Attributes
    ----------
    share : float
        Share of the places, from 0 to :data:`LARGEST_SHARE`.
    ranked_by : str
        Outcome whose champion ranks them, one of :data:`riskmodel.data.outcomes.RESERVE_RANKERS`.

    Raises
    ------
    RequestError
        If either is another.

    Examples
    --------
    >>> Emerging(share=0.5)
    Traceback (most recent call last):
    riskmodel.errors.RequestError: The share of places for emerging concern must be 0 to 0.2; got 0.5.
    """

    share: float = 0.0
    ranked_by: str = RESERVE_RANKERS[0]

    def __post_init__(self) -> None:
        """Refuse a share or a ranking outcome that no list can have."""
        if not 0 <= self.share <= LARGEST_SHARE:
            raise RequestError(
                f"The share of places for emerging concern must be 0 to {LARGEST_SHARE:g}; got "
                f"{self.share:g}."
            )
        if self.ranked_by not in RESERVE_RANKERS:
            raise RequestError(
                f"Places for emerging concern are ranked by {', '.join(RESERVE_RANKERS)}; got "
                f"{self.ranked_by!r}."
            )


@dataclass(frozen=True)
class Settings:
    """What an LA sets for itself.

    Attributes
    ----------
    common : Gates
        Gates of every outcome.
    changed : dict
        Outcome → what differs there.
    points : DataFrame, optional
        The LA's own risk-of-NEET points.
    emerging : Emerging
        Places for children never suspended, on lists that have them.
    file : str
        Path of the file they were read from; empty for the library's own.
    policy_breaks : tuple of PolicyBreak
        Days from which figures are unlike those of before.
    """

    common: Gates = field(default_factory=Gates)
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: pd.DataFrame | None = None
    emerging: Emerging = field(default_factory=Emerging)
    file: str = ""
    policy_breaks: tuple[PolicyBreak, ...] = ()

    def gates(self, outcome: str) -> Gates:
        """Return the gates of an outcome.

        Parameters
        ----------
        outcome : str
            Outcome.

        Returns
        -------
        Gates
            The common ones with what differs.

        Examples
        --------
        >>> ours = Settings(changed={"pex": {"smallest_lift": 5.0}})
        >>> ours.gates("pex").smallest_lift, ours.gates("neet").smallest_lift
        (5.0, 2.0)
        """
        return replace(self.common, **self.changed.get(outcome, {}))

    def to_dict(self, outcome: str) -> dict[str, Any]:
        """Return what a model for an outcome is judged by.

        Parameters
        ----------
        outcome : str
            Outcome.

        Returns
        -------
        dict
            JSON-ready: ``gates``; ``points``, None for the default ones.

        Examples
        --------
        >>> Settings().to_dict("pex")["gates"]["expected_over_observed"]
        (0.67, 1.5)
        """
        points = None if self.points is None else records(self.points)
        return {"gates": asdict(self.gates(outcome)), "points": points}

    def digest(self, outcome: str) -> str:
        """Return a fingerprint of what a model for an outcome is judged by: gates and points.

        Parameters
        ----------
        outcome : str
            Outcome.

        Returns
        -------
        str
            Twelve hexadecimal digits; the same gates and points give the same.

        Examples
        --------
        >>> ours = Settings(changed={"pex": {"smallest_lift": 5.0}})
        >>> ours.digest("neet") == Settings().digest("neet")
        True
        >>> ours.digest("pex") == Settings().digest("pex")
        False
        """
        points = None if self.points is None else self.points.to_csv(index=False)
        written = json.dumps([asdict(self.gates(outcome)), points])
        return hashlib.sha256(written.encode()).hexdigest()[:12]


def read_settings(path: Path | None = None) -> Settings:
    """Read the settings.

    Parameters
    ----------
    path : Path, optional
        The file; where left out, ``riskmodel.toml`` of the current folder, and where there is none
        everything keeps its default.

    Returns
    -------
    Settings
        Gates, points, reserved places and policy breaks.

    Raises
    ------
    RequestError
        If the file that was named is not there, is not TOML, names a gate, a ranker, an outcome or a
        feature that does not exist, or a value does not fit.
    """
    if path is None:
        path = Path(DEFAULT_FILE)
        if not os.path.lexists(path):
            return Settings()
    document = read_document(path)
    _only(document, {"emerging", "gates", "policy_breaks", "roni", "sources"}, str(path))
    gates = _table(document, "gates", path)
    changed = {name: _table(gates, name, path) for name in OUTCOMES if name in gates}
    common = {name: value for name, value in gates.items() if name not in OUTCOMES}
    return Settings(
        replace(Gates(), **_checked(common, f"{path}, [gates]")),
        {name: _checked(table, f"{path}, [gates.{name}]") for name, table in changed.items()},
        _points(_table(document, "roni", path), path) if "roni" in document else None,
        _emerging(_table(document, "emerging", path), f"{path}, [emerging]"),
        str(path),
        read_breaks(document.get("policy_breaks", []), str(path)),
    )


def _emerging(table: dict[str, Any], where: str) -> Emerging:
    """Read the places for children never suspended."""
    fitting = _fitted(table, Emerging(), where)
    try:
        return Emerging(**fitting)
    except RequestError as error:
        raise RequestError(f"{where}: {error}") from error


def _points(roni: dict[str, Any], path: Path) -> pd.DataFrame:
    """Read the LA's own points, all of which must be about something that is known of a pupil."""
    _only(roni, {"points"}, f"{path}, [roni]")
    if "points" not in roni:
        raise RequestError(
            f'{path}: [roni] names no points. Write points = "FILE.csv" below it, or leave [roni] out.'
        )
    file = path.parent / str(_fit(roni["points"], "", f"{path}, [roni]: points"))
    table, known = read_points(file), [*CATALOGUE, "eal"]
    for place, name in enumerate(table["column"].fillna("")):
        if name not in known:
            raise RequestError(
                f"{file}: indicator {place + 1} asks for '{name}', which is no feature.{_near(name, known)} "
                "It must be a feature of the data dictionary, or eal."
            )
    return table


def _advice(name: str) -> str:
    """Return the present name of a ranker that was renamed, else the names that are nearest."""
    if name in RENAMED:
        return f" It is called '{RENAMED[name]}' now; write that name."
    return _near(name, SIMPLER)


def _near(name: str, known: Sequence[str]) -> str:
    """Return a question about the names that are nearest, or nothing."""
    close = difflib.get_close_matches(name, known, n=3)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def _table(document: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise RequestError(f"{path}: {name} must be a table, written [{name}].")
    return table


def _only(table: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise RequestError(
            f"{where} has no '{unknown[0]}'; it may hold {', '.join(sorted(known))}."
        )


def _checked(table: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the values in the types of :class:`Gates`."""
    fitting = _fitted(table, Gates(), where)
    for name in fitting.get("not_beaten_by", ()):
        if name not in SIMPLER:
            raise RequestError(
                f"{where}: not_beaten_by names '{name}', which is no ranker.{_advice(name)} "
                f"It may hold {', '.join(SIMPLER)}."
            )
    return fitting


def _fitted(table: dict[str, Any], usual: Gates | Emerging, where: str) -> dict[str, Any]:
    """Return the values of a table in the types of the defaults; refuse names that are none."""
    defaults = {f.name: getattr(usual, f.name) for f in fields(usual)}
    _only(table, set(defaults), where)
    return {name: _fit(value, defaults[name], f"{where}: {name}") for name, value in table.items()}


def _fit(value: Any, default: Any, where: str) -> Any:
    if isinstance(default, tuple):
        kind = type(default[0])
        if not isinstance(value, list) or (kind is float and len(value) != 2):
            raise RequestError(
                f"{where} must be a list{' of two numbers' if kind is float else ''}."
            )
        fitting = tuple(_fit(one, default[0], where) for one in value)
        if kind is float and fitting[0] > fitting[1]:
            raise RequestError(
                f"{where} runs from {value[0]} down to {value[1]}, which no model can meet. Write the "
                "lower end first."
            )
        return fitting
    if isinstance(default, bool | str):
        fits = isinstance(value, type(default))
    else:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if not fits:
        words = {bool: "true or false", str: "text in quotes", float: "a number of at least 0"}
        raise RequestError(f"{where} is {value!r}; it must be {words[type(default)]}.")
    return type(default)(value)
