"""One LA's returns in other clothes make the same tables: rows, columns, files, encodings, archives."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.data.read import Extract, read
from riskmodel.data.read.returns import folder as returns_folder
from riskmodel.data.read.returns.assemble import assemble
from tests.returns import CENSUS, PARTS, PLANS, UPN

OTHER = "B" + UPN[1:-1] + "7"

HEADER, JANUARY, OCTOBER = CENSUS["pupils.csv"].strip().split("\n")

FILES = {
    "returns": CENSUS["schoolcensus.csv"]
    + "3,SPR,2024,2024-Jan-18 00:00:00,900002\n4,SUM,2024,2024-May-16 00:00:00,900001\n",
    "pupils": f"{HEADER},ethnicity,language,youngcarer\n{JANUARY},WBRI,ENG,\n{OCTOBER[:-1]}K,,POL,S\n"
    f"3,3,{UPN},2012-Oct-03 00:00:00,F,2023-Nov-06 00:00:00,7,K,WBRI,,\n"
    f"4,4,{UPN},2012-Oct-03 00:00:00,F,2023-Sep-04 00:00:00,7,N,BCRB,ENG,S\n"
    f"5,1,{OTHER},2011-May-01 00:00:00,M,2022-Sep-05 00:00:00,8,E,APKN,,\n"
    f"6,3,{OTHER},2009-May-01 00:00:00,M,2022-Sep-05 00:00:00,8,K,APKN,,\n",
    "absence": "pupilonrolltableid,attendancereason,sessions\n"
    "1,I,6\n3,I,4\n1,O,2\n5,I,3\n5,I,3\n2,M,1\n",
    "meals": "pupilonrolltableid,fsmstartdate,fsmenddate\n"
    "1,2022-09-05,\n4,2022-09-05,2024-03-01\n2,2022-09-05,\n5,2023-01-09,2023-09-01\n",
    "needs": "pupilonrolltableid,sentype,sentyperank\n1,SLCN,1\n3,SEMH,1\n5,ASD,1\n5,SPLD,1\n",
    "census exclusions": "pupilonrolltableid,startdate,sessions,reason1,category\n"
    "1,2023-11-06,6,DB,FIXD\n3,2023-11-06,8,DB,FIXD\n5,2023-12-04,,PP,PERM\n",
    "exclusions": "UPN,Estab,Category,Start date,Sessions,Reason 1,Date notified\n"
    f"{UPN},900001,SUSP,06/11/2023,4,DB,08/11/2023\n{UPN},900001,SUSP,06/11/2023,4,PP,08/11/2023\n",
    "marks": "UPN,Date,Session,Mark,Received\n"
    f"{UPN},2024-03-04,AM,N,2024-03-05\n{UPN},2024-03-04,AM,I,2024-03-08\n"
    f"{UPN},2024-03-04,PM,D,2024-03-05\n{UPN},2024-03-04,PM,O,2024-03-05\n"
    f"{OTHER},2024-03-04,AM,/,2024-03-05\n{OTHER},2024-03-04,AM,L,2024-03-05\n",
    "addresses": "pupilonrolltableid,postcode\n1,AA1 1AA\n1,BB1 1BB\n2,BB1 1BB\n5,CC1 1CC\n",
    "postcodes": "postcode,idaci decile,imd decile\nAA1 1AA,3,3\nBB1 1BB,7,7\n",
    "plans": f"{PLANS}{OTHER},2022-09-05,2024-03-31,2\n{OTHER},2022-09-05,,\n"
    f"{OTHER},2022-09-05,2024-05-31,2\n",
    "results": f"UPN,ACADYR,READSCORE,MATSCORE\n{UPN},2023,101,99\n{UPN},2023,103,99\n",
}
"""Simulated returns of two pupils; in nearly every file some rows contradict or repeat others."""

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]


def in_other_clothes(rows: list[list[str]], rng: np.random.Generator) -> bytes:
    """Return a table as a file, its columns, delimiter and encoding drawn."""
    columns = rng.permutation(len(rows[0]))
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=rng.choice([",", ";", "\t"]), lineterminator="\r\n")
    writer.writerows([[row[column] for column in columns] for row in rows])
    return stream.getvalue().encode(rng.choice(ENCODINGS))


def written(folder: Path, seed: int) -> Path:
    """Write the returns, rows shuffled, some files in two parts; of every other seed into an archive."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    names = rng.permutation(1000)
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for text in FILES.values():
            header, *rows = list(csv.reader(io.StringIO(text)))
            rows = [rows[place] for place in rng.permutation(len(rows))]
            cut = (
                int(rng.integers(1, len(rows)))
                if len(rows) > 1 and rng.random() < 0.6
                else len(rows)
            )
            for part in (rows[:cut], rows[cut:]):
                if part:
                    name, names = f"{names[0]}.csv", names[1:]
                    content = in_other_clothes([header, *part], rng)
                    if seed % 2:
                        archive.writestr(name, content)
                    else:
                        (folder / name).write_bytes(content)
    return folder


def plain(folder: Path) -> Extract:
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text)
    return read(folder, key_file=folder.parent / "key")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Extract:
    return plain(tmp_path_factory.mktemp("metamorphic") / "plain")


@pytest.mark.parametrize("seed", range(6))
def test_the_same_returns_in_other_files_make_the_same_tables(
    tmp_path: Path, expected: Extract, seed: int
) -> None:
    key = Path(expected.source).parent / "key"
    extract = read(written(tmp_path / "other", seed), key_file=key)
    for name, frame in expected.tables.items():
        pd.testing.assert_frame_equal(extract.tables[name], frame, obj=name)
    assert extract.digest == expected.digest
    counts, ours = expected.reconciliation[PARTS].sum(), extract.reconciliation[PARTS].sum()
    assert ours["rows_conflicting"] == counts["rows_conflicting"] > 8
    assert ours.sum() == counts.sum()
    assert len(extract.conflicts) == ours["rows_conflicting"]


def test_no_fact_is_left_without_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(facts: dict[str, pd.DataFrame], pupils: pd.CategoricalDtype) -> Any:
        made = assemble(facts, pupils)
        seen.append((facts, made))
        return made

    monkeypatch.setattr(returns_folder, "assemble", watched)
    plain(tmp_path / "plain")
    ((facts, (_, used, verdicts)),) = seen
    origin = ["_file", "_place"]
    known = pd.concat([used, verdicts[origin]]).astype("int64").drop_duplicates()
    for name, frame in facts.items():
        matched = frame[origin].astype("int64").merge(known, how="left", indicator=True)
        assert (matched["_merge"] == "both").all(), name
