"""The returns of the simulated LA hold what its tables hold, as lately and as often as in life."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.identity import upn_check_letters
from riskmodel.data.year_groups import year_group_by_age
from riskmodel.errors import RequestError
from riskmodel.simulate import Simulated, preset_of, simulate, write_simulated_returns

SIZE = {"pupils": 900, "years": 3, "seed": 8}


@pytest.fixture(scope="module")
def made() -> Simulated:
    return simulate(**SIZE, preset="bcp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("returns") / "x"
    write_simulated_returns(path, **SIZE, preset="bcp")
    return path


def every(folder: Path, name: str) -> pd.DataFrame:
    return pd.concat(
        [pd.read_csv(p, dtype="str") for p in sorted(folder.glob(f"census/*/{name}.csv"))]
    )


def test_every_upn_is_well_formed_and_stands_for_one_pupil(folder: Path, made: Simulated) -> None:
    pupils = pd.concat([every(folder, "pupilonroll"), every(folder, "pupilnolongeronroll")])
    upn = pupils["upn"].drop_duplicates()
    assert (upn_check_letters(upn).astype("str") == upn.str[0]).all()
    assert len(upn) <= len(made.tables["pupils"])
    assert pupils.groupby("upn")["dob"].nunique().max() == 1


def test_most_exclusions_arrive_twice(folder: Path, made: Simulated) -> None:
    parts = []
    for where, table in (("on", "pupilonroll"), ("off", "pupilnolongeronroll")):
        rows = every(folder, f"termlyexclusions{where}roll")
        upn = every(folder, table).set_index(f"{table}tableid")["upn"]
        parts.append(rows.assign(upn=rows[f"{table}tableid"].map(upn)))
    arrived = pd.concat(parts)
    category = arrived["category"].replace("FIXD", "SUSP")
    times = arrived.groupby([arrived["upn"], arrived["startdate"], category]).size()
    assert times.max() == 2
    assert (times == 2).mean() > 0.5
    assert set(arrived["category"]) >= {"SUSP", "FIXD"}
    # the last two terms are still to come when the data end
    known = made.tables["suspensions"]["start_date"] < pd.Timestamp("2024-12-20")
    assert 0.9 * known.sum() < len(times) < 1.1 * known.sum() + 30


def test_termly_totals_are_the_marks(folder: Path, made: Simulated) -> None:
    totals = pd.read_csv(folder / "census/2024_spring/termlysessiondetailsonroll.csv")
    marks = made.tables["sessions"]
    autumn = marks[(marks["date"] >= "2023-09-01") & (marks["date"] <= "2023-12-31")]
    pupils = pd.read_csv(folder / "census/2024_spring/pupilonroll.csv")
    assert totals["sessions"].sum() == pupils["termlysessionspossible"].sum()
    assert totals["sessions"].sum() == pytest.approx(len(autumn), rel=0.05)
    feed = pd.concat([pd.read_parquet(p) for p in sorted((folder / "registers").iterdir())])
    assert len(feed) == len(marks)


def test_a_leaver_has_the_year_group_of_the_last_day(folder: Path) -> None:
    left = every(folder, "pupilnolongeronroll")
    born, last_day = (
        pd.to_datetime(left[name], format="%Y-%b-%d %H:%M:%S") for name in ("dob", "leavingdate")
    )
    assert last_day.dt.month.isin([7, 8]).any()  # in the census of the next school year
    group = left["ncyearleaving"].replace("R", "0").astype("float64")
    assert (group == year_group_by_age(born, last_day)).mean() > 0.99


def test_a_returns_folder_states_that_it_is_simulated_and_holds_no_truth(folder: Path) -> None:
    assert preset_of(folder) == "bcp"
    assert [path.name for path in (folder / "truth").iterdir()] == ["simulation.json"]


def test_returns_of_more_than_one_la_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="at most 52,000"):
        write_simulated_returns(tmp_path / "x", pupils=60_000)
    assert not (tmp_path / "x").exists()
