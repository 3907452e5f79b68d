"""Shared by the fuzzing tests and the campaign: every reader, what it promises, and inputs to start from.

In:  bytes that a fuzzer made.
Out: nothing where the promise held; else an exception that is a fault of ours.

The promise: a result whose rows balance, or a :class:`RiskmodelError` with a readable sentence.
"""

from __future__ import annotations

import io
import random
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd

from riskmodel.card import Lineage, ModelCard
from riskmodel.data import TABLES
from riskmodel.data.journal import append, read_journal
from riskmodel.data.read import Extract, read
from riskmodel.data.read.open.database import open_database
from riskmodel.data.read.open.files import TEXT
from riskmodel.data.settings_file import DEFAULT_FILE
from riskmodel.errors import LONGEST, RiskmodelError
from riskmodel.jobs import read_decisions, read_settings
from riskmodel.jobs.past_lists import read_handed_out
from riskmodel.model import RiskModel
from riskmodel.report.list_files import read_list
from riskmodel.report.workbook.reading_back import read_returned
from tests.returns import CENSUS, CENSUS_XML, PARTS, UPN, write_two_terms
from tests.slow_count import rows_of

__all__ = ["READERS", "Reader", "archive_of", "check", "make_corpus", "mutated", "small_model"]

CIN = f"""<Message><Header><Collection>CIN</Collection></Header><Children><Child>
<ChildIdentifiers><LAchildID>7</LAchildID><UPN>{UPN}</UPN></ChildIdentifiers><CINdetails>
<CINreferralDate>2023-10-02</CINreferralDate><CINclosureDate>2024-03-01</CINclosureDate><ChildProtectionPlans>
<CPPstartDate>2023-11-01</CPPstartDate></ChildProtectionPlans></CINdetails></Child></Children></Message>"""
EPISODES = f"""<EXPSSDA903><CHILD><HEADER><CHILDID>9</CHILDID><UPN>{UPN}</UPN></HEADER><EPISODES><EPISODE>
<DECOM>01/10/2023</DECOM><LS>C2</LS></EPISODE></EPISODES></CHILD></EXPSSDA903>"""
TRANSFER = f"""<CTfile><Header><DateTime>2024-05-01T09:12:00</DateTime></Header><CTFpupilData><Pupil>
<UPN>{UPN}</UPN><Attendance><AttendSessions><AttendanceStartDate>2024-03-04</AttendanceStartDate>
<AttendanceMarks>/\\LI</AttendanceMarks></AttendSessions></Attendance></Pupil></CTFpupilData></CTfile>"""

TOKENS: tuple[bytes, ...] = (
    b"",
    b" ",
    b"nonsense",
    b"-1",
    b"0",
    b"31/02/2024",
    b"9999-99-99",
    b"1e400",
    b"-inf",
    b"NaN",
    b"null",
    b"\xff",
    b"\x00",
    b"\x1b[2J",
    "é".encode(),
    "\u202e\u2028".encode(),
    b'"',
    b"'",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"{",
    b"}",
    b"{value}",
    b"%s",
    b"[",
    b"]",
    b"<",
    b">",
    b"&#0;",
    b"&a;",
    b"<!DOCTYPE a>",
    b"=1+1",
    b"a" * 300,
    b"[" * 3000,
    b"1" * 5000,
    b"2024-09-02",
    UPN.encode(),
    b"\xef\xbb\xbf",
    b"\xff\xfe",
)
"""What breaks readers elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A reader under test.

    Attributes
    ----------
    use : callable
        Gets a file with the fuzzer's bytes, alone in a folder beside what it needs.
    name : str
        What the file is called; empty where the input's first line says it.
    packed : bool
        Whether the input is a ZIP whose members are changed one by one.
    share : int
        How many times the seconds of the others it gets: folders of returns are slow to read.
    """

    use: Callable[[Path], None]
    name: str = ""
    packed: bool = False
    share: int = 1


def check(reader: Reader, data: bytes, folder: Path) -> None:
    """Let a reader read bytes; whatever it raises but a readable sentence is a fault."""
    name, content = reader.name, data
    if not name:
        first, _, content = data.partition(b"\n")
        name = (
            "".join(c for c in first.decode("latin-1")[:40] if c.isalnum() or c in "._") or "x.csv"
        )
        name = f"f{name}" if name.startswith(".") else name
    path = folder / name
    path.write_bytes(content)
    try:
        reader.use(path)
    except RiskmodelError as error:
        text = str(error)
        assert text.strip(), "an empty sentence"
        assert text.replace("\n", "").isprintable(), f"not printable: {text!r}"
        assert len(text) <= LONGEST + 3, f"{len(text)} characters: {text[:80]!r}"
    finally:
        shutil.rmtree(folder)
        folder.mkdir()


def _is_whole(extract: Extract) -> None:
    counts = extract.reconciliation.groupby("file").sum(
        numeric_only=True
    )  # a file may hold many tables
    counted = counts[PARTS].sum(axis=1)
    aside = extract.rejects.groupby("file").size().reindex(counts.index).fillna(0)
    assert (counts["rows_read"] == counted).all(), counts.to_string()
    assert (counts["rows_rejected"] == aside).all(), counts.to_string()
    for name, frame in extract.tables.items():
        assert list(frame.columns) == [column.name for column in TABLES[name].columns], name


def _loses_nothing(extract: Extract, path: Path) -> None:
    """Check that every file has an account, and that of one in text its rows were counted apart."""
    files = set(
        extract.files["file"].str.partition(",")[0]
    )  # sheets and tables of XML come after it
    assert path.name in files, files
    counts = extract.reconciliation.set_index("file")
    if path.suffix.lower() in TEXT and path.name in counts.index:
        of_file = (extract.rejects["file"] == path.name).to_numpy()
        above = extract.rejects[of_file & (extract.rejects["reason"] == "above_header").to_numpy()]
        rows = rows_of(path.read_bytes(), header=1 + max(above["row"], default=0))
        assert counts.loc[path.name, "rows_read"] == rows, (counts.to_string(), rows)


def _returns(path: Path) -> None:
    for name, text in CENSUS.items():
        (path.parent / f"census {name}").write_text(text)
    extract = read(path.parent, key_file=path.parent.parent / "key")
    _is_whole(extract)
    _loses_nothing(extract, path)


def _tables(path: Path) -> None:
    if path.stem != "pupils":
        (path.parent / "pupils.csv").write_text("pupil_id,sex\nP1,F\nP2,M\n")
    extract = read(path.parent, key_file=path.parent.parent / "key")
    _is_whole(extract)
    _loses_nothing(extract, path)


def _cohort(path: Path) -> None:
    _is_whole(read(path))


def _database(path: Path) -> None:
    open_database(f"sqlite:///{path}")


def _workbook(path: Path) -> None:
    read_returned(path, today=date(2026, 1, 1))


def _settings(path: Path) -> None:
    if path.suffix == ".csv":
        path.with_name("points.toml").write_text(f'[roni]\npoints = "{path.name}"\n')
        read_settings(path.with_name("points.toml")).digest("neet")
    else:
        read_settings(path).digest("pex")


def _log(path: Path) -> None:
    before = path.read_bytes()
    try:
        entries = read_journal(path)
        read_decisions(path)
    finally:
        assert path.read_bytes() == before
    append(path, lambda _: [{"kind": "decision"}])
    assert len(read_journal(path)) == len(entries) + 1


def _model(path: Path) -> None:
    _unpack(path, path.parent)
    model = RiskModel.load(path.parent)
    X = pd.DataFrame(np.zeros((2, len(model.features)), np.float32), columns=list(model.features))
    scored = model.calibrated.score(X.to_numpy())
    assert scored.contributions.shape == X.shape
    assert len(scored.risks()) == 2


def _list(path: Path) -> None:
    _unpack(path, path.parent)
    model = small_model()
    identity, ranking = read_list(path.parent)
    assert len(ranking) >= identity.rows
    assert len(read_handed_out(path.parent, model)) == len(ranking)


def _unpack(path: Path, folder: Path) -> None:
    """Lay the members of an archive out as files; what is no archive is a folder without them."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # the fuzzer's archive is no input of ours, its members are
        return
    for name, content in parts.items():
        if name in {"model.json", "arrays.npz", "assessment.json", "list.csv"}:
            (folder / name).write_bytes(content)


READERS: dict[str, Reader] = {
    "returns in CSV": Reader(use=_returns, name="one.csv", share=4),
    "returns in Excel": Reader(use=_returns, name="one.xlsx", packed=True, share=2),
    "returns in XML": Reader(use=_returns, name="one.xml"),
    "returns in Parquet": Reader(use=_returns, name="one.parquet"),
    "tables": Reader(use=_tables),
    "the cohort of 1993": Reader(use=_cohort, name="mvad.csv"),
    "databases": Reader(use=_database, name="one.db"),
    "returned workbooks": Reader(use=_workbook, name="list.xlsx", packed=True),
    "settings": Reader(use=_settings),
    "logs": Reader(use=_log, name="log.jsonl"),
    "models": Reader(use=_model, name="model.zip", packed=True),
    "lists": Reader(use=_list, name="list.zip", packed=True),
}
"""Every reader of a file that somebody else may have written or changed."""


def make_corpus(folder: Path) -> None:
    """Write inputs to start from, one folder per reader, made of a simulated LA."""
    inputs = {name: list(parts) for name, parts in _inputs(folder / "made").items()}
    shutil.rmtree(folder / "made")
    for number, (name, parts) in enumerate(inputs.items()):
        place = folder / name
        place.mkdir(parents=True)
        for part in parts:
            (place / f"{number}-{len(list(place.iterdir())):03}").write_bytes(part)


def _inputs(work: Path) -> dict[str, Iterator[bytes] | list[bytes]]:
    write_two_terms(work / "la", seed=3)
    files = [
        path for path in sorted((work / "la").rglob("*")) if path.suffix in {".csv", ".parquet"}
    ]
    frames = [_head(path) for path in files]
    texts = [*{tuple(frame): frame.to_csv(index=False).encode() for frame in frames}.values()]
    base = read(work / "la", key_file=work / "key")
    tables = [
        f"{name}.csv\n".encode() + frame.head(6).to_csv(index=False).encode()
        for name, frame in base.tables.items()
    ]
    return {
        "returns in CSV": [
            *texts,
            texts[0].decode().encode("utf-16"),
            "n\n\xe9\n".encode("cp1252"),
        ],
        "returns in Excel": [_book(frames[:3]), _book(frames[3:9])],
        "returns in XML": [text.encode() for text in (CENSUS_XML, CIN, EPISODES, TRANSFER)],
        "returns in Parquet": [_parquet(frame) for frame in frames[:6]],
        "tables": tables,
        "the cohort of 1993": [_cohort_lines()],
        "databases": [_sqlite(frames[:3], work / "one.db")],
        **_of_a_list(work),
        "settings": [*_settings_texts()],
        "models": [_model_archive(work)],
    }


def _head(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path).head(5).astype("str")
    return pd.read_csv(path, dtype="str", keep_default_na=False).head(5)


def _book(frames: list[pd.DataFrame]) -> bytes:
    stream = io.BytesIO()
    with pd.ExcelWriter(stream, engine="openpyxl") as book:
        for number, frame in enumerate(frames):
            frame.to_excel(book, sheet_name=str(number), index=False)
    return stream.getvalue()


def _parquet(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False, compression=None)
    return stream.getvalue()


def _sqlite(frames: list[pd.DataFrame], path: Path) -> bytes:
    with sqlite3.connect(path) as connection:
        for number, frame in enumerate(frames):
            frame.to_sql(f"table {number}", connection, index=False)
    connection.close()
    return path.read_bytes()


def _cohort_lines() -> bytes:
    """Return two lines in the layout of the cohort."""
    months = [day.strftime("%b.%y") for day in pd.date_range("1993-07-01", "1999-06-01", freq="MS")]
    facts = {
        "id": "1",
        "weight": ".3",
        "male": "yes",
        "catholic": "no",
        "Grammar": "no",
        "funemp": "no",
        "gcse5eq": "yes",
        "fmpr": "no",
        "livboth": "yes",
    }
    head = ",".join([*facts, *months])
    rest = ",".join([*list(facts.values())[1:], *["employment", "joblessness"] * 36])
    return f"{head}\n1,{rest}\n2,{rest}\n".encode()


def _of_a_list(work: Path) -> dict[str, list[bytes]]:
    """Return inputs made from a list that was handed out and came back."""
    from riskmodel.jobs import feedback
    from riskmodel.report import write_list
    from tests.small_list import make

    folder = write_list(make(), work / "list")
    book = openpyxl.load_workbook(folder / "list.xlsx")
    for number in (2, 3, 4):
        cells = {str(cell.value): cell.column for cell in book["List"][1]}
        book["List"].cell(number, cells["Decision"]).value = "To discuss"
        book["List"].cell(number, cells["Date"]).value = date(2024, 10, 1)
    book.save(work / "back.xlsx")
    feedback(
        [work / "back.xlsx"],
        log=work / "log",
        today=date(2026, 1, 1),
        at=datetime(2026, 1, 1, tzinfo=UTC),
        folder=folder,
    )
    parts = {name: (folder / name).read_bytes() for name in ("assessment.json", "list.csv")}
    return {
        "returned workbooks": [(work / "back.xlsx").read_bytes()],
        "logs": [(work / "log").read_bytes()],
        "lists": [archive_of(parts)],
    }


def _settings_texts() -> list[bytes]:
    toml = (Path(__file__).parents[1] / DEFAULT_FILE).read_bytes()
    other = b'[gates]\nsmallest_lift = 3\n[gates.pex]\nsmallest_lift = 5.0\nnot_beaten_by = ["school only"]\n'
    points = (
        b"column,test,threshold,points,label\neal,at_least,1,2,language\nfsm_now,above,0,1,meals\n"
    )
    return [b"riskmodel.toml\n" + toml, b"riskmodel.toml\n" + other, b"points.csv\n" + points]


def small_model() -> RiskModel:
    """Return a model of hand-made numbers: two features, two bags of one tree."""
    from riskmodel.training.affine_calibration import AffineCalibration
    from riskmodel.training.calibrated import CalibratedEnsemble
    from riskmodel.training.ensemble import Ensemble, Linear
    from riskmodel.training.rate_range import RateRange
    from riskmodel.training.trees import ShallowTrees

    ones, both = np.ones(2), np.ones((2, 2))
    linear = Linear(
        centre=0 * ones,
        scale=ones,
        mean=0 * ones,
        spread=ones,
        counts_as=0 * ones,
        coefficient=both,
        intercept=-ones,
    )
    trees = ShallowTrees(
        feature=np.array([[0, 1, -1], [1, -1, -1]]),
        threshold=np.full((2, 3), 0.5),
        missing_left=np.ones((2, 3), bool),
        value=np.arange(8.0).reshape(2, 4),
        cover=np.array([[5.0, 5, 10, 0], [9.0, 0, 1, 0]]),
        member=np.array([0, 1]),
    )
    return RiskModel(
        outcome="pex",
        features=("fsm_now", "months_at_school"),
        calibrated=CalibratedEnsemble(
            ensemble=Ensemble(linear=linear, trees=trees, tree_base=-ones),
            calibration=AffineCalibration(0.1, 0.9),
            rate=RateRange(
                centre=-3.0,
                usual_bend=1.2,
                curve=np.array([-2.6, 0.9, 0.0]),
                covariance=np.diag([0.04, 0.01, 0.01]),
            ),
        ),
        card=ModelCard(
            trained=Lineage(trained_as_of="2024-08-01", seed=0),
            backtest={"counts": {"capacity": 5}},
            audit={},
            audit_note="",
        ),
    )


def _model_archive(work: Path) -> bytes:
    folder = small_model().save(work / "model")
    return archive_of({path.name: path.read_bytes() for path in sorted(folder.iterdir())})


def archive_of(parts: dict[str, bytes]) -> bytes:
    """Return a ZIP of files, unpacked."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def mutated(
    reader: Reader, data: bytes, size: int, seed: int, change: Callable[[bytes, int], bytes]
) -> bytes:
    """Change an input, in half of the cases at a place where its structure gives way.

    Parameters
    ----------
    reader : Reader
        Whom it is for.
    data : bytes
        The input.
    size : int
        Bytes that it may have.
    seed : int
        Decides everything.
    change : callable
        The fuzzer's own way to change bytes: gets them and the size allowed.

    Returns
    -------
    bytes
        At most ``size``.
    """
    chance = random.Random(seed)
    if reader.packed:
        made = _repacked(data, chance, change)
    else:
        made = _spliced(data, chance) if chance.random() < 0.5 else change(data, size)
    return made if len(made) <= size else change(data, size)


def _repacked(data: bytes, chance: random.Random, change: Callable[[bytes, int], bytes]) -> bytes:
    """Change one member of an archive, so that its checksum still holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # what the fuzzer made of it is no archive: let it go on from there
        return change(data, len(data) + 64)
    if not parts or chance.random() < 0.05:
        return change(data, len(data) + 64)
    name = chance.choice(sorted(parts))
    if name.endswith(".npz"):
        parts[name] = _repacked(parts[name], chance, change)
    elif chance.random() < 0.05:
        del parts[name]
    else:
        part = parts[name]
        parts[name] = (
            _spliced(part, chance) if chance.random() < 0.7 else change(part, len(part) + 64)
        )
    return archive_of(parts)


def _spliced(data: bytes, chance: random.Random) -> bytes:
    """Change a cell, a value or a tag for a hostile one; repeat, lose or move a line."""
    marks = b",;\n<>\"'=:[]{} \t"
    edges = [
        0,
        *[at + step for at, byte in enumerate(data) if byte in marks for step in (0, 1)],
        len(data),
    ]
    at = chance.randrange(len(edges) - 1)
    start, end = edges[at], edges[at + 1]
    how = chance.random()
    if how < 0.6:
        return data[:start] + chance.choice(TOKENS) + data[end:]
    if how < 0.75:
        other = chance.randrange(len(edges) - 1)
        return data[:start] + data[edges[other] : edges[other + 1]] + data[end:]
    lines = data.split(b"\n")
    line = chance.randrange(len(lines))
    if how < 0.85:
        lines.insert(chance.randrange(len(lines) + 1), lines[line])
    elif how < 0.95:
        del lines[line]
    else:
        lines = [*lines[line:], *lines[:line]]
    return b"\n".join(lines)
