"""The Northern Ireland cohort of 1993: 712 people followed for 72 months after leaving school.

In:  ``mvad.csv``, which ships inside the PyPI package ``sequenzo``.
Out: the raw columns of ``pupils``, ``destinations``, ``circumstances`` and ``attainment``.

Source: McVicar and Anyadike-Danes, "Predicting successful and unsuccessful transitions from school
to work by using sequence methods", JRSS A 165, 2002, 317-334. Where people lived is left out: in
Northern Ireland it is a proxy for religion, which is protected. So is the survey weight.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from riskmodel.errors import DataError

__all__ = ["is_mvad", "mvad_path", "read_mvad"]

ACTIVITIES = {
    "employment": "330",
    "FE": "230",
    "HE": "240",
    "joblessness": "619",
    "school": "210",
    "training": "410",
}
"""Activity of the cohort → NCCIS code."""

CIRCUMSTANCES = {
    "funemp": "parent_unemployed",
    "fmpr": "parent_professional",
    "livboth": "lives_with_both_parents",
    "Grammar": "grammar_school",
}
"""Column of the cohort → kind of circumstance, known when compulsory school ended."""

KNOWN_FROM = pd.Timestamp("1993-06-30")
"""The day before the first month: circumstances are known when compulsory school ends."""

RESULTS_FROM = pd.Timestamp("1993-08-31")
"""GCSE results come out in August."""


def mvad_path() -> Path:
    """Return where the cohort's file is installed.

    Returns
    -------
    Path
        ``mvad.csv``.

    Raises
    ------
    DataError
        If the package is not installed.
    """
    spec = find_spec("sequenzo")
    path = Path(spec.origin).parent / "datasets" / "mvad.csv" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise DataError(
            "mvad.csv is not installed. Install its package: pip install --no-deps sequenzo."
        )
    return path


def is_mvad(path: Path) -> bool:
    r"""Return whether a file is the cohort, by its header.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    bool
        Whether the header names the cohort's columns.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "pupils.csv"
    ...     size = file.write_text("pupil_id,sex\n")
    ...     is_mvad(file)
    False
    """
    with path.open("rb") as stream:
        header = stream.readline(4000).decode("latin-1").replace('"', "").strip().split(",")
    return {"id", "male", "catholic", "gcse5eq", "funemp", "Jul.93", "Jun.99"} <= set(header)


def read_mvad(path: Path) -> dict[str, pd.DataFrame]:
    """Read the cohort into the columns of our tables.

    Parameters
    ----------
    path : Path
        ``mvad.csv``.

    Returns
    -------
    dict of str to DataFrame
        Raw frames; months become positions confirmed and recorded on the month's last day.

    Raises
    ------
    DataError
        If the file was changed.
    """
    try:
        return _read(pd.read_csv(path))
    except (
        ValueError,
        KeyError,
        TypeError,
    ) as error:  # no CSV, a month that is none, a column that is gone
        raise DataError(
            f"{path.name}: is not the cohort as it was published. Install its package again: pip install "
            "--no-deps --force-reinstall sequenzo."
        ) from error


def _read(cohort: pd.DataFrame) -> dict[str, pd.DataFrame]:
    pupil = "M" + cohort["id"].astype("str").str.zfill(3)
    months = [name for name in cohort.columns if name[3:4] == "."]
    long = cohort[months].assign(pupil_id=pupil).melt("pupil_id", months, "month", "activity")
    start = pd.to_datetime("1 " + long["month"], format="%d %b.%y")
    destinations = pd.DataFrame(
        {
            "pupil_id": long["pupil_id"],
            "activity_code": long["activity"].map(ACTIVITIES),
            "start_date": start,
            "confirmed_on": start + pd.offsets.MonthEnd(),
            "recorded_on": start + pd.offsets.MonthEnd(),
        }
    )
    circumstances = pd.concat(
        pd.DataFrame({"pupil_id": pupil[cohort[column] == "yes"], "kind": kind})
        for column, kind in CIRCUMSTANCES.items()
    ).assign(start_date=KNOWN_FROM, recorded_on=KNOWN_FROM)
    attainment = pd.DataFrame(
        {
            "pupil_id": pupil,
            "stage": "KS4",
            "subject": "five or more good GCSEs",
            "score": (cohort["gcse5eq"] == "yes").astype(float),
            "result_date": RESULTS_FROM,
            "recorded_on": RESULTS_FROM,
        }
    )
    pupils = pd.DataFrame(
        {
            "pupil_id": pupil,
            "sex": cohort["male"].map({"yes": "M", "no": "F"}),
            "religion": cohort["catholic"].map({"yes": "Catholic", "no": "not Catholic"}),
        }
    )
    return {
        "pupils": pupils,
        "destinations": destinations,
        "circumstances": circumstances,
        "attainment": attainment,
    }
