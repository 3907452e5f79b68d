"""A folder of returns: every file known by its columns, one pupil known by all their UPNs.

In:  a folder with the files an LA holds, in any order and under any names.
Out: facts per table from each file; how many rows were kept, merged into others, or set aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.identity import load_key, pseudonyms
from riskmodel.data.read.assemble import assemble
from riskmodel.data.read.convert import read_dates
from riskmodel.data.read.files import ENDINGS, Opened, open_file
from riskmodel.data.read.problems import Ledger, encoding_warning, problem
from riskmodel.data.read.sources import SOURCES
from riskmodel.data.read.sources.source import Context, Source, column, plain, with_plain_columns
from riskmodel.data.read.table import note_upns, read_table
from riskmodel.data.schema import TABLES, Column, Table
from riskmodel.errors import DataError
from riskmodel.progress import track

__all__ = ["Reading", "find_returns", "open_returns", "read_returns"]

PUPIL_SOURCES = ("School Census: pupils on roll", "NCCIS clients")
"""Files that say who there is."""

NEEDS = Table(
    name="needs", row="need",
    columns=(
        TABLES["send"]["pupil_id"], TABLES["send"]["primary_need"], TABLES["send"]["secondary_need"],
        Column(name="start_date", kind="date", label="Census day", required=False, nullable=True),
        Column(name="recorded_on", kind="date", label="Known on", required=False, nullable=True),
    ),
    key=("pupil_id",),
)  # fmt: skip
"""Needs as the census and SEN2 give them, before they join the spells of provision."""


@dataclass
class Reading:
    """What came of a folder of returns.

    Attributes
    ----------
    frames : dict of str to DataFrame
        Tables.
    problems : list of dict
        One per problem.
    rejects : list of DataFrame
        Rows set aside, by file.
    counts : list of tuple
        File, source, rows read, kept, rejected, merged.
    """

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: list[dict[str, object]] = field(default_factory=list)
    rejects: list[pd.DataFrame] = field(default_factory=list)
    counts: list[tuple[str, str, int, int, int, int]] = field(default_factory=list)


@dataclass
class _File:
    name: str
    source: Source
    raw: pd.DataFrame
    frame: pd.DataFrame
    first_row: int
    encoding: str
    set_aside: NDArray[np.bool_]
    kept: NDArray[np.bool_]


def find_returns(folder: Path) -> list[Path]:
    """Return the data files of a folder and the folders in it.

    Parameters
    ----------
    folder : Path
        Where to look; hidden files and the truth of simulated data are left out.

    Returns
    -------
    list of Path
        Sorted.
    """
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS
        and not any(
            part.startswith(".") or part == "truth" for part in path.relative_to(folder).parts
        )
    )


def read_returns(opened: Iterable[Opened], *, key_file: Path) -> Reading | None:
    """Read returns.

    Parameters
    ----------
    opened : iterable of Opened
        Files, sheets or database tables.
    key_file : Path
        Key of the pseudonyms.

    Returns
    -------
    Reading or None
        None if none of them says who the pupils are.

    Raises
    ------
    DataError
        If one cannot be read at all.
    """
    made = Reading()
    files = [file for one in opened if (file := _recognise(one, made)) is not None]
    if not any(one.source.name in PUPIL_SOURCES for one in files):
        return None
    context = _context(files)
    _identify(files, context, key_file, made)
    order = {name: number for number, name in enumerate(PUPIL_SOURCES)}
    files.sort(key=lambda one: (order.get(one.source.name, 9), one.name))
    facts: dict[str, list[pd.DataFrame]] = {}
    pupils: pd.CategoricalDtype | None = None
    for number, one in enumerate(track(files, "Reading returns")):
        if pupils is None and one.source.name not in PUPIL_SOURCES:
            _check_pupils(facts, made)
            known = pd.concat([part["pupil_id"] for part in facts["pupils"]])
            pupils = pd.CategoricalDtype(pd.Index(sorted(known.unique()), dtype="str"))
        for table, part in _facts(one, context, pupils, made):
            facts.setdefault(table, []).append(part.assign(_file=number))
    joined = {name: pd.concat(parts, ignore_index=True) for name, parts in facts.items()}
    if pupils is None:
        _check_pupils(facts, made)
        pupils = pd.CategoricalDtype(
            pd.Index(sorted(joined["pupils"]["pupil_id"].unique()), dtype="str")
        )
    made.frames, used = assemble(joined, pupils)
    told, kept = len(joined.get("suspensions", ())), len(made.frames.get("suspensions", ()))
    if told > kept:
        made.problems.append(
            problem("suspensions", "merged", f"suspensions: {told} rows of censuses and schools tell {kept} "
                  f"suspensions and exclusions; {told - kept} that came again were merged.")
        )  # fmt: skip
    for number, one in enumerate(files):
        _count(made, one, used.loc[used["_file"] == number, "_place"].to_numpy())
    return made


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
    for path in track(find_returns(folder), "Opening files"):
        yield from open_file(path, str(path.relative_to(folder)))


def _recognise(one: Opened, made: Reading) -> _File | None:
    name, raw, encoding, first = one
    found = {plain(str(column)) for column in raw.columns}
    best: Source | None = None
    for source in SOURCES:
        mine = {source.aliases.get(column, column) for column in found}
        if source.columns <= mine and (best is None or len(source.columns) > len(best.columns)):
            best = source
    made.problems += encoding_warning(name, encoding)
    if best is None:
        made.problems.append(_unknown(name, found))
        made.counts.append((name, "not recognised", len(raw), 0, len(raw), 0))
        record = raw.astype("str").to_json(orient="records", lines=True).strip().split("\n")
        if len(raw):
            made.rejects.append(pd.DataFrame(
                {"file": name, "row": np.arange(len(raw)) + first, "reason": "unknown_file", "record": record}
            ))  # fmt: skip
        return None
    frame = with_plain_columns(raw, best.aliases).reset_index(drop=True)
    empty = np.zeros(len(raw), dtype=bool)
    return _File(name, best, raw, frame, first, encoding, empty, empty.copy())


def _unknown(name: str, found: set[str]) -> dict[str, object]:
    """Say which source a file is nearest to, and what it lacks."""
    shares = [
        (len(s.columns & {s.aliases.get(c, c) for c in found}) / len(s.columns), s) for s in SOURCES
    ]
    share, source = max(shares, key=lambda pair: pair[0])
    missing = sorted(source.columns - {source.aliases.get(c, c) for c in found})
    like = (
        f" It is nearest to '{source.name}', but has no {', '.join(missing)}."
        if share >= 0.5
        else ""
    )
    return problem(name, "unknown_file", f"{name}: its columns are those of no known source, so it was not "
                 f"used.{like} Export it in a known layout, or take it out of the folder.")  # fmt: skip


def _of(files: list[_File], name: str) -> pd.DataFrame:
    parts = [one.frame for one in files if one.source.name == name]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _context(files: list[_File]) -> Context:
    """Gather what one file must know of the others."""
    context = Context()
    schools = _of(files, "Schools (Get Information about Schools)")
    if len(schools):
        number = column(schools, "establishmentnumber").astype("str").str.zfill(4)
        context.school_of_number = pd.Series(schools["urn"].astype("str").to_numpy(), index=number)
        context.school_of_number = context.school_of_number.groupby(level=0).first()
    returns = _of(files, "School Census: returns")
    if len(returns):
        urn = column(returns, "urn").astype("object").where(lambda given: given.notna())
        context.censuses = (
            pd.DataFrame({
                "id": returns["schoolcensustableid"].astype("str"),
                "school_id": urn.fillna(column(returns, "estab")).astype("str"),
                "day": read_dates(returns["referencedate"]),
            }).drop_duplicates("id").set_index("id")
        )  # fmt: skip
    lookup = _of(files, "Postcode lookup")
    if len(lookup):
        post = lookup["postcode"].astype("str").str.replace(" ", "").str.upper()
        nothing = pd.Series(np.nan, index=lookup.index)
        deciles = {
            f"{name}_decile": pd.to_numeric(
                lookup.get(f"{name}decile", nothing), errors="coerce"
            ).to_numpy()
            for name in ("idaci", "imd")
        }
        context.deciles = pd.DataFrame(deciles, index=post).groupby(level=0).first()
    groups = _of(files, "Groups of NCCIS activities")
    if len(groups):
        context.group_of_activity = pd.Series(
            groups["activitygroup"].astype("str").str.strip().str.lower().to_numpy(),
            index=groups["activitycode"].astype("str").str.strip(),
        ).groupby(level=0).first()  # fmt: skip
    header = _of(files, "SSDA903: header")
    if len(header):
        context.child_upn = (
            header.assign(child=header["child"].astype("str")).drop_duplicates("child")
            .set_index("child")["upn"].astype("object")
        )  # fmt: skip
    for one in files:
        if one.source.name == "SSDA903: episodes":
            one.frame["upn"] = one.frame["child"].astype("str").map(context.child_upn)
    return context


def _identify(files: list[_File], context: Context, key_file: Path, made: Reading) -> None:
    """Give every row its pupil: former UPNs joined, names and UPNs dropped at the door."""
    pupils = [one for one in files if one.source.name == "School Census: pupils on roll"]
    for one in pupils:
        one.frame["upn"] = _upn_or_name(one.frame)
    former = _former(pupils)
    key = load_key(key_file)
    for one in files:
        if not one.source.upn or one.source.upn not in one.frame:
            continue
        upn = one.frame[one.source.upn]
        distinct = pd.Series(upn.dropna().unique()).astype("str")
        clean = distinct.str.strip().str.upper()
        names = pseudonyms(clean.replace(former), key)
        names = names.where(clean.str.len() >= 12)  # UN1 to UN7 and the like stand for nobody
        mapped = upn.map(dict(zip(distinct, names, strict=True))).astype("str")
        one.frame = one.frame.drop(columns=[*({"upn", "formerupn", "surname", "forename", "middlenames",
                                    "preferredsurname", one.source.upn} & set(one.frame))])  # fmt: skip
        one.frame["pupil_id"] = mapped
        if one.source.name in ("School Census: pupils on roll", "Suspensions and exclusions"):
            ledger = Ledger(one.name, one.first_row, one.raw)
            given = upn.where(~upn.astype("str").str.startswith("NO UPN"))
            note_upns(given, ledger)
            _keep_notes(made, one, ledger)
    rows = [one for one in pupils if "rowid" in one.frame]
    if rows:
        for one in rows:
            _set_undated_aside(made, one, context)
        wanted = ["rowid", "pupil_id", "schoolcensustableid", "entrydate"]
        table = pd.concat([one.frame.loc[~one.set_aside, wanted] for one in rows])
        table = (
            table.assign(rowid=table["rowid"].astype("str"))
            .drop_duplicates("rowid")
            .set_index("rowid")
        )
        context.pupil_of_row = table["pupil_id"]
        context.census_of_row = table["schoolcensustableid"].astype("str")
        context.entry_of_row = read_dates(table["entrydate"])


def _upn_or_name(frame: pd.DataFrame) -> pd.Series:
    """Return the UPN, or where there is none what else tells one pupil from another."""
    upn = frame["upn"].astype("object")
    parts = [frame[name].astype("str") for name in ("surname", "forename", "dob") if name in frame]
    other = pd.Series("NO UPN", index=frame.index)
    for part in parts:
        other = other + "|" + part
    blank = upn.isna() | (upn.astype("str").str.strip() == "")
    return upn.where(~blank, other)


def _former(pupils: list[_File]) -> dict[str, str]:
    """Return former UPN → the UPN that a pupil has now, chains followed to the end."""
    pairs: dict[str, str] = {}
    for one in pupils:
        if "formerupn" in one.frame:
            told = (
                one.frame[["formerupn", "upn"]]
                .astype("str")
                .apply(lambda c: c.str.strip().str.upper())
            )
            told = told[(told["formerupn"].str.len() >= 12) & (told["formerupn"] != told["upn"])]
            pairs |= dict(zip(told["formerupn"], told["upn"], strict=True))
    for old in list(pairs):
        seen = {old}
        while pairs[old] in pairs and pairs[old] not in seen:
            seen.add(pairs[old])
            pairs[old] = pairs[pairs[old]]
    return pairs


def _check_pupils(facts: dict[str, list[pd.DataFrame]], made: Reading) -> None:
    if not any(len(part) for part in facts.get("pupils", ())):
        told = " ".join(str(problem["message"]) for problem in made.problems[:5])
        raise DataError(f"No pupil can be read from these returns. {told}")


def _facts(
    one: _File, context: Context, pupils: pd.CategoricalDtype | None, made: Reading
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the typed facts of a file, each with its place in the file."""
    if one.source.facts is None or not len(one.frame):
        one.kept[:] = True
        return
    usable = one.frame[~one.set_aside]
    named = None
    if "pupil_id" in usable:
        named = usable["pupil_id"]
    elif "rowid" in usable:
        named = usable["rowid"].astype("str").map(context.pupil_of_row)
    if named is not None:
        linked = named.notna() if pupils is None else named.isin(pupils.categories)
        if not linked.all():
            _set_unlinked_aside(made, one, usable.index[~linked].to_numpy())
            usable = usable[linked]
    if usable.empty:
        return
    told = False
    for name, part in one.source.facts(usable, context).items():
        told = True
        table = NEEDS if name == "needs" else TABLES[name]
        extra = [column for column in part if str(column).startswith("_")]
        places = part.index.to_numpy()
        ledger = Ledger(
            one.name, one.first_row, part.drop(columns=extra).reset_index(drop=True), places
        )
        who = None if name == "pupils" or pupils is None else pupils
        frame = read_table(table, ledger, who, None, Path(), unique=False)
        _keep_notes(made, one, ledger)
        kept = np.flatnonzero(ledger.kept)
        yield (
            name,
            frame.assign(_place=places[kept], **{str(c): part[c].to_numpy()[kept] for c in extra}),
        )
    if not told:
        one.kept[:] = True


def _set_unlinked_aside(made: Reading, one: _File, places: NDArray[np.int64]) -> None:
    why = (
        "hang on a row that is in no table of pupils"
        if "rowid" in one.frame
        else "have no UPN, or the UPN of a pupil in neither census nor NCCIS"
    )
    _set_aside(made, one, places, "not_linked", f"{why}, so they join to nobody.")


def _set_undated_aside(made: Reading, one: _File, context: Context) -> None:
    """Set pupils aside whose census is not there: without its day nothing in it can be dated."""
    census = one.frame["schoolcensustableid"].astype("str")
    places = np.flatnonzero(~census.isin(context.censuses.index) & ~one.set_aside)
    if len(places):
        _set_aside(made, one, places, "no_census", "belong to a return whose day is not known. Add the "
                   "table 'schoolcensus' of that return.", "error")  # fmt: skip


def _set_aside(
    made: Reading,
    one: _File,
    places: NDArray[np.int64],
    rule: str,
    words: str,
    severity: str = "warning",
) -> None:
    """Set rows of a file aside for one reason, told once."""
    ledger = Ledger(one.name, one.first_row, one.raw)
    bad = np.zeros(len(one.raw), dtype=bool)
    bad[places] = True
    ledger.note(bad, rule, "", "", set_aside=True)
    message = f"{one.name}: {len(places)} of {len(one.raw)} rows {words} They are in the rejects."
    made.problems.append(problem(one.name, rule, message, severity=severity))
    made.rejects.append(ledger.rejects())
    one.set_aside[places] = True


def _keep_notes(made: Reading, one: _File, ledger: Ledger) -> None:
    made.problems += ledger.problems
    rejects = ledger.rejects()
    if len(rejects):
        places = rejects["row"].to_numpy(dtype=np.int64) - one.first_row
        # one row may tell several facts; it goes to the rejects once, whole
        new = ~one.set_aside[places] & ~pd.Series(places).duplicated().to_numpy()
        record = one.raw.iloc[places].astype("str").to_json(orient="records", lines=True)
        rejects["record"] = record.strip().split("\n")
        made.rejects.append(rejects[new])
        one.set_aside[places] = True


def _count(made: Reading, one: _File, used: NDArray[np.int64]) -> None:
    """Count each row once: kept if a fact of it is used, else set aside, else merged into others."""
    one.kept[used] = True
    one.kept &= ~one.set_aside
    n, kept, aside = len(one.raw), int(one.kept.sum()), int(one.set_aside.sum())
    made.counts.append((one.name, one.source.name, n, kept, aside, n - kept - aside))
