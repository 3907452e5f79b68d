"""The words for each feature, and numbers in the words of people.

In:  the catalogue; values of a feature.
Out: sentences. The words are in ``sentences.csv``, ``changes.csv`` and ``subjects.csv`` beside this
module, where people who do not program can read and change them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_MONTH, DAYS_PER_YEAR
from riskmodel.data.counted import counted
from riskmodel.features import CATALOGUE, Feature

__all__ = [
    "MISSING",
    "NONE",
    "SOME",
    "Phrase",
    "fill_template",
    "phrase_of",
    "place_of",
    "read_words",
    "write_time",
    "write_times",
    "write_value",
]

SOME, NONE, MISSING = 0, 1, 2
"""Kinds of value: there is something; it is 0 or no; the value is missing."""

OWN_PLACE = {"context": 19, "needs": 32, "moves": 44, "school": 52, "post-16": 56, "attendance": 64}
"""Place of a feature of one's own, by theme; what is not named here comes last."""

LAST_PLACE = 90

SMALLEST = {"share": 0.005, "count": 0.5, "half-days": 0.5, "yes/no": 0.5}
"""Value, by unit, below which a value counts as nothing; 0 for other units."""

_COUNT = "n"
"""Placeholder of a count."""

_PLACEHOLDER = re.compile(r"\{(\w+)(?::([^}|]*)(?:\|([^}]*))?)?\}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words for one feature.

    Attributes
    ----------
    subject : str
        What it is about; features of one subject make one reason.
    strength : bool
        Whether it may count as protecting.
    texts : tuple of str
        Templates for something and for nothing; an empty one makes no sentence. A missing value
        never makes one.
    unit : str
        Unit of the value.
    """

    subject: str
    strength: bool
    texts: tuple[str, str]
    unit: str

    def kinds(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return for each value whether there is something, nothing, or no value.

        Parameters
        ----------
        values : float array of shape (n_pupils,)
            Values of the feature.

        Returns
        -------
        int array of shape (n_pupils,)
            :data:`SOME`, :data:`NONE` or :data:`MISSING`.
        """
        smallest = SMALLEST.get(self.unit, 0.0)
        nothing = values < smallest if smallest else values <= 0
        return np.where(np.isnan(values), MISSING, np.where(nothing, NONE, SOME))


def read_words(name: str) -> list[dict[str, str]]:
    """Read a table of words of this package.

    Parameters
    ----------
    name : str
        File name.

    Returns
    -------
    list of dict
        One per row; lines that begin with ``#`` are comments.

    Examples
    --------
    >>> sorted(read_words("subjects.csv")[0])[:2]
    ['carried', 'place']
    """
    text = (files("riskmodel.explain") / name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


@cache
def _rows() -> list[dict[str, str]]:
    return read_words("sentences.csv")


@cache
def _places() -> dict[str, int]:
    return {row["subject"]: int(row["place"]) for row in read_words("subjects.csv")}


def phrase_of(name: str) -> Phrase:
    """Return the words for a feature.

    Parameters
    ----------
    name : str
        Feature. One without words of its own is a subject by itself, named by its label.

    Returns
    -------
    Phrase
        With the words of the catalogue filled in.

    Examples
    --------
    >>> phrase_of("days_of_sunshine").subject
    'days of sunshine'
    """
    return (
        _phrase(CATALOGUE[name]) if name in CATALOGUE else _own_phrase(name.replace("_", " "), "")
    )


@cache
def _phrase(feature: Feature) -> Phrase:
    row = next((row for row in _rows() if fnmatchcase(feature.name, row["feature"])), None)
    if row is None:
        return _own_phrase(feature.label, feature.unit)
    some, none = (_fill(row[kind], feature) for kind in ("some", "none"))
    return Phrase(row["subject"], row["strength"] == "yes", (some, none), feature.unit)


def _own_phrase(label: str, unit: str) -> Phrase:
    """Return the words of a feature that is a subject by itself."""
    return Phrase(label, True, (f"{label}: {{value}}", f"{label}: {{value}}"), unit)


def place_of(name: str) -> int:
    """Return the place of a feature's subject when a pupil's reasons are read out.

    Parameters
    ----------
    name : str
        Feature.

    Returns
    -------
    int
        Small comes first.

    Examples
    --------
    >>> place_of("sen_support_now") < place_of("days_of_sunshine")
    True
    """
    place = _places().get(phrase_of(name).subject)
    if place is not None:
        return place
    return OWN_PLACE.get(CATALOGUE[name].theme, LAST_PLACE) if name in CATALOGUE else LAST_PLACE


def _fill(text: str, feature: Feature) -> str:
    """Return a template with the feature's words of the catalogue put in."""
    what = feature.label.split(": ", 1)[-1]
    if feature.window.startswith("this "):
        text = text.replace("in {window}", "{window}")
    for name, words in (("window", feature.window), ("label", feature.label), ("what", what)):
        text = text.replace(f"{{{name}}}", words)
    return text


def fill_template(template: str, unit: str, values: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return a template's sentence for each of many values.

    Parameters
    ----------
    template : str
        Template, with braces for values.
    unit : str
        Unit of the values.
    values : float array of shape (n_pupils,)
        Values.

    Returns
    -------
    object array of shape (n_pupils,)
        Sentences.

    Examples
    --------
    >>> fill_template("Away for {value}", "share", np.array([0.1, 0.25])).tolist()
    ['Away for 10%', 'Away for 25%']
    """
    different, which = np.unique(values, return_inverse=True)  # few differ, and words are slow
    texts = [_write(template, unit, value) for value in different.tolist()]
    return np.array(texts, dtype=object)[which]


def _write(template: str, unit: str, value: float) -> str:
    def put(match: re.Match[str]) -> str:
        name, one, many = match.groups()
        if name == _COUNT:
            number = round(abs(value))
            return f"{number:,} {one if number == 1 else many or one + 's'}"
        return _WRITERS[name](value, unit)

    text = _PLACEHOLDER.sub(put, template)
    return text[:1].upper() + text[1:]


def write_value(value: float, unit: str) -> str:
    """Write a value in its unit.

    Parameters
    ----------
    value : float
        Value.
    unit : str
        Unit, as in the catalogue.

    Returns
    -------
    str
        Words.

    Examples
    --------
    >>> write_value(0.194, "share"), write_value(1.0, "half-days")
    ('19%', '1 half-day')
    """
    if not np.isfinite(value):
        return "not known"
    if unit == "yes/no":
        return "yes" if value >= 0.5 else "no"
    if unit == "share":
        return f"{value:z.0%}"
    words = "" if unit in ("", "count", "school years", "decile") else f" {unit}"
    if value == 1 and unit.endswith("s"):
        words = words.removesuffix("s")
    digits = 0 if abs(value) >= 10 or value == round(value) else 1
    return f"{value:z.{digits}f}{words}"


def write_times(value: float) -> str:
    """Write how often.

    Parameters
    ----------
    value : float
        A count.

    Returns
    -------
    str
        Words.

    Examples
    --------
    >>> write_times(2.0), write_times(5.0)
    ('twice', '5 times')
    """
    return {1: "once", 2: "twice"}.get(round(value), f"{value:.0f} times")


_DAYS = {"days": 1.0, "weeks": 7.0, "months": DAYS_PER_MONTH, "years": DAYS_PER_YEAR}


def write_time(value: float, unit: str) -> str:
    """Write a length of time in plain words.

    Parameters
    ----------
    value : float
        Length.
    unit : str
        ``days``, ``weeks``, ``months`` or ``years``.

    Returns
    -------
    str
        In days up to two weeks, in weeks up to ten, in months up to two years, then in years.

    Raises
    ------
    KeyError
        If the unit is none of these.

    Examples
    --------
    >>> write_time(36.0, "days"), write_time(27.0, "months")
    ('5 weeks', '2 years')
    """
    days = abs(value) * _DAYS[unit]
    limits = (("day", 14.0), ("week", 70.0), ("month", 730.0))
    word = next((word for word, most in limits if days < most), "year")
    number = max(1, round(days / _DAYS[f"{word}s"]))
    return counted(number, word)


def _level(value: float, unit: str) -> str:
    """Write a standardised score; half a standard deviation is the smallest step worth a word."""
    words = (
        "well below average",
        "below average",
        "about average",
        "above average",
        "well above average",
    )
    return words[int(np.searchsorted([-1.0, -0.5, 0.5, 1.0], value))]


_WRITERS: dict[str, Callable[[float, str], str]] = {
    "value": write_value,
    "rest": lambda value, unit: f"{1 - value:z.0%}",
    "points": lambda value, unit: (
        f"{max(1, round(100 * abs(value)))} percentage "
        f"point{'' if round(100 * abs(value)) <= 1 else 's'}"
    ),
    "times": lambda value, unit: write_times(value),
    "long": write_time,
    "level": _level,
    "nth": lambda value, unit: {1: "", 2: "2nd ", 3: "3rd "}.get(round(value), f"{value:.0f}th "),
}
