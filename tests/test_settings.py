"""The gates file: read, refused in words, and equal to what the documentation shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.errors import RequestError
from riskmodel.jobs import Gates, Settings, read_settings

HERE = Path(__file__).parents[1]

BREAK = """[[policy_breaks]]
day = 2026-07-01
what = "Held inside"
tables = ['suspensions']
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "riskmodel.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_in_the_repository_states_the_defaults() -> None:
    assert read_settings(HERE / "riskmodel.toml").gates("pex") == Gates()


def test_without_a_file_everything_keeps_its_default_and_one_that_is_here_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings().gates("neet") == Gates()
    written(tmp_path, "[gates]\nsmallest_lift = 3")
    assert read_settings().gates("neet") == Gates(smallest_lift=3.0)


@pytest.mark.parametrize("kind", ["missing", "folder", "link to nowhere"])
def test_a_file_that_cannot_be_read_is_no_reason_for_defaults(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "riskmodel.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "link to nowhere":
        path.symlink_to(tmp_path / "nowhere.toml")
    for given in (path,) if kind == "missing" else (path, None):
        with pytest.raises(RequestError, match=r"riskmodel\.toml cannot be read: .*--settings"):
            read_settings(given)


def test_an_outcome_may_differ_from_the_common_gates(tmp_path: Path) -> None:
    text = "[gates]\nsmallest_lift = 3\n[gates.pex]\nsmallest_lift = 6.5\nnot_beaten_by = []\n"
    settings = read_settings(written(tmp_path, text))
    assert settings.gates("pex") == Gates(smallest_lift=6.5, not_beaten_by=())
    assert settings.gates("neet") == Gates(smallest_lift=3.0)
    assert settings.digest("pex") != settings.digest("neet") == settings.digest("neet-post16")


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
        ("[gates]\nsmallest_lift = nan", "is nan; it must be a number of at least 0"),
        ("[gates]\nsmallest_lift = '2'", "is '2'; it must be a number"),
        ("[gates]\nexpected_over_observed = [1.0]", "must be a list of two numbers"),
        ("[gates]\nexpected_over_observed = [1.0, 2.0, 3.0]", "must be a list of two numbers"),
        ("[gates]\nexpected_over_observed = 1.0", "must be a list of two numbers"),
        ("[gates]\nexpected_over_observed = [0.5, 'x']", "is 'x'; it must be a number"),
        (
            "[gates]\nexpected_over_observed = [1.5, 0.67]",
            r"runs from 1.5 down to 0.67, which no model can meet. Write the lower end first",
        ),
        ("[gates]\nnot_beaten_by = 'school only'", "not_beaten_by must be a list"),
        ("[gates]\npex = 3", r"pex must be a table, written \[pex\]"),
        ("[roni]\npoints = 'x.csv'\nother = 1", r"\[roni\] has no 'other'; it may hold points"),
        ("gates = 3", r"gates must be a table, written \[gates\]"),
        ("[gates.pex]\nlift = 1", r"\[gates.pex\] has no 'lift'"),
        (
            "[gates]\nnot_beaten_by = ['tuned rigde']",
            "'tuned rigde', which is no ranker. Did you mean 'tuned ridge'",
        ),
        (
            "[gates]\nnot_beaten_by = ['logistic regression']",
            "'logistic regression', which is no ranker. It is called 'tuned ridge' now",
        ),
        (
            "[gates.neet]\nnot_beaten_by = ['model']",
            r"\[gates.neet\]: .* 'model', which is no ranker",
        ),
        (
            "policy_breaks = 3",
            r"must be a list of tables, each written below \[\[policy_breaks\]\]",
        ),
        (f"{BREAK}colour = 'red'", "policy break 1 may not hold 'colour'"),
        ("[[policy_breaks]]\nday = 2026-07-01", "policy break 1 has no 'tables'"),
        (BREAK.replace("2026-07-01", "'July'"), r"the day is 'July'. Write it without quotes"),
        (BREAK.replace("2026-07-01", "2026-07-01T09:00:00"), "Write it without quotes"),
        (BREAK.replace("Held inside", " "), "say what changed, in quotes"),
        (
            BREAK.replace("suspensions", "exclusions"),
            "tables names 'exclusions', which is no table",
        ),
        (BREAK.replace("'suspensions'", ""), "tables names nothing"),
        (BREAK.replace("'suspensions'", "['suspensions']"), "which is no table"),
        ("[roni]\npoints = 'missing.csv'", "missing.csv cannot be read"),
        ("[roni]", r"\[roni\] names no points"),
        ("[roni]\npoints = 3", r"\[roni\]: points is 3; it must be text in quotes"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        read_settings(written(tmp_path, text))


def test_policy_breaks_are_read_in_the_order_of_their_days(tmp_path: Path) -> None:
    earlier = BREAK.replace("2026", "2024").replace("Held inside", "New codes.")
    first, second = read_settings(written(tmp_path, BREAK + earlier)).policy_breaks
    assert (f"{first.day:%Y-%m-%d}", first.what) == ("2024-07-01", "New codes")
    assert (f"{second.day:%Y-%m-%d}", second.tables) == ("2026-07-01", ("suspensions",))


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
        (
            f"{rows}absence_rate_12_month,above,0.1,1,x\n",
            "indicator 2 asks for 'absence_rate_12_month', which is no feature. "
            "Did you mean 'absence_rate_12_months' or",
        ),
        (f"{rows},above,0.1,1,x\n", "indicator 2 asks for '', which is no feature"),
    ]:
        (tmp_path / "ours.csv").write_text(bad, encoding="utf-8")
        with pytest.raises(RequestError, match=words):
            read_settings(tmp_path / "riskmodel.toml")


def test_points_are_part_of_what_a_model_is_judged_by(tmp_path: Path) -> None:
    rows = "column,test,threshold,points,label\neal,at_least,1,3,Language\n"
    digests = [Settings().digest("pex")]
    for text in (rows, rows.replace("3", "4")):
        (tmp_path / "ours.csv").write_text(text, encoding="utf-8")
        path = written(tmp_path, "[roni]\npoints = 'ours.csv'")
        assert read_settings(path).digest("pex") == read_settings(path).digest("neet")
        digests.append(read_settings(path).digest("pex"))
    assert len(set(digests)) == 3
