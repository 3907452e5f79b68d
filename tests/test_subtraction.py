"""P5: a reader who subtracts, and knows the rule by heart, cannot find a hidden small count.

Slow and plain: every way to fill in what is hidden is tried. Two readers are worse than the tables
say: one knows of each hidden count whether it is below 5; the other runs the rule on every table
that it could have been, and keeps those of which the same would be hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from riskmodel.fairness import suppress_two_way
from riskmodel.fairness.disclosure import hidden_rows, leaves_room
from riskmodel.fairness.publishing import hidden_groups
from riskmodel.report.dashboard.cells import hide_area, hide_exits, hide_school, total_reveals

Values = list[set[int]]


def adding_up(total: int, n: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to write a total as n counts."""
    if n < 2:
        yield (total,) * n
        return
    for first in range(total + 1):
        for others in adding_up(total - first, n - 1):
            yield (first, *others)


def values_of(fillings: Iterator[tuple[int, ...]], n: int) -> Values:
    """Return what each count can be."""
    found: Values = [set() for _ in range(n)]
    for filling in fillings:
        for place, value in enumerate(filling):
            found[place].add(value)
    return found


def to_who_knows_the_small(hidden: list[int]) -> Values:
    """Return what hidden counts can be, their sum and which are below 5 being known."""
    kinds = [value < 5 for value in hidden]
    same = (f for f in adding_up(sum(hidden), len(hidden)) if [v < 5 for v in f] == kinds)
    return values_of(same, len(hidden))


def to_who_runs_the_rule(counts: list[int], rule: Callable[[list[int]], list[bool]]) -> Values:
    """Return what hidden counts can be, if the rule must hide the same."""
    gone = rule(counts)
    places = [place for place, secret in enumerate(gone) if secret]
    total = sum(counts[place] for place in places)

    def fits(filling: tuple[int, ...]) -> bool:
        table = list(counts)
        for place, value in zip(places, filling, strict=True):
            table[place] = value
        return rule(table) == gone

    return values_of(filter(fits, adding_up(total, len(places))), len(places))


def one_way(counts: list[int]) -> list[bool]:
    return list(hidden_rows(np.array(counts)[:, None], np.zeros(len(counts))))


few = st.integers(0, 12)


def test_hidden_counts_at_the_upper_end_take_another_with_them() -> None:
    assert one_way([4, 4, 30, 40]) == [True, True, True, False]  # 8 is 4 and 4
    assert one_way([3, 4, 30, 40]) == [True, True, True, False]
    assert one_way([2, 2, 3, 40]) == [True, True, True, False]  # 7 of three leaves 0 to 4 open
    assert one_way([3, 3, 4, 40, 50]) == [
        True,
        True,
        True,
        True,
        False,
    ]  # 10 of three: none is 0 or 1


@pytest.mark.parametrize(
    ("hidden", "room"),
    [
        ([], True),
        ([3], False),
        ([9], False),
        ([4, 4], False),
        ([4, 9], True),
        ([4, 8], True),
        ([0, 8], False),
        ([4, 4, 0], True),
        ([4, 4, 1], False),
        ([1, 1, 1], False),
        ([7, 9], True),
    ],
)
def test_a_sum_leaves_room_below_and_above(hidden: list[int], room: bool) -> None:
    assert leaves_room(np.array(hidden, dtype=float).reshape(-1, 1)) == room


@given(st.lists(few, min_size=2, max_size=5))
@example([4, 4, 30, 40])
@settings(max_examples=300)
def test_who_knows_which_are_small_finds_each_could_be_0_to_4(counts: list[int]) -> None:
    gone = one_way(counts)
    assume(not all(gone))
    hidden = [count for count, secret in zip(counts, gone, strict=True) if secret]
    for value, could_be in zip(hidden, to_who_knows_the_small(hidden), strict=True):
        assert value >= 5 or could_be >= {0, 1, 2, 3, 4}


@given(st.lists(st.integers(0, 9), min_size=2, max_size=4))
@example([5, 5, 4])  # 5 and 4 hidden, the other 5 shown: only one order of the rows fits
@example([4, 4, 9, 9])
@settings(max_examples=60)
def test_who_runs_the_rule_on_every_table_finds_no_small_count(counts: list[int]) -> None:
    assume(sum(counts) >= 5)  # a total below 5 is small itself
    hidden = [count for count, secret in zip(counts, one_way(counts), strict=True) if secret]
    for value, could_be in zip(hidden, to_who_runs_the_rule(counts, one_way), strict=True):
        assert value >= 5 or len(could_be) > 1


def fillings(shown: np.ndarray, full: np.ndarray) -> Iterator[np.ndarray]:
    """Yield every table of counts that fits all that is shown of it, totals too."""
    inner, whole = shown[:-1, :-1], int(full[-1, -1])
    lines: list[list[list[int]]] = []
    for line, total in zip(inner, shown[:-1, -1], strict=True):
        seen = [0 if cell == "c" else int(cell) for cell in line]
        places = np.flatnonzero(line == "c")
        lines.append([])
        for one in range(whole + 1) if total == "c" else [int(total)]:
            for values in adding_up(one - sum(seen), len(places)):
                filled = list(seen)
                for place, value in zip(places, values, strict=True):
                    filled[place] = value
                lines[-1].append(filled)
    for rows in product(*lines):
        grid = np.array(rows)
        ends = [*grid.sum(axis=0), grid.sum()]
        if all(text in ("c", end) for text, end in zip(shown[-1], ends, strict=True)):
            yield grid


def two_way(counts: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    grid = np.array(counts)
    full = np.block([[grid, grid.sum(1, keepdims=True)], [grid.sum(0), grid.sum()]])
    return suppress_two_way(pd.DataFrame(grid)).to_numpy(), full


@given(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=2, max_size=2))
@example([[4, 4], [4, 4]])
@example([[1, 4], [5, 5]])  # totals shown only where none of the small cells follows from them
@settings(max_examples=40)
def test_who_runs_the_rule_on_every_two_by_two_table_finds_no_small_count(
    counts: list[list[int]],
) -> None:
    shown, full = two_way(counts)
    assume(full[-1, -1] >= 5)
    secret = (shown[:-1, :-1] == "c") & (full[:-1, :-1] < 5)
    could_be: dict[tuple[int, int], set[int]] = {(i, j): set() for i, j in np.argwhere(secret)}
    for grid in fillings(shown, full):
        if all(len(values) > 1 for values in could_be.values()):
            break
        if ((two_way(grid.tolist())[0] == "c") == (shown == "c")).all():
            for i, j in could_be:
                could_be[i, j].add(int(grid[i, j]))
    assert all(len(values) > 1 for values in could_be.values())


@given(
    st.lists(st.lists(st.integers(0, 6), min_size=2, max_size=2), min_size=2, max_size=3),
    st.integers(20, 40),
    st.integers(20, 40),
)
@example([[4, 4], [4, 4]], 20, 20)
@settings(max_examples=60)
def test_who_knows_which_cells_are_small_finds_two_values_of_each(
    counts: list[list[int]], more: int, most: int
) -> None:
    grid = np.pad(np.array(counts), ((0, 1), (0, 1)), constant_values=more)
    grid[-1] += most
    shown, full = two_way(grid.tolist())
    assume(not (shown[:-1, :-1] == "c").all())
    # a step along a rectangle that changes no sum, and no cell from small to large
    hidden, inner = shown[:-1, :-1] == "c", full[:-1, :-1]
    free = set()
    n_rows, n_columns = inner.shape
    for i, k in product(range(n_rows), repeat=2):
        for j, m in product(range(n_columns), repeat=2):
            step = np.zeros_like(inner)
            step[[i, k], [j, m]] += 1
            step[[i, k], [m, j]] -= 1
            moved = inner + step
            same = ((moved < 5) == (inner < 5)).all() and (moved >= 0).all()
            if same and not step[~hidden].any():
                free |= {(int(a), int(b)) for a, b in np.argwhere(step)}
    margins_hidden = (shown[:-1, -1] == "c").any() or (shown[-1, :-1] == "c").any()
    assert margins_hidden or free >= {
        (int(a), int(b)) for a, b in np.argwhere(hidden & (inner < 5))
    }


AREA = {
    "phase": "secondary",
    "measure": "exclusions",
    "code": "",
    "period": "2023/24",
    "year": 2023,
    "term": "year",
    "why": "",
    "complete": True,
}


def schools_of(counts: list[int]) -> pd.DataFrame:
    rows = [
        AREA
        | {
            "numerator": float(n),
            "people": float(n),
            "denominator": 400.0,
            "pupils": 400.0,
            "value": n / 4,
        }
        for n in counts
    ]
    return pd.concat([hide_school(pd.DataFrame([row])) for row in rows], ignore_index=True)


def area_of(counts: list[int]) -> pd.DataFrame:
    total, n = float(sum(counts)), len(counts)
    row = AREA | {
        "numerator": total,
        "people": total,
        "denominator": 400.0 * n,
        "pupils": 400.0 * n,
        "value": total / (4 * n),
        "schools": n,
    }
    return pd.DataFrame([row])


@given(st.lists(few, min_size=3, max_size=6))
@example([4, 4, 30, 40])
@example([4, 4, 4, 40])
@settings(max_examples=50)
def test_the_area_less_the_schools_pages_leaves_no_small_count(counts: list[int]) -> None:
    schools = schools_of(counts)
    (shown,) = ~hide_area(area_of(counts), schools)["hidden"]
    hidden = [n for n, gone in zip(counts, schools["hidden"], strict=True) if gone]
    assert shown or sum(counts) < 5 or hidden
    if shown:
        for could_be in to_who_knows_the_small(hidden):
            assert could_be >= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("side", ["people", "others"])
def test_who_is_left_over_in_the_schools_is_as_safe_as_who_is_counted(side: str) -> None:
    counts = [4, 4, 60, 70]
    people = counts if side == "people" else [400 - n for n in counts]
    schools = schools_of(people)
    assert schools["hidden"].tolist() == [True, True, False, False]
    assert hide_area(area_of(people), schools)["hidden"].tolist() == [True]


def test_the_terms_of_the_area_do_not_add_up_to_a_hidden_year() -> None:
    terms = [[1, 2, 3, 30]] * 3
    parts = [
        (term, counts) for term, counts in zip(("autumn", "spring", "summer"), terms, strict=True)
    ]
    parts.append(("year", [sum(counts) for counts in zip(*terms, strict=True)]))
    named = [{"term": term, "period": f"2023/24 {term}"} for term, _ in parts]
    area = pd.concat(
        [area_of(counts).assign(**name) for (_, counts), name in zip(parts, named, strict=True)]
    )
    pages = pd.concat(
        [schools_of(counts).assign(**name) for (_, counts), name in zip(parts, named, strict=True)]
    )
    # each term leaves room, but of the year the first school's 3 is what the others leave
    assert hide_area(area.reset_index(drop=True), pages)["hidden"].all()


NO_PAGES = schools_of([90]).iloc[:0]


def test_a_total_over_phases_is_hidden_where_two_hidden_phases_are_4_and_4() -> None:
    rows = [
        AREA | {"phase": phase, "numerator": n, "hidden": n < 5}
        for phase, n in (("primary", 4.0), ("special", 4.0), ("secondary", 90.0))
    ]
    assert total_reveals(pd.DataFrame(rows), NO_PAGES, "exclusions", "2023/24")
    rows[1] |= {"numerator": 30.0, "hidden": True}
    assert not total_reveals(pd.DataFrame(rows), NO_PAGES, "exclusions", "2023/24")


def test_a_total_over_phases_is_hidden_where_a_school_is_what_all_others_leave() -> None:
    pages = schools_of([3, 40, 50])
    area = hide_area(area_of([3, 40, 50]), pages)
    assert area["hidden"].tolist() == [True]
    assert total_reveals(area, pages, "exclusions", "2023/24")


def exits_of(primary: list[int], secondary: list[int]) -> pd.DataFrame:
    """Return exits of the last years of primary schools, and of Years 7, 8 … of secondary schools."""
    years = [*range(7 - len(primary), 7), *range(7, 7 + len(secondary))]
    return pd.DataFrame(
        {
            "year_group": years,
            "period": "2023/24",
            "people": [*map(float, primary + secondary)],
            "pupils": [300.0 + year for year in years],
        }
    )


def phases_of(exits: pd.DataFrame, hidden: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the rows of the area that the exits add up to."""
    phase = np.where(exits["year_group"] <= 6, "primary", "secondary")
    people = exits.groupby(phase)["people"].sum()
    gone = [name in hidden or count < 5 for name, count in people.items()]
    return pd.DataFrame({"phase": people.index, "period": "2023/24", "value": 1.0, "hidden": gone})


def test_a_year_group_is_not_its_phase_less_the_others() -> None:
    table = exits_of([20, 20, 30], [3, 20, 30])
    rows, _ = hide_exits(table, phases_of(table))
    # were there no phases, Year 4 would do beside Year 7
    assert rows["hidden"].tolist() == [False, False, False, True, True, False]


@given(
    st.lists(few, min_size=2, max_size=4),
    st.lists(few, min_size=2, max_size=4),
    st.sampled_from([(), ("primary",), ("secondary",)]),
)
@example([20, 20, 30], [3, 20, 30], ())
@example([4, 4, 30], [4, 20, 30], ())
@settings(max_examples=150)
def test_no_exit_is_given_away_by_the_phases(
    primary: list[int], secondary: list[int], hidden: tuple[str, ...]
) -> None:
    table = exits_of(primary, secondary)
    phases = phases_of(table, hidden)
    rows, totals = hide_exits(table, phases)
    assert not (rows["people"] < 5)[~rows["hidden"]].any()
    assert totals["hidden"].any() == phases["hidden"].any()
    for phase, secret in zip(phases["phase"], phases["hidden"], strict=True):
        part = rows[((rows["year_group"] <= 6) == (phase == "primary")).to_numpy()]
        if secret:
            assert part["hidden"].all()
        elif not part["hidden"].all():
            counts = [int(n) for n in part["people"][part["hidden"]]]
            for value, could_be in zip(counts, to_who_knows_the_small(counts), strict=True):
                assert value >= 5 or could_be >= {0, 1, 2, 3, 4}


Cells = dict[tuple[str, str], int]
PHASE_OF = {
    "Year 5": "Primary",
    "Year 6": "Primary",
    "Year 7": "Secondary",
    "Year 8": "Secondary",
    "Year 9": "Secondary",
}


def by_group(cells: Cells) -> pd.DataFrame:
    """Count pupils by (year group, phase), as an audit of one list does."""
    rows = [("year_group", year, n) for (year, _), n in cells.items()]
    rows += [("phase", phase, n) for (_, phase), n in cells.items()]
    table = pd.DataFrame(rows, columns=["characteristic", "group", "n"])
    return table.groupby(["characteristic", "group"], sort=False, as_index=False).sum()


def published(cells: Cells) -> dict[tuple[str, str], int | str]:
    table = by_group(cells)
    hidden = hidden_groups(table, table[["n"]])
    keys = zip(table["characteristic"], table["group"], strict=True)
    return {
        key: "c" if gone else int(n) for key, gone, n in zip(keys, hidden, table["n"], strict=True)
    }


def ranges(cells: Cells) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the least and most that each hidden small group can be, by linear programming."""
    public, names = published(cells), list(cells)
    inside = {key: np.array([key[1] in pair for pair in names], dtype=float) for key in public}
    known = [(inside[key], value) for key, value in public.items() if value != "c"]
    known.append((np.ones(len(names)), sum(cells.values())))
    A, b = np.array([row for row, _ in known]), np.array([value for _, value in known], dtype=float)
    found = {}
    for row in by_group(cells).itertuples(index=False):
        key = (str(row.characteristic), str(row.group))
        if public[key] == "c" and int(str(row.n)) < 5:
            ends = [
                sign * linprog(sign * inside[key], A_eq=A, b_eq=b, bounds=(0, None)).fun
                for sign in (1, -1)
            ]
            found[key] = (ends[0], ends[1])
    return found


def test_a_year_group_of_an_audit_is_not_its_phase_less_the_others() -> None:
    counts = {"Year 5": 20, "Year 6": 20, "Year 7": 3, "Year 8": 21, "Year 9": 30}
    public = published({(year, PHASE_OF[year]): n for year, n in counts.items()})
    assert {group for (_, group), value in public.items() if value == "c"} == {"Year 7", "Year 8"}


sizes = st.lists(st.one_of(st.integers(0, 7), st.integers(5, 60)), min_size=5, max_size=5)
some = st.one_of(st.just([0]), st.lists(st.integers(0, 6), min_size=5, max_size=5))


@given(sizes, some, some, some)
@example([20, 20, 3, 20, 30], [0], [0], [0])
@example([20, 20, 30, 30, 30], [0, 0, 1, 1, 0], [0], [0])
@example([20, 20, 30, 30, 30], [0], [3, 0], [0])  # a sixth form
@example([20, 20, 30, 30, 30], [0], [0], [3, 20])  # a college
@example([0, 5, 0, 0, 0], [0], [2, 3], [3, 2])  # a secondary school with a sixth form alone
@settings(max_examples=100)
def test_year_groups_and_phases_together_withstand_linear_programming(
    ordinary: list[int], all_through: list[int], sixth_form: list[int], college: list[int]
) -> None:
    later = ("Year 12", "Year 13")
    cells = dict(zip(PHASE_OF.items(), ordinary, strict=True))
    for phase, years, counts in (
        ("All-through", (*PHASE_OF, *later), all_through),
        ("Secondary", later, sixth_form),
        ("After 16", later, college),
    ):
        if any(counts):
            cells |= {(year, phase): n for year, n in zip(years, counts, strict=False)}
    assume(sum(cells.values()) >= 5)
    public = published(cells)
    assume(any(value != "c" for value in public.values()))
    assert not any(value != "c" and value < 5 for value in public.values())
    for least, most in ranges(cells).values():
        assert least <= 1e-6
        assert most >= 4 - 1e-6


def test_a_year_group_that_is_not_known_is_not_what_phases_and_years_leave() -> None:
    cells = dict.fromkeys(PHASE_OF.items(), 20) | {("not_known", "Secondary"): 3}
    for ends in ranges(cells).values():
        assert ends[0] <= 1e-6
        assert ends[1] >= 4 - 1e-6
