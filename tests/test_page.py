"""The list page as bytes: whole, safe, each school its own, and nothing from after the day."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.assess import Assessment, rank
from riskmodel.data import Tables
from riskmodel.errors import RequestError
from riskmodel.fairness import Audit, audit_list
from riskmodel.report.file_names import file_name
from riskmodel.report.list_page.audit_view import audit_tables, audit_words
from riskmodel.report.list_page.frequency import WORDS, frequencies, ranges
from riskmodel.report.list_page.history import WEEKS
from riskmodel.report.list_page.page import numbered, write_pages
from riskmodel.report.list_page.sealing import ITERATIONS, SHORTEST, make_key, seal
from riskmodel.report.sentences import MISUSE, track_figures
from tests.lists import HOSTILE, hostile_names, score, simulated_tables
from tests.outline import Outline

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def tables() -> Tables:
    return simulated_tables()


@pytest.fixture(scope="module")
def assessment(tables: Tables) -> Assessment:
    return score(tables)


@pytest.fixture(scope="module")
def folder(
    assessment: Assessment, tables: Tables, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return written(tmp_path_factory.mktemp("pages"), assessment, tables)


@pytest.fixture(scope="module")
def hostile(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    changed = hostile_names(tables)
    return written(tmp_path_factory.mktemp("hostile"), score(changed), changed)


def written(folder: Path, assessment: Assessment, tables: Tables | None, **more: Any) -> Path:
    """Write the pages and return their folder."""
    write_pages(assessment, rank(assessment), folder, tables=tables, **more)
    return folder


def pages(folder: Path) -> list[Path]:
    """Return every page."""
    return [folder / "index.html", *sorted((folder / "schools").iterdir())]


# -------------------------------------------------------------------------------- the whole page
@pytest.mark.parametrize("kind", ["folder", "hostile"])
def test_pages_are_whole_and_ask_for_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    for page in pages(request.getfixturevalue(kind)):
        outline = Outline(page)
        tags = [tag for tag, _ in outline.tags]
        assert outline.open == []
        assert ("html", {"lang": "en-GB"}) in outline.tags
        assert (
            tags.count("h1")
            == tags.count("title")
            == tags.count("main")
            == tags.count("style")
            == 1
        )
        assert tags.count("script") == 2  # the data and the page's own
        assert not {"link", "img", "iframe", "object", "base", "form action"} & set(tags)
        for _, attributes in outline.tags:
            assert not any(name == "style" or name.startswith("on") for name in attributes)
            assert str(attributes.get("href", "#")).startswith("#")
            assert not {"src", "action", "formaction", "srcset"} & set(attributes)
        assert all("scope" in attributes for tag, attributes in outline.tags if tag == "th")


def test_the_policy_allows_this_style_and_this_script_only(folder: Path) -> None:
    for page in pages(folder):
        outline = Outline(page)
        policy = next(
            a["content"] for tag, a in outline.tags if tag == "meta" and "http-equiv" in a
        )
        assert policy is not None
        hashes = {
            name: base64.b64encode(hashlib.sha256(outline.parts[name].encode()).digest()).decode()
            for name in ("style", "script")
        }
        assert policy == (
            f"default-src 'none'; script-src 'sha256-{hashes['script']}'; "
            f"style-src 'sha256-{hashes['style']}'; base-uri 'none'; form-action 'none'"
        )


def test_the_script_puts_no_data_into_markup() -> None:
    import riskmodel.report.list_page.page

    script = (Path(riskmodel.report.list_page.page.__file__).parent / "list.js").read_text(
        encoding="utf-8"
    )
    assert len(script.splitlines()) < 400
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "fetch(",
        "XMLHttpRequest",
        "localStorage",
        "sessionStorage",
        "cookie",
        "import(",
    ):
        assert word not in script


def test_every_page_states_what_it_is_for_and_how_often_it_is_right(folder: Path) -> None:
    for page in pages(folder):
        text = page.read_text(encoding="utf-8")
        assert all(line in text for line in MISUSE)
        assert (
            "Out of 100 children listed on earlier lists whose outcome is known, 8 (5 to 12) were "
            "permanently excluded within 12 months." in text
        )
        assert "such lists would have held 48 (30 to 60)." in text
        assert "recorded before 1 August 2025" in text
        assert text.count('class="on"/>') >= 8 + 48
        assert "models:/riskmodel-pex/4" in text


def test_the_dots_are_as_many_as_in_the_sentence(assessment: Assessment) -> None:
    assert [count for count, _ in track_figures(assessment)] == [8, 48]
    assert track_figures(replace(assessment, backtest=None)) == []
    left_out = replace(assessment, provenance={"evaluated": "left out"})
    assert "among pupils left out of the training" in track_figures(left_out)[0][1]


def test_without_script_the_listed_are_in_the_table(folder: Path, assessment: Assessment) -> None:
    ranking = rank(assessment)
    shown = ranking[ranking["band"] != "not listed"]
    outline = Outline(folder / "index.html")
    assert outline.row_heads[: len(shown)] == shown["pupil_id"].tolist()
    for column in ("reason_1", "strength_1"):
        for text in shown[column].tolist():
            assert text.replace("'", "&#39;") in outline.text


def test_everybody_scored_can_be_searched(folder: Path, assessment: Assessment) -> None:
    data = Outline(folder / "index.html").data
    ranking = rank(assessment)
    carded = [data["words"][card["pupil"]] for card in data["cards"]]
    rest = data["rest"]
    assert carded + rest["pupil"] == ranking["pupil_id"].tolist()
    assert rest["first"] == len(carded) + 1
    texts, letters = rest["risk"]
    wording = [texts[ord(letter) - ord("?")] for letter in letters]
    assert wording == frequencies(ranking["risk"].iloc[len(carded) :]).tolist()


def test_names_stay_text(hostile: Path) -> None:
    outline = Outline(hostile / "index.html")
    for name in HOSTILE:
        assert any(head.startswith(name) for head in outline.row_heads), name
    assert "<script>document" not in outline.text
    assert "<img" not in outline.text
    assert "<" not in outline.parts["data"]
    assert "{{" in outline.text  # written as it is, not run by the template


def test_a_risk_is_never_about_under_a_number(tables: Tables, tmp_path: Path) -> None:
    made = score(tables)
    ranking = rank(made)
    ranking.loc[ranking.index[0], "risk"] = 1e-4
    write_pages(made, ranking, tmp_path, tables=tables)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'class="risk">under 1 in 1,000<' in text
    assert "about under" not in text


@pytest.mark.parametrize(("days", "is_shown"), [(-1, False), (0, False), (1, True), (400, True)])
def test_a_list_of_a_day_before_the_training_states_what_its_model_knew(
    assessment: Assessment, tables: Tables, tmp_path: Path, days: int, is_shown: bool
) -> None:
    trained = assessment.as_of + pd.Timedelta(days=days)
    origin = assessment.provenance | {"trained_as_of": f"{trained:%Y-%m-%d}"}
    folder = written(tmp_path, replace(assessment, provenance=origin), tables)
    for page in pages(folder)[:2]:
        text = page.read_text(encoding="utf-8")
        assert ("may have learned what became of these pupils" in text) == is_shown


# -------------------------------------------------------------------------------- the audit
def test_the_audit_states_verdicts_first_and_suppresses(
    assessment: Assessment, folder: Path
) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    fairness = text[text.index('id="fairness"') : text.index('id="about"')]
    first = audit_words(assessment.audit)
    assert list(first) == ["On this list", "On earlier lists"]
    assert first["On this list"][0].startswith("Of 2 comparisons of a group with all others")
    assert first["On earlier lists"][-1] == "From 3 earlier lists."
    assert fairness.index("comparisons of a group") < fairness.index("<table>")
    tables = audit_tables(assessment.audit)
    assert fairness.count("<table>") == len(tables) >= 3
    for table in tables.values():
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_small_group_is_suppressed_and_an_interval_stands_beside_its_figure() -> None:
    groups = pd.DataFrame({"language": ["x"] * 57 + ["y"] * 3, "sex": ["girl", "boy"] * 30})
    risk = np.linspace(0.01, 0.5, 60)
    audit = Audit(this_list=audit_list(groups, risk > 0.3, risk), model={}, note="None yet.")
    (table,) = audit_tables(audit).values()
    rows = {(row[0], row[1]): row[2:] for row in table.rows}
    assert rows["Language", "y"][:-1] == rows["Language", "x"][:-1] == ("c",) * 6
    share = table.columns.index("Share listed") - 2
    assert re.fullmatch(r"0\.\d{3} \(0\.\d{3} to 0\.\d{3}\)", rows["Sex", "girl"][share])
    assert "is not known yet" in audit_words(audit)["On earlier lists"][0]


def test_disparities_of_this_list_are_named_and_figures_only_where_they_can_be() -> None:
    few = ["yes"] * 4 + ["no"] * 436
    sen = ["yes"] * 30 + ["no"] * 400 + ["yes"] * 10
    groups = pd.DataFrame({"sen": sen, "fsm": few, "language": ["x"] * 40 + ["y"] * 400})
    risk = np.linspace(0.5, 0.01, 440)
    audit = Audit(this_list=audit_list(groups, risk > risk[40], risk), model={}, note="None yet.")
    assert audit_words(audit)["On this list"][1:] == [
        "SEN, no: 2.5 in 100 are listed, of all others 75.0 in 100.",
        "SEN, yes: 75.0 in 100 are listed, of all others 2.5 in 100.",
        "Listed more or less often than all others, by figures that are suppressed: Language, x; "
        "Language, y.",
    ]


# -------------------------------------------------------------------------------- schools
def test_a_school_page_holds_no_other_schools_pupil(folder: Path, assessment: Assessment) -> None:
    scores = assessment.scores.astype({"pupil_id": "str", "school_id": "str"})
    schools = scores["school_id"].unique().tolist()
    assert {page.stem for page in pages(folder)[1:]} == {file_name(school) for school in schools}
    for school in schools:
        content = (folder / "schools" / f"{file_name(school)}.html").read_bytes()
        others = scores.loc[scores["school_id"] != school, "pupil_id"]
        assert not [pupil for pupil in others if pupil.encode() in content]
        assert b"Equality audit" not in content


def test_a_school_page_holds_its_own_listed_pupils(folder: Path, assessment: Assessment) -> None:
    ranking = rank(assessment)
    shown = ranking[ranking["band"] != "not listed"]
    assert shown["school_id"].nunique() > 1
    for school in assessment.scores["school_id"].unique():
        outline = Outline(folder / "schools" / f"{file_name(str(school))}.html")
        own = shown.loc[shown["school_id"] == school, "pupil_id"].tolist()
        assert outline.row_heads == own
        data = outline.data
        assert [data["words"][card["pupil"]] for card in data["cards"]] == own
        assert "rest" not in data


def test_the_page_of_a_school_without_a_listed_pupil_states_it(
    tables: Tables, tmp_path: Path
) -> None:
    made = written(tmp_path, score(tables, capacity=1), tables)
    texts = [page.read_text(encoding="utf-8") for page in pages(made)[1:]]
    empty = [text for text in texts if "No pupil of this school is on this list" in text]
    assert len(empty) >= len(texts) - 2
    assert all("<table" not in text for text in empty)


@pytest.mark.parametrize(
    ("school", "name"),
    [
        ("100123", "100123"),
        ("../up", "%2E%2E%2Fup-8c722b8ae2c9de45"),
        ("a b", "a%20b-c8687a08aa5d6ed2"),
        (".", "%2E"),
        ("", ""),
        ("A%20", "A%2520"),
        ("Sainte-Thérèse", "Sainte-Th%C3%A9r%C3%A8se-ca0877718ee1bab1"),
        ("A 13", "A%2013"),
        ("A\u2013", "A%E2%80%93"),  # a dash is not a blank before 13
    ],
)
def test_a_school_makes_a_safe_and_distinct_file_name(school: str, name: str) -> None:
    assert file_name(school) == name


@given(st.text(max_size=4), st.text(max_size=4))
def test_two_schools_never_share_a_file(one: str, other: str) -> None:
    assert (file_name(one).lower() == file_name(other).lower()) == (one == other)
    assert (
        file_name(one.lower()).lower() != file_name(one.upper()).lower()
        or one.lower() == one.upper()
    )


def test_long_names_of_schools_make_distinct_files() -> None:
    one, other = file_name("é" * 300), file_name("é" * 301)
    assert one != other
    assert max(len(one), len(other)) < 120


# -------------------------------------------------------------------------------- little data
def test_one_pupil_makes_a_page(tables: Tables, tmp_path: Path) -> None:
    whole = score(tables)
    one = replace(
        whole,
        capacity=1,
        scores=whole.scores.iloc[:1],
        explanation=whole.explanation.take(np.arange(1)),
    )
    outline = Outline(written(tmp_path, one, tables) / "index.html")
    assert len(outline.row_heads) >= 1
    assert outline.data["rest"]["pupil"] == []
    assert "<select" not in outline.text  # nothing to filter by


@pytest.mark.parametrize(
    "lacking", ["sessions", "suspensions", "send", "schools", "calendar", "all"]
)
def test_missing_tables_make_a_page_with_less(
    tables: Tables, assessment: Assessment, tmp_path: Path, lacking: str
) -> None:
    held = None if lacking == "all" else Tables({n: t for n, t in tables.items() if n != lacking})
    outline = Outline(written(tmp_path, assessment, held) / "index.html")
    data = outline.data
    assert ("weeks" in data) == (lacking not in ("sessions", "all"))
    assert all("weeks" in card for card in data["cards"]) == (lacking not in ("sessions", "all"))
    assert ("Need</label>" in outline.text) == (lacking not in ("send", "all"))
    assert all(card["story"] for card in data["cards"])


def test_a_pupil_without_marks_has_a_chart_without_bars(
    tables: Tables, assessment: Assessment, tmp_path: Path
) -> None:
    first = rank(assessment)["pupil_id"].iloc[0]
    marks = tables["sessions"]
    held = Tables(dict(tables) | {"sessions": marks[(marks["pupil_id"] != first).to_numpy()]})
    data = Outline(written(tmp_path, assessment, held) / "index.html").data
    assert data["cards"][0]["weeks"] == [None] * WEEKS
    assert any(share is not None for share in data["cards"][1]["weeks"])
    gaps = [data["words"][gap] for gap in data["cards"][0]["gaps"]]
    assert "No attendance marks are known." in gaps


def test_young_people_without_a_school_make_a_page(assessment: Assessment, tmp_path: Path) -> None:
    scores = assessment.scores.assign(school_id="", year_group=12)
    made = written(tmp_path, replace(assessment, outcome="neet-post16", scores=scores), None)
    text = (made / "index.html").read_text(encoding="utf-8")
    assert "No school" in text
    assert "Year 12" in text
    assert list((made / "schools").iterdir()) == []


@pytest.mark.parametrize(("outcome", "is_shown"), [("pex", True), ("neet", False)])
def test_only_a_list_of_exclusion_states_that_its_outcome_is_a_decision(
    assessment: Assessment, tmp_path: Path, outcome: str, is_shown: bool
) -> None:
    made = written(tmp_path, replace(assessment, outcome=outcome), None)
    text = (made / "index.html").read_text(encoding="utf-8")
    assert ("The outcome is itself a decision of adults." in text) == is_shown


def test_simulated_data_carry_a_banner(assessment: Assessment, tmp_path: Path) -> None:
    made = replace(assessment, provenance={"simulated": True})
    for page in pages(written(tmp_path, made, None)):
        assert "Simulated data: no real child" in page.read_text("utf-8")


# -------------------------------------------------------------------------------- nothing from later
def test_facts_recorded_later_change_no_byte(
    tables: Tables, assessment: Assessment, folder: Path, tmp_path: Path
) -> None:
    day = assessment.as_of
    first = rank(assessment)["pupil_id"].iloc[0]
    frames = dict(tables)
    for name, event, values in (
        ("sessions", "date", {"mark": "I"}),
        ("suspensions", "start_date", {"category": "PERM"}),
        ("send", "start_date", {"provision": "E", "primary_need": "ASD"}),
        ("circumstances", "start_date", {"kind": "alternative_provision"}),
        ("enrolments", "entry_date", {"school_id": "S0001"}),
    ):
        row = frames[name].iloc[[0]].assign(**values, recorded_on=day)
        row["pupil_id"] = pd.Categorical([first], dtype=tables.pupils)
        for when in (
            day,
            day - pd.Timedelta(days=40),
        ):  # what happens later, and what is recorded later
            row[event] = pd.Series([when], index=row.index, dtype="datetime64[s]")
            row = row.astype({c: frames[name][c].dtype for c in row})
            frames[name] = pd.concat([frames[name], row], ignore_index=True)
    changed = written(tmp_path, assessment, Tables(frames))
    for page, other in zip(pages(folder), pages(changed), strict=True):
        assert page.read_bytes() == other.read_bytes()


def test_row_order_changes_no_byte(
    tables: Tables, assessment: Assessment, folder: Path, tmp_path: Path
) -> None:
    frames = {name: frame.sample(frac=1.0, random_state=1) for name, frame in tables.items()}
    changed = written(tmp_path, assessment, Tables(frames))
    for page, other in zip(pages(folder), pages(changed), strict=True):
        assert page.read_bytes() == other.read_bytes()


# -------------------------------------------------------------------------------- words
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_risk_never_sounds_lower(one: float, other: float) -> None:
    low, high = sorted((one, other))
    first, last = (WORDS.index(word) for word in frequencies([low, high]))
    assert first <= last
    wording = ranges([low], [high])[0]
    is_up_to = first == 0 < last < len(WORDS) - 1
    assert wording.startswith("up to" if is_up_to else WORDS[first].split(" ")[0])
    assert wording.endswith(WORDS[last])


@pytest.mark.parametrize(
    ("risk", "words"),
    [
        (0.0, "under 1 in 1,000"),
        (0.001, "1 in 1,000"),
        (0.0094, "9 in 1,000"),
        (0.0096, "1 in 100"),
        (0.125, "12 in 100"),
        (0.99, "99 in 100"),
        (1.0, "over 99 in 100"),
    ],
)
def test_risks_are_natural_frequencies(risk: float, words: str) -> None:
    assert frequencies([risk]).tolist() == [words]


contents = st.recursive(
    st.text() | st.integers() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from("abc"), contents))
def test_numbered_content_can_be_read_back(content: dict[str, Any]) -> None:
    made = numbered(content)
    words = made.pop("words")
    assert len(set(words)) == len(words)

    def texts(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        inner = (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        )
        return [text for one in inner for text in texts(one)]

    assert words == list(dict.fromkeys(texts(content)))
    assert texts(made) == []


# -------------------------------------------------------------------------------- sealed pages
def test_a_sealed_page_opens_with_its_password_alone(
    tables: Tables, assessment: Assessment, folder: Path, tmp_path: Path
) -> None:
    sealed = written(tmp_path, assessment, tables, password=PASSWORD)
    nonces = set()
    pupils = [pupil.encode() for pupil in assessment.scores["pupil_id"].astype("str")]
    for page, open_page in zip(pages(sealed), pages(folder), strict=True):
        content = page.read_bytes()
        assert not [pupil for pupil in pupils if pupil in content]
        parts = json.loads(Outline(page).parts["sealed"])
        salt, nonce, text = (base64.b64decode(parts[name]) for name in ("salt", "nonce", "sealed"))
        nonces.add(nonce)
        assert (len(salt), len(nonce), parts["iterations"]) == (16, 12, ITERATIONS)
        key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, ITERATIONS)
        body = gzip.decompress(AESGCM(key).decrypt(nonce, text, None)).decode()
        assert body in open_page.read_text(encoding="utf-8")
        with pytest.raises(InvalidTag):
            AESGCM(bytes(32)).decrypt(nonce, text, None)
    assert len(nonces) == len(pages(sealed))


def test_two_ways_of_writing_a_letter_are_one_password() -> None:
    made = make_key("ca\u0301rcel and door")
    again = hashlib.pbkdf2_hmac("sha256", "cárcel and door".encode(), made.salt, ITERATIONS)
    assert made.secret == again
    assert "secret" not in repr(made)
    assert seal("x", made)["sealed"] != seal("x", made)["sealed"]


def test_a_short_password_is_refused_and_nothing_is_written(
    assessment: Assessment, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=rf"11 characters; it needs at least {SHORTEST}"):
        written(tmp_path, assessment, None, password="elevenchars")
    assert list(tmp_path.iterdir()) == []


def test_no_address_stands_in_the_script_or_the_style(folder: Path) -> None:
    outline = Outline(folder / "index.html")
    own = outline.parts["script"].replace("http://www.w3.org/2000/svg", "") + outline.parts["style"]
    assert not re.search(r"https?:|url\(|@import", own)


def test_a_school_that_sends_no_registers_is_named_on_its_page_and_the_las(
    assessment: Assessment, tables: Tables, tmp_path: Path
) -> None:
    explanation, schools = assessment.explanation, assessment.scores["school_id"].astype("str")
    school = schools.value_counts().index[0]
    renamed = {explanation.features.columns[0]: "known_half_days"}
    features = explanation.features.rename(columns=renamed)
    features["known_half_days"] = (schools != school).to_numpy() * 300.0
    contributions = explanation.contributions.rename(columns=renamed)
    silent = replace(
        assessment,
        explanation=replace(explanation, features=features, contributions=contributions),
    )
    folder = written(tmp_path, silent, tables)
    heading = "Children judged without attendance"
    assert [page.stem for page in pages(folder) if heading in page.read_text()] == ["index", school]
    count = f"{(schools == school).sum()} pupils of"
    assert count in (folder / "schools" / f"{school}.html").read_text()
