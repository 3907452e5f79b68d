"""True risks know all that is latent on their day, and nothing that comes after it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from riskmodel.errors import RequestError
from riskmodel.simulate import WORLDS, behaviour, simulate
from riskmodel.simulate.calendar import make_calendar
from riskmodel.simulate.exits import exit_chances, moved, moves
from riskmodel.simulate.life import Life, live
from riskmodel.simulate.population import Population, make_population
from riskmodel.simulate.shapes import GROUPS
from riskmodel.simulate.truth import true_risks
from riskmodel.simulate.worlds import STEADY, World, world_named

N, YEARS = 900, 2

REPEATS = 100

DAYS = int((make_calendar(YEARS).half_term < 6).sum())
"""School days of the first year."""

Ends = dict[str, np.ndarray]

OUTCOMES = {"pex", "neet", "exit", "not-known", "first-suspension", "severe-absence"}


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@cache
def population(world: World = STEADY) -> Population:
    return make_population(N, YEARS, "bcp", generator(), world)


@cache
def life(world: World = STEADY) -> Life:
    return live(population(world), make_calendar(YEARS), "bcp", generator(1))


def risks(made: Population, lived: Life) -> pd.DataFrame:
    names = np.array([f"P{number}" for number in range(len(made))], dtype=object)
    return true_risks(made, make_calendar(YEARS), lived, names, "bcp", generator(2))


def with_other_years_ahead(made: Population, year: int) -> Population:
    """Return the population as if everything after a school year had come otherwise."""
    later = np.arange(GROUPS) > (made.first_group + year)[:, None]
    other = made.redrawn(6 * year, generator(9))
    assert (made.provision != other.provision)[later].any()
    return replace(
        other,
        fsm=made.fsm ^ later,
        social=np.where(later, 3 - made.social, made.social),
        unmet=made.unmet ^ later,
        early_help=made.early_help ^ later,
    )


@pytest.mark.parametrize("world", WORLDS)
def test_no_risk_changes_when_later_circumstances_do(world: str) -> None:
    made, lived = population(WORLDS[world]), life(WORLDS[world])
    lived = replace(lived, states=lived.states[:6])  # the risks on the days of the first year
    first = risks(made, lived)
    other = risks(with_other_years_ahead(made, 0), lived)
    assert first["as_of"].max() == pd.Timestamp("2024-08-01")
    assert set(first["outcome"]) == OUTCOMES
    pd.testing.assert_frame_equal(first, other)


def test_no_risk_knows_later_states() -> None:
    lived = life()
    later = [
        state if number < 6 else replace(state, pressure=state.pressure + 3)
        for number, state in enumerate(lived.states)
    ]
    first, other = (
        risks(population(), one)
        for one in (lived, replace(lived, states=later, factors=lived.factors))
    )
    day = pd.Timestamp("2024-08-01")
    pd.testing.assert_frame_equal(first[first["as_of"] <= day], other[other["as_of"] <= day])
    for outcome in OUTCOMES - {"not-known"}:  # which the pressure added has no part in
        one, two = (
            table[(table["outcome"] == outcome) & (table["as_of"] > day)]["risk"].to_numpy()
            for table in (first, other)
        )
        assert not np.allclose(one, two), outcome


@pytest.fixture(scope="module")
def lives() -> tuple[pd.DataFrame, Ends]:
    """Return true risks after a year, and how 100 whole lives from there end."""
    made = make_population(3000, YEARS, "bcp", generator())
    lived = live(made, make_calendar(YEARS), "bcp", generator(1))
    table = risks(made, lived)
    day = table[table["as_of"] == pd.Timestamp("2024-08-01")]
    rows = number_of(day[day["outcome"] == "pex"])
    ends = [ends_of(made, lived, rows, generator(100 + n)) for n in range(REPEATS)]
    return day, {outcome: np.array([end[outcome] for end in ends]) for outcome in ends[0]}


def number_of(table: pd.DataFrame) -> np.ndarray:
    return table["pupil_id"].str[1:].astype(int).to_numpy()


@pytest.mark.parametrize(
    ("outcome", "order"), [("pex", 0.8), ("exit", 0.8), ("first-suspension", 0.5)]
)
def test_a_risk_is_the_share_of_futures_that_end_so(
    lives: tuple[pd.DataFrame, Ends], outcome: str, order: float
) -> None:
    """The slow reference: whole lives are lived again from the day, events drawn, and counted."""
    day, ends = lives
    mine = day[day["outcome"] == outcome]
    risk, rows = mine["risk"].to_numpy(), number_of(mine)
    came, left = (ends[outcome] == "came").sum(axis=0), (ends[outcome] == "left").sum(axis=0)
    share = (came / np.maximum(REPEATS - left, 1))[rows]
    top = np.argsort(-risk)[:40]
    for part in (top, np.setdiff1d(np.arange(len(rows)), top)):
        expected = risk[part].sum()
        # four standard errors of a count over 100 lives; and a tenth, as few futures make a risk
        assert abs(share[part].sum() - expected) < 4 * np.sqrt(expected / REPEATS) + expected / 10
    assert np.corrcoef(share[top], risk[top])[0, 1] > order


def ends_of(
    made: Population, lived: Life, rows: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return how the year after the first ends for every pupil, by outcome, drawn as a life is."""
    drawn, state = made.redrawn(5, rng), lived.states[5]
    end = np.full(len(made), "elsewhere", dtype=object)
    end[rows] = "stays"
    ends = {outcome: end.copy() for outcome in ("pex", "exit", "first-suspension")}
    ends["first-suspension"][lived.suspended["pupil"][lived.suspended["day"] < DAYS]] = "before"
    factors = {event: [f.copy() for f in now] for event, now in lived.factors[5].items()}
    everyone = np.arange(len(made))
    for half_term in range(6, 12):
        group = made.first_group + half_term // 6
        on_roll = np.flatnonzero((ends["pex"] == "stays") & (group < GROUPS))
        setting, ones = behaviour.groups_of(drawn, on_roll, half_term), np.ones(len(on_roll))
        now = state.take(on_roll)
        chance = behaviour.chances(drawn, now, setting, factors, preset="bcp", here=ones)
        suspensions = np.zeros(len(made), dtype=np.int64)
        suspensions[on_roll] = rng.poisson(chance["susp"])
        reasons = exit_chances(now, (11 - half_term) / 6, "bcp")
        leaves = {name: on_roll[rng.random(len(now.away)) < p] for name, p in reasons.items()}
        excluded = on_roll[rng.random(len(on_roll)) < chance["pex"]]
        for name in ends:
            first(ends[name], excluded, "came")
        first(ends["first-suspension"], np.flatnonzero(suspensions), "came")
        first(ends["exit"], leaves["left_area"], "left")
        first(ends["exit"], leaves["home_educated"], "came")
        unknown = leaves["destination_unknown"]
        finished = unknown[(group[unknown] == 11) & (half_term % 6 == 5)]
        first(ends["exit"], finished, "finished")
        first(ends["exit"], unknown, "left" if half_term == 11 else "came")
        for name in ("pex", "first-suspension"):
            first(ends[name], np.concatenate(list(leaves.values())), "left")
        mover, school, managed = moves(drawn, everyone, state, ends["pex"] == "stays", rng)
        first(ends["exit"], mover[managed], "came")
        everything = behaviour.groups_of(drawn, everyone, half_term)
        state = moved(state, mover, school)
        state = behaviour.step(drawn, everyone, state, everything, suspensions, rng)
    return ends


def first(end: np.ndarray, pupils: np.ndarray, how: str) -> None:
    """Note in place how it ends for those for whom it has not ended yet."""
    end[pupils] = np.where(end[pupils] == "stays", how, end[pupils])


def test_the_same_pupils_live_in_every_world() -> None:
    made = [population(WORLDS[name]) for name in WORLDS]
    for other in made[1:]:
        np.testing.assert_array_equal(other.provision, made[0].provision)
        np.testing.assert_array_equal(other.pressure_mean, made[0].pressure_mean)


def test_a_crisis_breaks_attendance_and_leads_to_exclusion_without_suspension() -> None:
    made = population()
    state = behaviour.start_state(made, generator(3), half_term=0)
    hit = replace(state, crisis=np.ones(len(made)))
    assert (hit.away > state.away + 1).all()
    rows = np.flatnonzero(made.first_group >= 7)
    setting, factors = behaviour.groups_of(made, rows, 0), behaviour.start_factors()
    behaviour.chances(
        made, state.take(rows), setting, factors, preset="bcp", here=np.ones(len(rows))
    )
    usual, broken = (
        behaviour.chances(made, one.take(rows), setting, factors, preset="bcp", here=None)
        for one in (state, hit)
    )
    ratio = {event: (broken[event] / usual[event]).mean() for event in ("susp", "pex")}
    assert ratio["pex"] > 2 * ratio["susp"] > 2


def test_suspensions_in_a_year_group_unsettle_it_and_no_other() -> None:
    made = population(WORLDS["contagion"])
    state = behaviour.start_state(made, generator(3), half_term=0)
    setting = behaviour.groups_of(made, np.arange(len(made)), 0)
    one_group = (state.school == state.school[made.first_group == 9][0]) & (setting.stage == 9)
    suspensions = one_group.astype(np.int64)
    after = behaviour.unsettled(made.world, state, setting, suspensions)
    rise = after.pressure - state.pressure
    assert (rise[one_group] > 0.2).all()
    assert (rise[~one_group] < 0).all()
    calm = behaviour.unsettled(STEADY, state, setting, suspensions)
    np.testing.assert_array_equal(calm.pressure, state.pressure)


def test_new_heads_halve_or_double_and_stay_until_the_next() -> None:
    states = life(WORLDS["new_head"]).states
    np.testing.assert_array_equal(states[0].heads, states[4].heads)
    assert set(np.unique(states[11].heads)) <= {0.25, 0.5, 1.0, 2.0, 4.0}
    assert (states[11].heads != 1).any()
    np.testing.assert_array_equal(states[5].heads, states[9].heads)
    assert {1.0} == set(np.unique(life().states[11].heads))


def test_under_the_new_guidance_half_of_the_suspensions_are_not_recorded() -> None:
    usual, kept = (
        simulate(pupils=3000, years=3, seed=4, preset="bcp", world=world).tables["suspensions"]
        for world in ("steady", "policy")
    )
    counts = [
        frame[frame["category"] == "SUSP"].groupby(frame["start_date"] < "2023-09-01").size()
        for frame in (usual, kept)
    ]
    assert counts[1][True] == counts[0][True]
    assert 0.4 < counts[1][False] / counts[0][False] < 0.6
    assert [(frame["category"] == "PERM").sum() for frame in (usual, kept)][0] == (
        kept["category"] == "PERM"
    ).sum()


def test_an_unknown_world_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        RequestError, match="steady, crisis, contagion, new_head, policy; got 'mars'"
    ):
        simulate(world="mars")
    assert all(world_named(name).name == name for name in WORLDS)
