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
    first = risks(made, lived)
    other = risks(with_other_years_ahead(made, 0), lived)
    day = pd.Timestamp("2024-08-01")
    assert (first["as_of"] <= day).any()
    for outcome in ("pex", "neet"):
        one, two = (
            table[(table["outcome"] == outcome) & (table["as_of"] <= day)]
            for table in (first, other)
        )
        pd.testing.assert_frame_equal(one, two)


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
    after = (table[table["as_of"] > day]["risk"].to_numpy() for table in (first, other))
    assert not np.allclose(*after)


def test_a_risk_of_exclusion_is_the_share_of_futures_that_end_so() -> None:
    """The slow reference: whole lives are lived again from the day, events drawn, and counted."""
    made = make_population(3000, YEARS, "bcp", generator())
    lived = live(made, make_calendar(YEARS), "bcp", generator(1))
    table = risks(made, lived)
    day = table[(table["outcome"] == "pex") & (table["as_of"] == pd.Timestamp("2024-08-01"))]
    risk, rows = day["risk"].to_numpy(), day["pupil_id"].str[1:].astype(int).to_numpy()
    repeats = 100
    ends = np.array([ends_of(made, lived, rows, generator(100 + n)) for n in range(repeats)])
    excluded, left = (ends == "excluded").sum(axis=0), (ends == "left").sum(axis=0)
    share = (excluded / np.maximum(repeats - left, 1))[rows]
    top = np.argsort(-risk)[:40]
    for part in (top, np.setdiff1d(np.arange(len(rows)), top)):
        expected = risk[part].sum()
        # four standard errors of a count over 100 lives; and a tenth, as few futures make a risk
        assert abs(share[part].sum() - expected) < 4 * np.sqrt(expected / repeats) + expected / 10
    assert np.corrcoef(share[top], risk[top])[0, 1] > 0.8


def ends_of(
    made: Population, lived: Life, rows: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return how the year after the first ends for every pupil, drawn as a life is."""
    drawn, state = made.redrawn(5, rng), lived.states[5]
    end = np.full(len(made), "elsewhere", dtype=object)
    end[rows] = "stays"
    factors = {event: [f.copy() for f in now] for event, now in lived.factors[5].items()}
    everyone = np.arange(len(made))
    for half_term in range(6, 12):
        here = (end == "stays") & (made.first_group + half_term // 6 < GROUPS)
        on_roll = np.flatnonzero(here)
        setting, ones = behaviour.groups_of(drawn, on_roll, half_term), np.ones(len(on_roll))
        now = state.take(on_roll)
        chance = behaviour.chances(drawn, now, setting, factors, preset="bcp", here=ones)
        suspensions = np.zeros(len(made), dtype=np.int64)
        suspensions[on_roll] = rng.poisson(chance["susp"])
        leaves = sum(exit_chances(now, (11 - half_term) / 6, "bcp").values())
        end[on_roll[rng.random(len(on_roll)) < leaves]] = "left"
        end[on_roll[rng.random(len(on_roll)) < chance["pex"]]] = "excluded"
        mover, school, _ = moves(drawn, everyone, state, end == "stays", rng)
        everything = behaviour.groups_of(drawn, everyone, half_term)
        state = moved(state, mover, school)
        state = behaviour.step(drawn, everyone, state, everything, suspensions, rng)
    return end


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
