"""The check report: problems, what was set aside, and the LA's rates beside the national ones.

In:  an extract.
Out: :class:`CheckReport`, to be read on a terminal or kept as files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import pupils_of
from riskmodel.data.calendar import academic_year
from riskmodel.data.codes import ABSENT, PERSISTENT, POSSIBLE, SEVERE, code_set, codes
from riskmodel.data.coverage import concentration, coverage, linkage
from riskmodel.data.data_span import EVENTS, data_span
from riskmodel.data.ratio import ratio
from riskmodel.data.read.extract import Extract
from riskmodel.data.read.rows.problems import Problem, problems_frame
from riskmodel.data.sen_provision import EHC_PLAN, SEN_SUPPORT, provision_on
from riskmodel.data.settings_file import DEFAULT_FILE
from riskmodel.data.stopped_registers import Registers, stopped_schools
from riskmodel.data.tables import Tables, incidents_that_count
from riskmodel.data.year_groups import phase_of, year_group_on

__all__ = ["CheckReport", "alike_together", "check"]

COMPLETE_FROM = (7, 1)
"""Month and day from which on the data's last school year counts as complete."""


FILES = 30
"""Files that are printed where all are read; those that are not read are printed all."""

ALIKE = 2
"""Messages of one rule that are printed in full where there are many."""


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """What an analyst reads before anything else.

    Attributes
    ----------
    problems, rejects, conflicts, reconciliation : DataFrame
        As in :class:`~riskmodel.data.read.extract.Extract`. Problems hold schools whose registers
        stopped too.
    files : DataFrame
        Every file, and what it was read as, as in :class:`~riskmodel.data.read.extract.Extract`.
    proposals : tuple of str
        Sections of ``riskmodel.toml`` that would read files of unknown layouts.
    rates : DataFrame
        ``label, unit, ours, national, year, source``; ``ours`` is for the last complete school
        year of the data (:data:`COMPLETE_FROM`), missing where there is no denominator; ``year`` is
        the national figure's.
    coverage : DataFrame
        Registers by school and term (:func:`riskmodel.data.coverage.coverage`).
    linkage : DataFrame
        Rows that join to a pupil, by source.
    concentration : DataFrame
        How few schools issue half of the exclusions, by year.
    """

    problems: pd.DataFrame = field(repr=False)
    rejects: pd.DataFrame = field(repr=False)
    conflicts: pd.DataFrame = field(repr=False)
    reconciliation: pd.DataFrame
    files: pd.DataFrame = field(repr=False)
    proposals: tuple[str, ...] = field(repr=False)
    rates: pd.DataFrame = field(repr=False)
    coverage: pd.DataFrame = field(repr=False)
    linkage: pd.DataFrame = field(repr=False)
    concentration: pd.DataFrame = field(repr=False)

    @property
    def has_errors(self) -> bool:
        """Whether rows were set aside, files not read, or registers stopped."""
        return bool((self.problems["severity"] == "error").any())

    def frame(self) -> pd.DataFrame:
        """Return a copy of the problems.

        Returns
        -------
        DataFrame
            As :attr:`problems`.
        """
        return self.problems.copy()

    def text(self) -> str:
        """Return the report for a terminal.

        Returns
        -------
        str
            Problems, files, reconciliation by kind of file, rates.
        """
        found = "\n".join(alike_together(self.problems)) or "No problems were found."
        numbers = self.rates.round({"ours": 3, "national": 3})
        by_kind = self.reconciliation.groupby("table", sort=False)
        rows = by_kind.sum(numeric_only=True)
        rows.insert(0, "files", by_kind["file"].nunique())
        parts = [
            found,
            "",
            "Files:",
            *_files(self.files),
            "",
            "Rows:",
            rows.reset_index().to_string(index=False),
        ]
        if len(numbers):
            shown = numbers[["label", "unit", "ours", "national", "year"]]
            parts += ["", "Last complete school year beside England:", shown.to_string(index=False)]
        if self.proposals:
            parts += [
                "",
                f"For {DEFAULT_FILE}, to read unknown files (docs: a layout of your own):",
            ]
            parts += ["", "\n\n".join(self.proposals)]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        return self.problems.to_html(index=False, escape=True) + self.rates.to_html(index=False)


def _files(files: pd.DataFrame) -> list[str]:
    """Return a line per file: those that were not read first, then the others, not too many."""
    is_read = files["read_as"] != ""
    ordered = pd.concat([files[~is_read], files[is_read]])
    lines = [
        f"{row['file']}: {row['read_as']}, {row['rows']:,} rows"
        if row["read_as"]
        else f"{row['file']}: NOT READ"
        for row in ordered.to_dict("records")
    ]
    most = max(FILES, int((~is_read).sum()))
    more = [f"... and {len(lines) - most} more; riskmodel check --out writes all."]
    return lines[:most] + (more if len(lines) > most else [])


def alike_together(problems: pd.DataFrame) -> list[str]:
    """Return the messages of problems, errors first; of many of one rule only the first few.

    Parameters
    ----------
    problems : DataFrame
        ``rule, severity, message``, as in :class:`~riskmodel.data.read.extract.Extract`.

    Returns
    -------
    list of str
        One line each.

    Examples
    --------
    >>> problems = pd.DataFrame({"rule": ["date"], "severity": ["error"], "message": ["Add a date."]})
    >>> alike_together(problems)
    ['Add a date.']
    """
    lines = []
    for (_, rule), alike in problems.groupby(["severity", "rule"], sort=True):
        shown = alike["message"].astype("str").tolist()
        lines += shown[:ALIKE]
        if len(shown) > ALIKE:
            lines.append(
                f"... and {len(shown) - ALIKE} more of the kind '{rule}'; riskmodel check --out writes all."
            )
    return lines


def check(extract: Extract) -> CheckReport:
    """Report on an extract.

    Parameters
    ----------
    extract : Extract
        What was read.

    Returns
    -------
    CheckReport
        Problems and rates.
    """
    latest = extract.tables.latest()
    ours = _rates(latest)
    national = code_set("national")
    rows = [
        {
            "label": row["label"],
            "unit": row["unit"],
            "ours": ours[code],
            "national": float(row["national"]),
            "year": row["year"],
            "source": row["source"],
        }
        for code, row in national.iterrows()
        if code in ours
    ]
    columns = ["label", "unit", "ours", "national", "year", "source"]
    return CheckReport(
        problems=pd.concat(
            [extract.problems, problems_frame(_of_registers(extract.tables))], ignore_index=True
        ),
        rejects=extract.rejects,
        conflicts=extract.conflicts,
        reconciliation=extract.reconciliation,
        files=extract.files,
        proposals=extract.proposals,
        rates=pd.DataFrame(rows, columns=columns),
        coverage=coverage(latest),
        linkage=linkage(extract),
        concentration=concentration(latest),
    )


def _of_registers(tables: Tables) -> list[Problem]:
    """Return whose registers stopped by the end of the data, or never came."""
    if "sessions" not in tables or not len(tables["sessions"]):
        return _without_registers(tables)
    facts = [tables[name] for name in ("sessions", "suspensions") if name in tables]
    last = max(data_span(one["recorded_on"])[1] for one in facts if len(one))
    day = last + pd.Timedelta(days=1)
    registers = Registers(tables)
    if (ended := registers.end(day)) is not None:
        return [_ended(*ended)]
    groups, pupils = registers.stopped(day), registers.pupils(day)
    keys = ["school_id", "year_group"]
    in_group = pd.MultiIndex.from_frame(pupils[keys]).isin(pd.MultiIndex.from_frame(groups[keys]))
    alone = (
        pupils[~in_group]
        .groupby(keys, as_index=False)
        .agg(pupils=("pupil", "size"), since=("since", "min"))
    )
    return [
        *(_stopped(row) for row in stopped_schools(groups).to_dict("records")),
        *(_marks_end(row) for row in stopped_schools(alone).to_dict("records")),
        *(_never_sent(row) for row in registers.without(day).to_dict("records")),
    ]


def _ended(last: pd.Timestamp, since: pd.Timestamp) -> Problem:
    """Return that the registers of all schools end long before the data do."""
    words = (
        f"sessions: the last are of {last:%Y-%m-%d}; hardly any marks are there since {since:%Y-%m-%d}, "
        "though there were school days. Add the newer registers; until then no list is made."
    )
    value = f"{last:%Y-%m-%d}"
    return Problem("sessions", "registers_end", words, severity="error", column="date", value=value)


def _marks_end(row: dict[Any, Any]) -> Problem:
    """Return that the marks of some pupils of a school end, while those of others go on."""
    since = f"{row['since']:%Y-%m-%d}"
    is_one = row["pupils"] == 1
    words = (
        f"sessions: {row['pupils']:,} pupil{'' if is_one else 's'} of school {row['school_id']} "
        f"({row['years']}) {'has' if is_one else 'have'} hardly any marks since {since}, though on its "
        "roll. Ask the school, or add the missing marks; until then no list judges these pupils."
    )
    return Problem("sessions", "marks_end", words, column="date", value=since)


def _never_sent(row: dict[Any, Any]) -> Problem:
    """Return that a school sends no registers."""
    words = (
        f"sessions: no registers of school {row['school_id']} come; its {row['pupils']:,} pupils are judged "
        "without attendance. Add its registers if the LA has them."
    )
    school = str(row["school_id"])
    return Problem("sessions", "school_without_registers", words, column="school_id", value=school)


def _without_registers(tables: Tables) -> list[Problem]:
    """Return what an LA with rolls and no registers must know of its lists."""
    if "enrolments" not in tables:
        return []
    if "absence_totals" in tables and len(tables["absence_totals"]):
        words = (
            "There are no registers. Lists use the termly totals, which come months later and show no "
            "streaks, patterns or peers. Add register marks, one row for each half-day, if the LA has them."
        )
    else:
        words = (
            "There are no registers and no termly totals. Lists use nothing of attendance. Add register "
            "marks, or the attendance tables of the School Census."
        )
    return [Problem("sessions", "no_registers", f"sessions: {words}")]


def _stopped(row: dict[Any, Any]) -> Problem:
    since = f"{row['since']:%Y-%m-%d}"
    words = (
        f"sessions: the registers of school {row['school_id']} stop; {row['pupils']:,} pupils of "
        f"{row['years']} have hardly any marks since {since}. Add the missing registers; until then no "
        "list judges these pupils."
    )
    return Problem(
        "sessions", "registers_stop", words, severity="error", column="date", value=since
    )


def _rates(tables: Tables) -> dict[str, float]:
    """Return the LA's rates of the last complete school year."""
    if "enrolments" not in tables or not len(tables["enrolments"]):
        return {}
    ends = [
        data_span(tables[name][EVENTS[name]])[1]
        for name in ("sessions", "suspensions")
        if name in tables and len(tables[name])
    ]
    if not ends:
        return {}
    year = _last_complete_year(tables, max(ends))
    census = pd.Timestamp(year + 1, 1, 15)
    phase = _phases(tables, census, census)
    rates: dict[str, float] = {}
    if "suspensions" in tables:
        rates |= _exclusion_rates(tables, phase, year)
    if "sessions" in tables:
        rates |= _absence_rates(tables["sessions"], phase, year)
    n = int((phase != "").sum())
    if "send" in tables:
        everyone = pd.Series(tables.pupils.categories)
        provision = provision_on(tables["send"], everyone, day=census)["provision"]
        for key, code in (("sen_support", SEN_SUPPORT), ("ehc_plan", EHC_PLAN)):
            rates[key] = _per_100(float((phase[provision == code] != "").sum()), n)
    if "circumstances" in tables:
        spells = tables["circumstances"]
        now = (spells["kind"] == "fsm") & (spells["start_date"] <= census)
        now &= ~(spells["end_date"] < census)
        pupils = np.unique(pupils_of(spells[now.to_numpy()]))
        rates["fsm"] = _per_100(float((phase[pupils] != "").sum()), n)
    return rates


def _per_100(part: float, whole: int) -> float:
    """Return a rate; undefined without a denominator, never 0."""
    return float(ratio(100 * part, whole))


def _last_complete_year(tables: Tables, last: pd.Timestamp) -> int:
    """Return the last school year that the data cover to July, or the only one there is."""
    year = int(academic_year(pd.Series([last])).iloc[0])
    if last >= pd.Timestamp(year + 1, *COMPLETE_FROM):
        return year
    first = tables["enrolments"]["entry_date"].min()
    return year - 1 if first < pd.Timestamp(year, 1, 1) else year


def _phases(tables: Tables, first: pd.Timestamp, last: pd.Timestamp) -> NDArray[np.object_]:
    """Return the phase of each pupil on a roll between two days of a year, empty for others."""
    rolls = tables["enrolments"]
    rolls = rolls[((rolls["entry_date"] <= last) & ~(rolls["leaving_date"] < first)).to_numpy()]
    by_age = phase_of(year_group_on(rolls, first))
    phase = np.full(len(tables.pupils.categories), "", dtype=object)
    phase[pupils_of(rolls)] = by_age.where(by_age.isin(["primary", "secondary"]), "")
    return phase


def _exclusion_rates(tables: Tables, on_roll: NDArray[np.object_], year: int) -> dict[str, float]:
    """Return events of the year per 100 pupils on roll in January.

    An event counts in the phase of any roll of the year: a child excluded in the autumn may be on no
    roll in January.
    """
    suspensions = incidents_that_count(tables["suspensions"])
    phase = _phases(tables, pd.Timestamp(year, 9, 1), pd.Timestamp(year + 1, 8, 31))
    in_year = (academic_year(suspensions["start_date"]) == year).to_numpy(dtype=bool)
    pupil_phase = phase[suspensions["pupil_id"].cat.codes.to_numpy()]
    rates = {}
    for name in ("primary", "secondary"):
        here = in_year & (pupil_phase == name)
        n = int((on_roll == name).sum())
        for key, category in (("pex", "PERM"), ("suspensions", "SUSP")):
            hits = here & (suspensions["category"] == category).to_numpy()
            rates[f"{key}_{name}"] = _per_100(float(hits.sum()), n)
    return rates


def _absence_rates(
    sessions: pd.DataFrame, phase: NDArray[np.object_], year: int
) -> dict[str, float]:
    first, last = pd.Timestamp(year, 9, 1), pd.Timestamp(year + 1, 8, 31)
    in_year = ((sessions["date"] >= first) & (sessions["date"] <= last)).to_numpy()
    pupil = sessions["pupil_id"].cat.codes.to_numpy()[in_year]
    family = code_set("marks")["family"].loc[list(codes("marks"))].to_numpy()
    mark = sessions["mark"].cat.codes.to_numpy()[in_year]

    def count(*names: str) -> NDArray[np.float64]:
        inside = np.isin(family, names)[mark]
        return np.bincount(pupil[inside], minlength=len(phase)).astype(float)

    unauthorised = count("unauthorised")
    absent, possible = count(*ABSENT), count(*POSSIBLE)
    rates = {}
    for name in ("primary", "secondary"):
        here = (phase == name) & (possible > 0)
        if not here.any():
            continue
        share = absent[here] / possible[here]
        rates[f"absence_{name}"] = 100 * absent[here].sum() / possible[here].sum()
        rates[f"unauthorised_{name}"] = 100 * unauthorised[here].sum() / possible[here].sum()
        rates[f"persistent_{name}"] = 100 * float((share >= PERSISTENT).mean())
        rates[f"severe_{name}"] = 100 * float((share >= SEVERE).mean())
    return rates
