"""``riskmodel.toml``: the gates a model must pass, written before it is trained, and the LA's points.

In:  a file.
Out: :class:`Settings`; what the file leaves out keeps its default.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.cohort import OUTCOMES
from riskmodel.errors import RequestError
from riskmodel.evaluation import read_points
from riskmodel.evaluation.backtest import SIMPLER

__all__ = ["Gates", "Settings", "read_settings"]


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
        Rankers none of which has the higher average precision or recall at capacity beyond noise.
    smallest_lift : float
        Precision at capacity over prevalence, at least.
    expected_over_observed : tuple of float
        Range that the 95% interval of expected over observed outcomes must meet.
    not_below_champion : bool
        The champion's recipe, refitted on the same folds, is not better beyond noise.
    no_new_disparity : bool
        No group is found less often than others by more than with the champion's recipe (without a
        champion: with today's practice), beyond noise and corrected for the number of groups.
    """

    tested_out_of_time: bool = True
    most_rows_set_aside: float = 0.01
    not_beaten_by: tuple[str, ...] = SIMPLER
    smallest_lift: float = 2.0
    expected_over_observed: tuple[float, float] = (0.67, 1.5)
    not_below_champion: bool = True
    no_new_disparity: bool = True

    def digest(self) -> str:
        """Return a fingerprint of the gates.

        Returns
        -------
        str
            Twelve hexadecimal digits; the same gates give the same.
        """
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:12]


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
    """

    common: Gates = field(default_factory=Gates)
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: pd.DataFrame | None = None

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
        """
        return replace(self.common, **self.changed.get(outcome, {}))


def read_settings(path: Path) -> Settings:
    """Read the settings.

    Parameters
    ----------
    path : Path
        ``riskmodel.toml``; where there is none, everything keeps its default.

    Returns
    -------
    Settings
        Gates and points.

    Raises
    ------
    RequestError
        If the file is not TOML, names a gate that does not exist, or a value does not fit.
    """
    if not path.is_file():
        return Settings()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RequestError(f"{path} cannot be read as TOML: {error}.") from error
    _only(document, {"gates", "roni"}, str(path))
    gates, roni = _table(document, "gates", path), _table(document, "roni", path)
    _only(roni, {"points"}, f"{path}, [roni]")
    changed = {name: _table(gates, name, path) for name in OUTCOMES if name in gates}
    common = {name: value for name, value in gates.items() if name not in OUTCOMES}
    points = read_points(path.parent / str(roni["points"])) if roni else None
    return Settings(
        replace(Gates(), **_checked(common, f"{path}, [gates]")),
        {name: _checked(table, f"{path}, [gates.{name}]") for name, table in changed.items()},
        points,
    )


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
    defaults = {f.name: getattr(Gates(), f.name) for f in fields(Gates)}
    _only(table, set(defaults), where)
    return {name: _fit(value, defaults[name], f"{where}: {name}") for name, value in table.items()}


def _fit(value: Any, default: Any, where: str) -> Any:
    if isinstance(default, tuple):
        kind = type(default[0])
        if not isinstance(value, list) or (kind is float and len(value) != 2):
            raise RequestError(
                f"{where} must be a list{' of two numbers' if kind is float else ''}."
            )
        return tuple(_fit(one, default[0], where) for one in value)
    if isinstance(default, bool | str):
        fits = isinstance(value, type(default))
    else:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if not fits:
        words = {bool: "true or false", str: "text in quotes", float: "a number of at least 0"}
        raise RequestError(f"{where} is {value!r}; it must be {words[type(default)]}.")
    return type(default)(value)
