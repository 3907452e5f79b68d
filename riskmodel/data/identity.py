"""Unique pupil numbers and keyed pseudonyms.

In:  UPNs, and a key that only the LA holds.
Out: whether the check letter is right; a pseudonym that cannot be undone without the key.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import re
import secrets
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from riskmodel.data.codes import CODE_SETS, codes
from riskmodel.data.schema import TABLES
from riskmodel.data.write import replace_file
from riskmodel.errors import DataError

__all__ = [
    "DEFAULT_KEY_FILE",
    "MONTHS",
    "UPN_FORM",
    "clean_upns",
    "load_key",
    "may_identify",
    "pseudonyms",
    "upn_check_letters",
    "with_names",
    "without_upns",
]

LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""Check letters by remainder; I, O and S are not used (DfE, UPN guide)."""

VALUES = np.array(
    [int(one) if one in "0123456789" else max(LETTERS.find(one), 0) for one in map(chr, range(128))]
)
"""What each character of a UPN counts, by its number in ASCII."""

DEFAULT_KEY_FILE = Path("~") / ".riskmodel" / "pseudonym.key"
"""In the home folder of the account that runs a command."""


ABBREVIATIONS = frozenset(
    [
        "UPN",
        "URN",
        "DOB",
        "LA",
        "DFE",
        "SEN",
        "FSM",
        "EHC",
        "EHCP",
        "EHE",
        "NEET",
        "PRU",
        "PEX",
        "EXCL",
        "FIXD",
        "TBC",
        "TBA",
        "REF",
        "DIV",
        "NUM",
        "VALUE",
        "NAME",
        "NULL",
        "YES",
        "NO",
    ]
)
"""Words in capitals that are names of columns, placeholders or errors of a workbook, not children; chosen."""

LONG_NUMBER = re.compile(r"\d{9}")
"""As in a UPN, a ULN or a telephone number; dates and school numbers are shorter."""

SPACED_UPN = re.compile(r"[A-Za-z](?:[\s-]?\d){11}")
"""A letter and eleven digits, also in groups."""

UPN_FORM = r"[A-Za-z]\d{11}[0-9A-Za-z]"
"""A letter, eleven digits, and a digit or, in a temporary UPN, a letter (DfE, UPN guide)."""

WHOLE_UPN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z](?: ?\d){11} ?[0-9A-Za-z](?![A-Za-z0-9])")
"""A UPN in a name, also in groups."""

MONTHS = {
    name[:n].lower(): number
    for number, name in enumerate(calendar.month_name[1:], 1)
    for n in (3, 4, len(name))
}
"""Name of a month, whole or cut to three or four letters → its number."""


def may_identify(text: str) -> bool:
    """Return whether a text of a file may be a child's name or number, and so must not be shown.

    Parameters
    ----------
    text : str
        A value, or the name of a column.

    Returns
    -------
    bool
        False for numbers, dates, symbols, words without capitals, and codes of the code sets. The name of
        a month is one only beside a digit. A name written in small letters only is not recognised.

    Examples
    --------
    >>> [may_identify(text) for text in ("Smith, John", "KHAN", "June", "A801234500001")]
    [True, True, True, True]
    >>> [may_identify(text) for text in ("SEMH", "3 Sept 2024", "?")]
    [False, False, False]
    """
    words = re.findall(r"[^\W\d_]+", text)
    months = MONTHS if re.search(r"\d", text) else ()
    is_plain = all(_is_small(word) or _is_code(word) or word.lower() in months for word in words)
    is_number = LONG_NUMBER.search(re.sub(r"\s", "", text)) or SPACED_UPN.search(text)
    return not is_plain or "@" in text or is_number is not None


def without_upns(name: str) -> str:
    """Return the name of a file without the UPNs in it.

    Parameters
    ----------
    name : str
        With folders or without.

    Returns
    -------
    str
        ``(UPN)`` in the place of each.

    Examples
    --------
    >>> without_upns("plans/A801234500001 notes.csv")
    'plans/(UPN) notes.csv'
    """
    return WHOLE_UPN.sub("(UPN)", name)


def _is_small(word: str) -> bool:
    return word.isascii() and word.islower()


def _is_code(word: str) -> bool:
    """Whether a word is one letter, or in capitals and known from a code set."""
    return len(word) == 1 or word in _codes()


@cache
def _codes() -> frozenset[str]:
    """Return the codes in capitals, without their digits."""
    known = [code for name in CODE_SETS for code in codes(name)]
    known += [one for table in TABLES.values() for each in table.columns for one in each.allowed]
    return ABBREVIATIONS.union(re.sub(r"[^A-Z]", "", code) for code in known if code.isupper())


def clean_upns(upns: pd.Series) -> pd.Series:
    """Return UPNs in capitals, without blanks and with plain digits.

    Parameters
    ----------
    upns : Series of str, shape (n_rows,)
        As files hold them.

    Returns
    -------
    Series of str
        Missing where missing.

    Examples
    --------
    >>> clean_upns(pd.Series([" r2011 0001 8042"])).tolist()
    ['R201100018042']
    """
    text = upns.astype("str").str.normalize("NFKC").str.upper()
    return text.str.replace(r"[\s\u200b-\u200f\u2060\ufeff]", "", regex=True)


def upn_check_letters(upns: pd.Series) -> pd.Series:
    """Return the check letter that each UPN should start with.

    Parameters
    ----------
    upns : Series of str, shape (n_rows,)
        13 characters: check letter, 11 digits, and a digit (a letter for temporary UPNs).

    Returns
    -------
    Series of str
        Letter; missing where the UPN has another form.

    Notes
    -----
    The characters 2 to 13 times their position, summed, modulo 23 (DfE, UPN guide). A letter in
    place 13 counts by its place among the check letters, 0 if it is not one.

    Examples
    --------
    >>> upn_check_letters(pd.Series(["R201100018042", "T20110001804V", "nonsense"])).tolist()
    ['R', 'T', nan]
    """
    text = upns.astype("str").str.upper()
    fits = text.str.fullmatch(UPN_FORM).fillna(False).to_numpy(dtype=bool)
    remainder = np.zeros(len(text), dtype=np.int64)
    characters = text[fits].to_numpy(dtype="U13").view(np.uint32).reshape(-1, 13)
    remainder[fits] = VALUES[np.minimum(characters[:, 1:], 127)] @ np.arange(2, 14)
    answer = np.array(list(LETTERS), dtype=object)[remainder % len(LETTERS)]
    return pd.Series(np.where(fits, answer, np.nan), index=upns.index)


def load_key(path: Path = DEFAULT_KEY_FILE) -> bytes:
    """Return the pseudonym key, made on first use for the owner alone.

    Parameters
    ----------
    path : Path
        Key file; keep it apart from the data.

    Returns
    -------
    bytes
        32 bytes.

    Raises
    ------
    DataError
        If others may read the file, it is no key, or it can be neither read nor made.
    """
    try:
        path = path.expanduser()
        if not path.exists():
            _make_key(path)
        if path.stat().st_mode & 0o077:
            raise DataError(f"The key file {path} can be read by others. Run: chmod 600 {path}")
        key = path.read_bytes()
    except (OSError, RuntimeError) as error:  # the latter where nobody knows of a home
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"The key of the pseudonyms, {path}, can be neither read nor made ({reason}). Set HOME to a "
            "folder of your own that you may write to."
        ) from error
    if len(key) != 32:
        raise DataError(
            f"The key file {path} holds {len(key)} bytes, not 32. Restore the right file."
        )
    return key


def _make_key(path: Path) -> None:
    """Make a key, once even if two commands ask for it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if not path.exists():
            replace_file(path, secrets.token_bytes(32))


def pseudonyms(upns: pd.Series, key: bytes) -> pd.Series:
    """Return keyed pseudonyms.

    Parameters
    ----------
    upns : Series of str, shape (n_rows,)
        UPNs.
    key : bytes
        From :func:`load_key`.

    Returns
    -------
    Series of str
        ``P`` and 16 characters (BLAKE2b, 80 bits); the same UPN and key give the same. Missing
        where the UPN is missing.

    Examples
    --------
    >>> upns = pd.Series(["A123456789012", "a123456789012", None])
    >>> made = pseudonyms(upns, b"0" * 32)
    >>> bool(made[0] == made[1]), len(made[0]), bool(pd.isna(made[2]))
    (True, 17, True)
    """
    names = {
        upn: "P"
        + base64.b32encode(
            hashlib.blake2b(upn.upper().encode(), key=key, digest_size=10).digest()
        ).decode()
        for upn in upns.dropna().unique()
    }
    return upns.map(names)


def with_names(
    ranking: pd.DataFrame, people: pd.DataFrame, *, key_file: Path = DEFAULT_KEY_FILE
) -> pd.DataFrame:
    """Put names back to a list; only who holds both the key and the lookup can.

    Parameters
    ----------
    ranking : DataFrame
        With ``pupil_id``, as in ``list.csv``.
    people : DataFrame
        The lookup that the LA keeps apart from the data: ``upn`` and whatever else identifies a pupil.
    key_file : Path
        The key with which the list's extracts were read.

    Returns
    -------
    DataFrame
        The list, the columns of ``people`` in front; missing for pupils who are not in the lookup.

    Raises
    ------
    DataError
        If there is no such key, the lookup has no ``upn``, or the key fits nobody on the list.
    """
    if "upn" not in people:
        raise DataError(
            f"The lookup has no column 'upn'. Found: {', '.join(map(str, people.columns))}."
        )
    if not key_file.expanduser().exists():
        raise DataError(
            f"There is no key file {key_file}. Use the key the extracts were read with."
        )
    upn = people["upn"].astype("str").str.strip().str.upper()
    named = people.assign(pupil_id=pseudonyms(upn, load_key(key_file))).drop_duplicates("pupil_id")
    if not ranking["pupil_id"].isin(named["pupil_id"]).any():
        raise DataError(
            "Nobody on the list is in the lookup under this key. It is another key, or another list."
        )
    joined = ranking.merge(named, on="pupil_id", how="left")
    return joined[[*people.columns, *ranking.columns]]
