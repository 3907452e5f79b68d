"""The pupils as their files name them: a UPN, a name, a day of birth, a postcode.

In:  the tables of a simulated LA and a random generator.
Out: one row per pupil, in the order of their numbers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.identity import upn_check_letters
from riskmodel.data.tables import Tables

__all__ = ["LINKED", "make_people", "upn_of"]

LINKED = 0.93
"""Share of social-care and NCCIS records that carry a UPN; chosen."""


def make_people(tables: Tables, rng: np.random.Generator) -> pd.DataFrame:
    """Give every pupil a UPN, a name, a day of birth and a postcode.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row per pupil, in the order of their numbers.
    """
    pupils, n = tables["pupils"], len(tables["pupils"])
    decile = _deciles(tables, pupils["pupil_id"])
    return pd.DataFrame(
        {
            "pupil_id": pupils["pupil_id"].to_numpy(),
            "upn": _upns(tables, pupils),
            "surname": "Simulated",
            "forename": [f"Pupil{i}" for i in range(1, n + 1)],
            "dob": pupils["birth_month"] + pd.to_timedelta(rng.integers(0, 28, n), unit="D"),
            **_traits(pupils),
            "postcode": [
                f"ZZ{d} {s}AA" for d, s in zip(decile, rng.integers(1, 10, n), strict=True)
            ],
            "idaci_decile": decile,
            "imd_decile": decile,
            "child": np.arange(1, n + 1) + 100_000,
        }
    )


def _upns(tables: Tables, pupils: pd.DataFrame) -> NDArray[np.object_]:
    """Return a UPN of each pupil: check letter, first school, year of entry, serial number."""
    first = tables["enrolments"].drop_duplicates("pupil_id").set_index("pupil_id")
    estab = first["school_id"].reindex(pupils["pupil_id"]).str[1:].astype("Int64").fillna(1)
    year = pupils["birth_month"].dt.year + 5
    key = pd.Series(estab.to_numpy(dtype=np.int64) * 100 + year.to_numpy() % 100)
    serial = key.groupby(key).cumcount().to_numpy() + 1
    body = [
        f"000{e % 10000:04d}{y % 100:02d}{s % 1000:03d}"
        for e, y, s in zip(estab, year, serial, strict=True)
    ]
    letters = upn_check_letters(pd.Series([f"A{text}" for text in body], dtype="str"))
    return np.asarray(letters.astype("str").to_numpy() + np.array(body, dtype=object))


def _traits(pupils: pd.DataFrame) -> dict[str, NDArray[np.object_]]:
    """Return sex, ethnicity and first language of each pupil."""
    return {
        "sex": pupils["sex"].astype("str").to_numpy(),
        "ethnicity": pupils["ethnicity"].astype("str").to_numpy(),
        "language": pupils["first_language"].fillna("NOT").to_numpy(),
    }


def _deciles(tables: Tables, pupils: pd.Series) -> NDArray[np.int64]:
    """Return the decile of deprivation of each pupil's last address; 10 for none."""
    homes = tables["neighbourhood"].drop_duplicates("pupil_id", keep="last").set_index("pupil_id")
    return homes["idaci_decile"].reindex(pupils).fillna(10).to_numpy(dtype=np.int64)


def upn_of(people: pd.DataFrame, pupils: pd.Series) -> NDArray[np.object_]:
    """Return the UPN of each row's pupil.

    Parameters
    ----------
    people : DataFrame
        From :func:`make_people`.
    pupils : Series of category, shape (n_rows,)
        Pupil of each row.

    Returns
    -------
    object array of shape (n_rows,)
        UPNs.

    Examples
    --------
    >>> people = pd.DataFrame({"upn": ["A1", "B2"]})
    >>> upn_of(people, pd.Series(["P2", "P1", "P2"], dtype="category")).tolist()
    ['B2', 'A1', 'B2']
    """
    return people["upn"].to_numpy(object)[pupils.cat.codes.to_numpy()]
