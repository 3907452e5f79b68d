"""A folder of returns: every file known by its columns, one pupil known by all their UPNs.

In:  a folder with the files an LA holds, in any order and under any names.
Out: facts per table from each file; how many rows were kept, merged into others, or set aside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.columns import Column, Table
from riskmodel.data.identity import may_identify
from riskmodel.data.read.likeness import unread_columns
from riskmodel.data.read.mapping import ColumnMapping, about_nothing
from riskmodel.data.read.open.files import Opened, open_each
from riskmodel.data.read.open.walk import files_in, shown_name
from riskmodel.data.read.returns.assemble import assemble
from riskmodel.data.read.returns.census_leavers import late_leavers
from riskmodel.data.read.returns.closed_schools import (
    closing_days,
    end_at_closed_schools,
    silent_schools,
)
from riskmodel.data.read.returns.file_context import PUPILS_ON_ROLL, gather_context
from riskmodel.data.read.returns.grid_order import settle_grids
from riskmodel.data.read.returns.later_returns import ON_ROLL, end_missing_rolls, rows_on_roll
from riskmodel.data.read.returns.linking import identify
from riskmodel.data.read.returns.marks_and_totals import marks_beyond_totals
from riskmodel.data.read.returns.overlapping_suspensions import (
    overlapping_suspensions,
    suspensions_made_permanent,
)
from riskmodel.data.read.returns.presence import POSSIBLE, beyond_possible
from riskmodel.data.read.returns.provision import far_plans, latest_fact
from riskmodel.data.read.returns.recognise import follow_sisters, recognise
from riskmodel.data.read.returns.roll_years import date_rolls
from riskmodel.data.read.returns.row_verdicts import account
from riskmodel.data.read.returns.sent_again import set_replaced_aside
from riskmodel.data.read.returns.two_children import (
    named_pupils,
    set_children_aside,
    set_named_children_aside,
)
from riskmodel.data.read.returns.unlikely_facts import (
    drop_before_birth,
    months_of_birth,
    note_unlikely,
)
from riskmodel.data.read.returns.withdrawn import set_withdrawn_aside
from riskmodel.data.read.rows.accounts import (
    ReadLog,
    ReturnFile,
    keep_notes,
    set_aside_rows,
)
from riskmodel.data.read.rows.problems import NOT_SHOWN, Problem
from riskmodel.data.read.rows.table import read_table
from riskmodel.data.read.rows.versions import MERGED
from riskmodel.data.read.sources.reference import SCHOOLS
from riskmodel.data.read.sources.schools import school_of
from riskmodel.data.read.sources.source import Context
from riskmodel.data.schema import TABLES
from riskmodel.errors import DataError
from riskmodel.progress import track

__all__ = ["open_returns", "read_returns"]

NEEDS = Table(
    name="needs",
    row="need",
    columns=(
        TABLES["send"]["pupil_id"],
        TABLES["send"]["primary_need"],
        TABLES["send"]["secondary_need"],
        Column(
            name="sentyperank",
            kind="number",
            label="Rank",
            required=False,
            nullable=True,
            low=1,
            high=99,
        ),
        Column(name="start_date", kind="date", label="Census day", required=False, nullable=True),
        Column(name="recorded_on", kind="date", label="Known on", required=False, nullable=True),
    ),
    key=("pupil_id",),
)
"""Needs as the census and SEN2 give them, before they join the spells of provision."""

JOINED_LATER = {one.name: one for one in (NEEDS, POSSIBLE)}
"""Facts that end in another table's rows, by name."""


def read_returns(
    opened: Iterable[Opened], *, key_file: Path, mappings: Sequence[ColumnMapping] = ()
) -> ReadLog:
    """Read returns.

    Parameters
    ----------
    opened : iterable of Opened
        Files, sheets or database tables.
    key_file : Path
        Key of the pseudonyms.
    mappings : sequence of ColumnMapping
        The analyst's own layouts.

    Returns
    -------
    ReadLog
        Tables, problems, counts, and what each file was read as.

    Raises
    ------
    DataError
        If no file names the pupils, or none of its pupils can be read.
    RequestError
        If two of the analyst's layouts do not agree on a file.
    """
    log = ReadLog()
    files = [file for one in opened if (file := recognise(one, log, mappings)) is not None]
    log.problems += about_nothing(mappings, [one.file for one in log.files])
    if not any(one.source.names_pupils for one in files):
        raise DataError(_no_pupils(log))
    follow_sisters(files, log)
    settle_grids(files, log)
    for one in files:
        set_withdrawn_aside(log, one)
    context = gather_context(files, log)
    identify(files, context, key_file, log)
    log.problems += late_leavers(files, context)
    date_rolls(files, log)
    set_replaced_aside(files, context, log)
    files.sort(key=_reading_order)
    facts: dict[str, list[pd.DataFrame]] = {}
    pupils: pd.CategoricalDtype | None = None
    n_naming = sum(one.source.names_pupils for one in files)
    for number, one in enumerate(track(files, "Reading returns")):
        if number == n_naming:
            pupils = _everyone(facts, files, context, log)
        for table, part in _facts(one, context, pupils, log):
            facts.setdefault(table, []).append(part.assign(_file=number))
    pupils = pupils or _everyone(facts, files, context, log)
    joined = {name: pd.concat(parts, ignore_index=True) for name, parts in facts.items()}
    log.problems += note_unlikely(joined, files, context.births) + end_missing_rolls(joined)
    log.problems += _closed(joined, files)
    log.frames, used, verdicts = assemble(joined, pupils)
    log.problems += _repeated(joined, log.frames, verdicts)
    log.problems += _unknown_schools(log.frames, joined, files)
    log.problems += marks_beyond_totals(log.frames) + overlapping_suspensions(log.frames)
    if "suspensions" in joined:
        log.problems += suspensions_made_permanent(joined["suspensions"])
    log.problems += _beyond_possible(joined, log.frames, files) + _far_plans(joined, files)
    account(log, files, used, verdicts)
    return log


def _closed(facts: dict[str, pd.DataFrame], files: Sequence[ReturnFile]) -> list[Problem]:
    """End the spells at schools that closed, and name those that fell silent; take out who was on roll."""
    lists = [one.frame for one in files if one.source.name == SCHOOLS and len(one.frame)]
    nothing = pd.Series(dtype="datetime64[s]")
    closed = closing_days(pd.concat(lists, ignore_index=True)) if lists else nothing
    problems = end_at_closed_schools(facts, closed)
    seen = facts.pop(ON_ROLL, None)
    if seen is None or seen.empty or "enrolments" not in facts:
        return problems
    return problems + silent_schools(seen, facts["enrolments"], closed)


def _no_pupils(log: ReadLog) -> str:
    """Return that no file names the pupils, and what each file is or lacks."""
    found = [one.note or f"{one.file}: was read as '{one.read_as}'." for one in log.files]
    return " ".join(
        [
            "No file or table names the pupils, so nothing can be read. Add the School Census or the clients "
            "of NCCIS; or, with one file per table, pupils.csv or pupils.parquet.",
            *(found or ["The folder is empty."]),
            *(one.words for one in log.problems if one.rule == "two_layouts"),
        ]
    )


def _reading_order(one: ReturnFile) -> tuple[bool, bool, str]:
    """Return what sorts the files: those that name pupils first, the School Census before others."""
    return (not one.source.names_pupils, one.source.name != PUPILS_ON_ROLL, one.name)


def _repeated(
    facts: dict[str, pd.DataFrame], frames: dict[str, pd.DataFrame], verdicts: pd.DataFrame
) -> list[Problem]:
    """Return how many suspensions came again, and how many ends of spells a later return took back."""
    problems = []
    of_table = verdicts[verdicts["table"] == "suspensions"]
    merged = int((of_table["verdict"] == MERGED).sum())
    if merged:
        n_read, key = len(facts["suspensions"]), list(TABLES["suspensions"].key)
        kept = len(frames["suspensions"].drop_duplicates(key))
        problems.append(
            Problem(
                "suspensions",
                "merged",
                f"suspensions: {n_read} rows of censuses and schools report {kept} "
                f"suspensions and exclusions; {merged} that came again were merged.",
            )
        )
    if "enrolments" in facts:
        spells = facts["enrolments"].drop_duplicates(list(TABLES["enrolments"].key))
        back = len(frames["enrolments"]) - len(spells)
        if back:
            problems.append(
                Problem(
                    "enrolments",
                    "end_taken_back",
                    f"enrolments: in {back} cases a pupil is no longer "
                    "on roll in a return, and on roll again in a later one. The later "
                    "one was believed from its day on. Ask the schools which is right.",
                )
            )
    return problems


def _beyond_possible(
    facts: dict[str, pd.DataFrame], frames: dict[str, pd.DataFrame], files: Sequence[ReturnFile]
) -> list[Problem]:
    """Return the rows of pupils with more absence in a term than half-days that were possible."""
    if POSSIBLE.name not in facts or "absence_totals" not in frames:
        return []
    totals, possible = frames["absence_totals"], facts[POSSIBLE.name]
    who = possible["pupil_id"].astype("str").astype(totals["pupil_id"].dtype)
    problems = []
    for number, rows in beyond_possible(totals, possible.assign(pupil_id=who)).groupby("_file"):
        checks = files[int(str(number))].checks()
        bad = np.zeros(len(checks.raw), dtype=bool)
        bad[rows["_place"].to_numpy()] = True
        words = (
            "the pupil has more half-days of absence in the term than possible ones, so none in school were "
            "added. Ask the school which is right."
        )
        checks.note(bad, "beyond_possible", "", words, set_aside=False)
        problems += checks.problems
    return problems


def _far_plans(facts: dict[str, pd.DataFrame], files: Sequence[ReturnFile]) -> list[Problem]:
    """Return the few plans that begin long after all other facts, as a typing error makes them."""
    if "send" not in facts:
        return []
    problems = []
    send = facts["send"]
    for number, rows in send[far_plans(send, latest_fact(facts))].groupby("_file"):
        checks = files[int(str(number))].checks()
        bad = np.zeros(len(checks.raw), dtype=bool)
        bad[rows["_place"].to_numpy()] = True
        words = (
            "the plan begins long after all other facts, so its day moves no other fact. Correct it if it "
            "is a typing error."
        )
        checks.note(bad, "far_date", "", words, set_aside=False)
        problems += checks.problems
    return problems


def _unknown_schools(
    frames: dict[str, pd.DataFrame], facts: dict[str, pd.DataFrame], files: Sequence[ReturnFile]
) -> list[Problem]:
    """Return the schools that rows name and the table of schools lacks, each once per table."""
    problems = []
    for table in ("enrolments", "suspensions"):
        if table not in frames or "schools" not in frames:
            continue
        found = frames[table]["school_id"]
        rows = found[~found.isin(frames["schools"]["school_id"])].value_counts(sort=False)
        first = facts[table].drop_duplicates("school_id").set_index("school_id")
        for school, n in sorted(rows.items()):
            shown = NOT_SHOWN if may_identify(str(school)) else f"'{school}'"
            origin = first.loc[[str(school)]]
            one = files[int(origin["_file"].iloc[0])]
            (row,) = one.checks().numbers_of(origin["_place"].to_numpy(np.int64))
            words = (
                f"{table}: school {shown} of {n} rows is none of the schools given, or a name that several "
                f"have; the first is row {row} of {one.name}. The rows are kept. Correct it, or add the "
                "school to the list of schools."
            )
            value = "" if shown == NOT_SHOWN else str(school)
            problems.append(
                Problem(table, "unknown_school", words, column="school_id", value=value)
            )
    return problems


def open_returns(folder: Path) -> Iterator[Opened]:
    """Open the files of a folder.

    Parameters
    ----------
    folder : Path
        Extracts.

    Yields
    ------
    Opened
        One per file, or per sheet of a workbook.
    """
    taken: Counter[str] = Counter()
    for path in track(list(files_in(folder)), "Opening files"):
        name = shown_name(path.relative_to(folder))
        taken[name] += 1  # two names may differ in their UPNs only
        yield from open_each(path, f"{name} ({taken[name]})" if taken[name] > 1 else name)


def _everyone(
    facts: dict[str, list[pd.DataFrame]],
    files: Sequence[ReturnFile],
    context: Context,
    log: ReadLog,
) -> pd.CategoricalDtype:
    """Return the pupils whom the files name, without UPNs of two children."""
    if any(len(part) for part in facts.get("pupils", ())):
        set_named_children_aside(facts, files, context, log)
    if not any(len(part) for part in facts.get("pupils", ())):
        words = " ".join(problem.message for problem in log.problems[:5])
        raise DataError(f"No pupil can be read from these returns. {words}")
    context.births = months_of_birth(facts["pupils"])
    known = pd.concat([part["pupil_id"].astype("str") for part in facts["pupils"]])
    return pd.CategoricalDtype(pd.Index(sorted(known.unique()), dtype="str"))


def _facts(
    one: ReturnFile, context: Context, pupils: pd.CategoricalDtype | None, log: ReadLog
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the typed facts of a file, each with its place in the file.

    A row that was understood and makes no fact counts as kept: a pupil without absence, an offer made.
    """
    if one.source.facts is None or not len(one.frame):
        one.kept[:] = True
        return
    set_children_aside(log, one, context)
    usable = one.frame[~(one.set_aside | one.repeated | one.replaced)]
    named = named_pupils(usable, context)
    if named is not None:
        linked = named.notna() if pupils is None else named.isin(pupils.categories)
        if not linked.all():
            _set_unlinked_aside(log, one, usable.index[~linked].to_numpy())
            usable = usable[linked]
    if usable.empty:
        return
    silent = np.zeros(len(one.frame), dtype=bool)
    silent[usable.index] = True
    facts = one.source.facts(usable, context)
    log.problems += unread_columns(one, facts)
    nobody: set[int] = set()
    for name, part in sorted(facts.items(), key=lambda fact: fact[0] != "pupils"):
        part = part[~part.index.isin(nobody)] if nobody else part
        table = JOINED_LATER[name] if name in JOINED_LATER else TABLES[name]
        extra = [column for column in part if str(column).startswith("_")]
        if "school_id" in part and name != "schools":
            part = part.assign(school_id=school_of(part["school_id"], context))
        places = part.index.to_numpy()
        silent[places] = False
        checks = one.checks(part.drop(columns=extra).reset_index(drop=True), places)
        who = None if name == "pupils" or pupils is None else pupils
        frame = read_table(table, checks, who, unique=False)
        frame = drop_before_birth(name, frame, checks, context.births)
        keep_notes(log, one, checks)
        kept = np.flatnonzero(checks.kept)
        if "_seen" in part and name == "enrolments":
            yield ON_ROLL, rows_on_roll(part, frame, kept)
        if name == "pupils":  # a row whose pupil cannot be used makes no other fact
            nobody = set(places[~checks.kept].tolist())
        yield (
            name,
            frame.assign(_place=places[kept], **{str(c): part[c].to_numpy()[kept] for c in extra}),
        )
    one.kept |= silent


def _set_unlinked_aside(log: ReadLog, one: ReturnFile, places: NDArray[np.int64]) -> None:
    why = (
        "hang on a row that is in no table of pupils"
        if "pupil_id" not in one.frame
        else "have no UPN, or the UPN of a pupil in no census, school roll or NCCIS extract"
    )
    set_aside_rows(log, one, places, "not_linked", f"{why}, so they join to nobody.")
