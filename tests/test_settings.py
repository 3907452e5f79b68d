"""The gates file: read, refused in words, and equal to what the documentation shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.errors import RequestError
from riskmodel.jobs import Gates, read_settings

HERE = Path(__file__).parents[1]


def written(folder: Path, text: str) -> Path:
    path = folder / "riskmodel.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_in_the_repository_says_what_the_defaults_are() -> None:
    assert read_settings(HERE / "riskmodel.toml").gates("pex") == Gates()


def test_without_a_file_everything_keeps_its_default(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "riskmodel.toml").gates("neet") == Gates()


def test_an_outcome_may_differ_from_the_common_gates(tmp_path: Path) -> None:
    text = "[gates]\nsmallest_lift = 3\n[gates.pex]\nsmallest_lift = 6.5\nnot_beaten_by = []\n"
    settings = read_settings(written(tmp_path, text))
    assert settings.gates("pex") == Gates(smallest_lift=6.5, not_beaten_by=())
    assert settings.gates("neet") == Gates(smallest_lift=3.0)
    assert settings.gates("pex").digest() != settings.gates("neet").digest()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[gates", "cannot be read as TOML"),
        ("[gates]\nsmalest_lift = 2", "has no 'smalest_lift'; it may hold .*smallest_lift"),
        ("[gatez]\nsmallest_lift = 2", "has no 'gatez'"),
        ("[gates]\nsmallest_lift = true", "is True; it must be a number of at least 0"),
        ("[gates]\nsmallest_lift = -1", "is -1; it must be a number"),
        ("[gates]\nno_new_disparity = 1", "is 1; it must be true or false"),
        ("[gates]\nnot_beaten_by = [3]", "is 3; it must be text in quotes"),
        ("[gates]\nexpected_over_observed = [1.0]", "must be a list of two numbers"),
        ("gates = 3", r"gates must be a table, written \[gates\]"),
        ("[gates.pex]\nlift = 1", r"\[gates.pex\] has no 'lift'"),
        ("[roni]\npoints = 'missing.csv'", "missing.csv cannot be read"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        read_settings(written(tmp_path, text))


def test_an_las_own_points_are_read_beside_the_file(tmp_path: Path) -> None:
    rows = "column,test,threshold,points,label\nabsence_rate_12_months,at_least,0.2,3,Attendance\n"
    (tmp_path / "ours.csv").write_text(f"# our scheme\n{rows}", encoding="utf-8")
    points = read_settings(written(tmp_path, "[roni]\npoints = 'ours.csv'")).points
    assert points is not None
    assert points[["threshold", "points"]].to_numpy().tolist() == [[0.2, 3]]
    for bad, words in [
        (rows.replace("at_least", "over"), "indicator 1 has test 'over'"),
        (rows.replace("0.2", "20%"), "indicator 1 has threshold '20%'; a number is needed"),
        (rows.replace("points", "score"), "lack the column 'points'"),
    ]:
        (tmp_path / "ours.csv").write_text(bad, encoding="utf-8")
        with pytest.raises(RequestError, match=words):
            read_settings(tmp_path / "riskmodel.toml")
