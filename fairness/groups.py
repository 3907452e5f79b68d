"""The groups that a list is audited by, as known on the day of the list.

In:  tables and a spine.
Out: one column per characteristic; "not known" is always a group. Any two can be crossed.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.data import NOT_KNOWN, Tables
from riskmodel.data.codes import code_set
from riskmodel.data.schema import TABLES
from riskmodel.data.sen_provision import EHC_PLAN, SEN_SUPPORT, provision_before
from riskmodel.data.tables import schools_by_id
from riskmodel.data.year_groups import PHASES, phase_of, year_words
from riskmodel.errors import RequestError

__all__ = [
    "CROSSED",
    "GATED",
    "checked_groups",
    "cross",
    "family",
    "group_codes",
    "groups_at",
]

GATED = (
    "sex",
    "ethnicity",
    "religion",
    "sen",
    "fsm",
    "first_language",
    "looked_after",
    "child_in_need",
    "young_carer",
    "idaci_fifth",
)
"""Characteristics that a gate and a search for a fair model look at: who the child is, in groups large
enough to be compared. Year group, phase and kind of school are audited, but refuse no model."""

MOST_GROUPS = 300
"""Groups of one characteristic, at most. More would be an identifier, not a group."""

CROSSED = " × "
"""Between the names of two characteristics, or two groups, that are crossed."""

NO_SEN = "No SEN"
PROVISION = {SEN_SUPPORT: "SEN support", EHC_PLAN: "EHC plan"}
CIRCUMSTANCES = {
    "fsm": ("fsm", "Eligible", "Not eligible"),
    "looked_after": ("looked_after", "Looked after", "Not looked after"),
    "child_in_need": ("child_in_need", "Child in need", "Not a child in need"),
    "young_carer": ("young_carer", "Young carer", "Not a young carer"),
}
"""Characteristic → kind of circumstance, the word for those it holds for, and for all others."""

LANGUAGES = {
    "ENG": "English",
    "ENB": "English",
    "NOT": NOT_KNOWN,
    "REF": NOT_KNOWN,
    "ZZZ": NOT_KNOWN,
}
"""DfE School Census, first language: believed to be English; not obtained, refused, not recorded."""

SCHOOL_TYPES = {
    "mainstream": "Mainstream",
    "special": "Special",
    "AP": "Alternative provision",
}
FIFTHS = {
    1: "Fifth 1 (most deprived)",
    2: "Fifth 2",
    3: "Fifth 3",
    4: "Fifth 4",
    5: "Fifth 5 (least deprived)",
}
"""Fifth of the IDACI ranking → its words."""

TERMS = ("Spring", "Summer", "Autumn")
"""Term of birth of months 1 to 4, 5 to 8 and 9 to 12; the school year counts from September."""

Words = NDArray[np.object_]


def groups_at(tables: Tables, spine: pd.DataFrame) -> pd.DataFrame:
    """Return the group of each row of the spine.

    Parameters
    ----------
    tables : Tables
        The LA's facts; of those with a day, only what was recorded before ``as_of`` counts.
    spine : DataFrame
        ``pupil_id``, ``as_of``; ``school_id`` and ``year_group`` where known.

    Returns
    -------
    DataFrame
        Aligned with the spine: ``sex``, ``ethnicity`` (major group), ``ethnicity_detailed``,
        ``religion``, ``first_language``, ``birth_term``, ``sen``, ``primary_need``,
        ``fsm``, ``looked_after``, ``child_in_need``, ``young_carer``, ``idaci_fifth``,
        ``year_group``, ``phase``, ``school_type``. A characteristic that is known of nobody is left out.
    """
    columns = _unchanging(tables, spine) | _of_school(tables, spine)
    parts: dict[str, list[Words]] = {}
    places = [np.flatnonzero((spine["as_of"] == day).to_numpy()) for day in spine["as_of"].unique()]
    for rows in places:
        day = pd.Timestamp(spine["as_of"].iloc[rows[0]])
        for name, words in _on_day(tables, spine["pupil_id"].iloc[rows], day).items():
            parts.setdefault(name, []).append(words)
    order = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
    for name, of_day in parts.items():
        columns[name] = np.empty(len(spine), dtype=object)
        columns[name][order] = np.concatenate(of_day)
    groups = pd.DataFrame(columns, dtype="object").reset_index(drop=True)
    groups = groups.where(groups.notna(), NOT_KNOWN)
    return groups.loc[:, [bool((groups[name] != NOT_KNOWN).any()) for name in groups]]


def cross(groups: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Return the groups of two characteristics crossed.

    Parameters
    ----------
    groups : DataFrame of shape (n_rows, n_characteristics)
        From :func:`groups_at`.
    a, b : str
        Two of its columns.

    Returns
    -------
    DataFrame of shape (n_rows, 1)
        One column, ``"a × b"``; its groups read ``"Girls × SEN support"``.

    Raises
    ------
    RequestError
        If a column is not there, or both are the same.

    Examples
    --------
    >>> groups = pd.DataFrame({"sex": ["Girls", "Boys"], "fsm": ["Eligible", "not_known"]})
    >>> cross(groups, "sex", "fsm")["sex × fsm"].tolist()
    ['Girls × Eligible', 'Boys × not_known']
    """
    missing = [name for name in (a, b) if name not in groups]
    if missing or a == b:
        found = f"no '{missing[0]}'" if missing else f"'{a}' twice"
        raise RequestError(
            f"Two different characteristics can be crossed; got {found}. "
            f"Choose from {', '.join(map(str, groups.columns))}."
        )
    words = groups[a].astype("str") + CROSSED + groups[b].astype("str")
    return pd.DataFrame({f"{a}{CROSSED}{b}": words.astype("object")})


def family(characteristic: str, group: str) -> tuple[str, tuple[str, ...]]:
    """Return the groups of a coarser characteristic that a group and its like add up to.

    Parameters
    ----------
    characteristic, group : str
        As in the columns and cells of :func:`groups_at`.

    Returns
    -------
    str, tuple of str
        The coarser characteristic and its groups; empty where there is none. Of a year group its phase.

    Examples
    --------
    >>> family("ethnicity_detailed", "Black Caribbean")
    ('ethnicity', ('Black',))
    >>> family("year_group", "Year 6")
    ('phase', ('Primary',))
    >>> family("sex", "Girls")
    ('', ())
    """
    if characteristic == "ethnicity_detailed":
        codes = code_set("ethnicities")
        return "ethnicity", tuple(codes["major"][codes["label"] == group].unique()) or (NOT_KNOWN,)
    if characteristic == "primary_need":
        return "sen", (NO_SEN,) if group == NO_SEN else tuple(PROVISION.values())
    if characteristic == "year_group":
        phase = _phase_by_year().get(group)
        return "phase", (PHASES[phase],) if phase else ()
    return "", ()


@cache
def _phase_by_year() -> dict[str, str]:
    """Return the phase of every year group, by its words."""
    column = TABLES["enrolments"]["year_group"]
    every = pd.Series(range(int(column.low), int(column.high) + 1))
    return dict(zip(year_words(every), phase_of(every), strict=True))


def group_codes(group: ArrayLike) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the names of the groups, and the number of each row's group.

    Parameters
    ----------
    group : array-like of str, shape (n_rows,)
        Group of each row.

    Returns
    -------
    names : object array of shape (n_groups,)
        Names, sorted.
    codes : int array of shape (n_rows,)
        Number of each row's group, from 0.

    Examples
    --------
    >>> names, codes = group_codes(["Girls", "Boys", "Girls"])
    >>> names.tolist(), codes.tolist()
    (['Boys', 'Girls'], [1, 0, 1])
    """
    codes, names = pd.factorize(np.asarray(group, dtype=object), sort=True)
    return np.asarray(names, dtype=object), codes.astype(np.int64)


def checked_groups(groups: pd.DataFrame, **arrays: ArrayLike) -> pd.DataFrame:
    """Return the groups as text, missing ones as ``not_known``, if they fit what is audited.

    Parameters
    ----------
    groups : DataFrame of shape (n_rows, n_characteristics)
        Group of each row.
    **arrays : array-like of shape (n_rows,)
        What is audited, by name.

    Returns
    -------
    DataFrame of shape (n_rows, n_characteristics)
        Text; missing values are the group ``not_known``.

    Raises
    ------
    RequestError
        If there is nobody, no characteristic, an array of another length, or more groups than
        :data:`MOST_GROUPS`.

    Examples
    --------
    >>> checked_groups(pd.DataFrame({"sex": ["Girls", None]}))["sex"].tolist()
    ['Girls', 'not_known']
    """
    _check_sizes(groups, arrays)
    for name in map(str, groups):
        count = groups[name].nunique()
        if count > MOST_GROUPS:
            raise RequestError(
                f"'{name}' has {count} different groups, more than {MOST_GROUPS}: that is nearly an "
                "identifier, and no group could be compared. Put its values into a few groups first."
            )
    text = groups.astype("object").where(groups.notna(), NOT_KNOWN)
    return text.map(str).reset_index(drop=True)


def _check_sizes(groups: pd.DataFrame, arrays: dict[str, ArrayLike]) -> None:
    """Refuse groups of nobody, and arrays of another length."""
    if groups.empty:
        raise RequestError(
            "There is nobody, or no characteristic, to audit: the groups have "
            f"{groups.shape[0]} rows and {groups.shape[1]} columns. Give one row per pupil."
        )
    for argument, values in arrays.items():
        if len(np.asarray(values)) != len(groups):
            raise RequestError(
                f"{argument} has {len(np.asarray(values))} values for {len(groups)} rows of groups. "
                "Give one per row, in the same order."
            )


def _unchanging(tables: Tables, spine: pd.DataFrame) -> dict[str, Words]:
    """Return the groups by the pupil's own record."""
    pupils = tables["pupils"].set_index("pupil_id").reindex(spine["pupil_id"])
    codes = code_set("ethnicities")
    detailed = codes["label"].where(codes["major"] != NOT_KNOWN, NOT_KNOWN)
    ethnicity, language = pupils["ethnicity"].astype("str"), pupils["first_language"]
    is_other = language.notna() & ~language.isin(LANGUAGES)
    columns: dict[str, object] = {
        "sex": pupils["sex"].astype("str").map({"F": "Girls", "M": "Boys"}),
        "ethnicity": ethnicity.map(codes["major"]),
        "ethnicity_detailed": ethnicity.map(detailed),
        "religion": pupils["religion"],
        "first_language": language.map(LANGUAGES).mask(is_other, "Additional language"),
        "birth_term": (pupils["birth_month"].dt.month - 1).floordiv(4).map(dict(enumerate(TERMS))),
    }
    return {name: np.array(values, dtype=object) for name, values in columns.items()}


def _of_school(tables: Tables, spine: pd.DataFrame) -> dict[str, Words]:
    """Return year group, phase and kind of school."""
    columns: dict[str, Words] = {}
    if "year_group" in spine:
        columns["year_group"] = year_words(spine["year_group"]).to_numpy(dtype=object)
        columns["phase"] = phase_of(spine["year_group"]).map(PHASES).to_numpy(dtype=object)
    if "school_id" in spine and "schools" in tables:
        schools = schools_by_id(tables)
        here = schools.reindex(spine["school_id"].astype("str"))
        kinds = here["kind"].astype("str").map(SCHOOL_TYPES)
        columns["school_type"] = kinds.to_numpy(dtype=object)
    return columns


def _on_day(tables: Tables, pupils: pd.Series, day: pd.Timestamp) -> dict[str, Words]:
    """Return the groups by the spells that are open on a day."""
    known = tables.as_known(day)
    columns: dict[str, Words] = {}
    if "send" in known:
        columns |= _needs(known["send"], pupils, day)
    for name, (kind, inside, outside) in CIRCUMSTANCES.items():
        columns[name] = np.full(len(pupils), NOT_KNOWN, dtype=object)
        if "circumstances" in known and (known["circumstances"]["kind"] == kind).any():
            spells = _open(known["circumstances"], day)
            has = pupils.isin(spells["pupil_id"][spells["kind"] == kind]).to_numpy()
            columns[name] = np.where(has, inside, outside).astype(object)
    if "neighbourhood" in known:
        columns["idaci_fifth"] = _idaci_fifth(known["neighbourhood"], pupils, day)
    return columns


def _idaci_fifth(homes: pd.DataFrame, pupils: pd.Series, day: pd.Timestamp) -> Words:
    """Return the fifth of deprivation of each pupil's latest address."""
    lived = homes[(homes["start_date"] < day).to_numpy()].dropna(subset=["idaci_decile"])
    lived = lived.sort_values(["start_date", "idaci_decile"], kind="stable")
    decile = _latest(lived, pupils, "idaci_decile")
    fifth = pd.Series(np.ceil(pd.to_numeric(decile).to_numpy(dtype=float) / 2))
    return fifth.map(FIFTHS).to_numpy(dtype=object)


def _needs(send: pd.DataFrame, pupils: pd.Series, day: pd.Timestamp) -> dict[str, Words]:
    """Return SEN provision and primary need in words."""
    now = provision_before(send, pupils, as_of=day)
    provision = now["provision"].astype("str").map(PROVISION)
    need = now["primary_need"].astype("str").map(code_set("needs")["label"])
    has = provision.notna().to_numpy()
    return {
        "sen": np.where(has, provision.to_numpy(dtype=object), NO_SEN).astype(object),
        "primary_need": np.where(has, need.to_numpy(dtype=object), NO_SEN).astype(object),
    }


def _open(spells: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return the spells that have begun and, as far as was known, not ended."""
    return spells[((spells["start_date"] < day) & ~(spells["end_date"] < day)).to_numpy()]


def _latest(facts: pd.DataFrame, pupils: pd.Series, column: str) -> pd.Series:
    """Return the value of each pupil's last row."""
    last = facts.drop_duplicates("pupil_id", keep="last").set_index("pupil_id")[column]
    return last.reindex(pupils).reset_index(drop=True)
