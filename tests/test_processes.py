"""Each process of the simulator alone: published shares come out; more of a cause, more of its effect."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

from riskmodel.data.codes import code_set, codes
from riskmodel.simulate import attendance, behaviour, destinations, exits, marks, needs
from riskmodel.simulate.calendar import make_calendar
from riskmodel.simulate.circumstances import draw_hardship
from riskmodel.simulate.life import LIMIT, Life, live
from riskmodel.simulate.parameters import (
    absence_bands,
    parameter,
    parameters_under,
    published,
)
from riskmodel.simulate.population import (
    CULTURE_PART,
    TOP_SCHOOLS,
    Population,
    lognormal_spread,
    make_population,
)
from riskmodel.simulate.records import shares_of_all_reasons

N = 12_000


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@cache
def population() -> Population:
    return make_population(N, 2, "england", generator())


@cache
def life() -> Life:
    return live(population(), make_calendar(2), "england", generator(1))


# --- the parameter file


def test_every_parameter_has_a_source_and_no_name_comes_twice() -> None:
    table = published()
    assert table.index.is_unique
    assert table["source"].str.len().min() >= 6
    assert np.isfinite(table[["england", "bcp"]].to_numpy()).all()
    assert (table["england"] >= 0).all()


def test_a_published_figure_has_a_year() -> None:
    table = published()
    unverified = table["source"].str.contains("chosen|recalled, unverified")
    assert not table.loc[~unverified, "year"].isna().any()


@pytest.mark.parametrize("event", ["susp", "pex"])
@pytest.mark.parametrize("preset", ["england", "bcp"])
def test_reasons_add_up_and_the_preset_keeps_its_own(event: str, preset: str) -> None:
    shares = shares_of_all_reasons(event, preset)
    assert sum(shares.values()) == pytest.approx(100)
    assert shares["DB"] == pytest.approx(
        parameter(f"{event}.reason.DB", preset),
        rel=0.01,
    )


# --- circumstances and needs


@pytest.mark.parametrize("preset", ["england", "bcp"])
def test_free_school_meals_are_as_published(preset: str) -> None:
    rng = generator()
    dep, stress = rng.standard_normal((2, N))
    made = draw_hardship(dep, stress, preset, rng).circumstances()
    fsm, social, early_help = made.fsm, made.social, made.early_help
    assert 100 * fsm[:, :7].mean() == pytest.approx(
        parameter("fsm.primary", preset),
        rel=0.02,
    )
    assert 100 * (social > 0).mean() == pytest.approx(parameter("social.child_in_need"), rel=0.05)
    assert 100 * (social == 3).mean() == pytest.approx(parameter("social.looked_after"), rel=0.05)
    assert not (early_help & (social > 0)).any()
    assert fsm[dep > 1].mean() > 3 * fsm[dep < -1].mean()


def test_sen_is_as_published_by_sex_year_group_and_meals() -> None:
    made = population()
    any_sen, plan = needs.sen_targets("england")
    for group in (1, 6, 9):
        for sex in (0, 1):
            for meals in (0, 1):
                here = (made.male == bool(sex)) & (made.fsm[:, group] == bool(meals))
                share = (made.provision[here, group] > 0).mean()
                assert share == pytest.approx(any_sen[2 * sex + meals, group], abs=0.01)
                assert (made.provision[here, group] == 2).mean() == pytest.approx(
                    plan[2 * sex + meals, group], abs=0.01
                )


def test_nobody_has_an_unmet_need_and_provision_at_once() -> None:
    made = population()
    assert not (made.unmet & (made.provision > 0)).any()
    assert made.unmet[:, 2].sum() > made.unmet[:, 6].sum()  # found late, at last
    assert (made.provision[made.special] == 2).mean() > 0.95


def test_slow_primary_schools_record_needs_later() -> None:
    rng = generator()
    male, vulnerability = rng.random(N) < 0.5, rng.standard_normal(N)
    school = rng.integers(0, 30, N)
    fsm = np.zeros((N, 12), dtype=bool)
    made = needs.draw_severity(male, fsm, vulnerability, school, "england", rng).needs(fsm)
    early = np.bincount(school, (made.provision[:, 2] == 1)) / np.bincount(school)
    late = np.bincount(school, (made.provision[:, 11] == 1)) / np.bincount(school)
    assert early.std() > 2 * late.std()


# --- schools and behaviour


@pytest.mark.parametrize("share", [0.3, 0.42, 0.58])
def test_the_spread_between_schools_gives_the_top_ones_their_share(share: float) -> None:
    place = norm.ppf((np.arange(26_000) + 0.5) / 26_000)
    culture = np.exp(lognormal_spread(share) * place)
    top = np.sort(culture)[-round(TOP_SCHOOLS * len(culture)) :].sum() / culture.sum()
    assert top == pytest.approx(share, abs=0.01)
    assert all(0 < part <= 1 for part in CULTURE_PART.values())


def start() -> tuple[behaviour.State, behaviour.Setting, behaviour.Factors, np.ndarray]:
    made = population()
    state = behaviour.start_state(made, generator(3), half_term=0)
    rows = np.flatnonzero(state.active & (made.arrives == 0))
    return (
        state.take(rows),
        behaviour.groups_of(made, rows, 0),
        behaviour.start_factors(),
        rows,
    )


def test_expected_events_are_the_published_level() -> None:
    state, setting, factors, _ = start()
    chance = behaviour.chances(
        population(), state, setting, factors, preset="england", here=np.ones(len(state.recent))
    )
    for event, made in chance.items():
        level = behaviour.level_by_stage(event, "england")
        wanted = (np.bincount(setting.stage, minlength=13) * level).sum() * behaviour.season(
            event, 0
        )
        assert made.sum() == pytest.approx(wanted, rel=0.03)
    assert sum(behaviour.season("susp", number) for number in range(6)) == pytest.approx(1)


@pytest.mark.parametrize("event", ["susp", "pex"])
def test_pressure_history_and_unmet_need_raise_the_chances(event: behaviour.Event) -> None:
    state, setting, factors, rows = start()
    made = population()
    behaviour.chances(
        made, state, setting, factors, preset="england", here=np.ones(len(state.recent))
    )

    def mean(**changes: object) -> float:
        changed = replace(state, **changes)
        kwargs = {"preset": "england", "here": None}
        return float(behaviour.chances(made, changed, setting, factors, **kwargs)[event].mean())

    usual = mean()
    assert mean(pressure=state.pressure + 0.5) > 1.2 * usual
    assert mean(recent=state.recent + 2) > 2 * usual
    unmet = replace(setting, unmet=np.ones(len(rows), bool))
    chance = behaviour.chances(made, state, unmet, factors, preset="england", here=None)
    assert chance[event].mean() > usual


def test_support_lowers_pressure_and_transition_raises_it() -> None:
    state, setting, _, rows = start()
    none = np.zeros(len(rows), dtype=np.int64)
    made = population()

    def after(supported: bool, half_term: int = 0) -> behaviour.State:
        now = replace(setting, supported=np.full(len(rows), supported))
        then = replace(state, half_term=half_term)
        return behaviour.step(made, rows, then, now, none, generator(5))

    assert (after(True).pressure < after(False).pressure).all()
    moving = (made.first_group[rows] == 6) & ~made.special[rows]
    usual, summer = after(False).pressure, after(False, half_term=5).pressure
    assert (summer[moving] > usual[moving]).all()
    assert (after(False, half_term=5).school[moving] == made.secondary[rows][moving]).all()


def test_latent_states_keep_their_spread() -> None:
    made = population()
    state = behaviour.start_state(made, generator(7), half_term=0)
    rows, rng = np.arange(len(made)), generator(8)
    before = state.pressure.std()
    for number in range(12):
        setting = behaviour.groups_of(made, rows, number)
        state = behaviour.step(made, rows, state, setting, np.zeros(len(rows), np.int64), rng)
    assert state.pressure.std() == pytest.approx(before, rel=0.05)


def test_home_education_is_likelier_under_threat_and_later() -> None:
    state, _, _, _ = start()
    usual = exits.exit_chances(state, 0, "bcp")["home_educated"]
    threatened = exits.exit_chances(replace(state, recent=state.recent + 3), 0, "bcp")
    assert (threatened["home_educated"] > usual).all()
    earlier = exits.exit_chances(state, 1, "bcp")["home_educated"]
    assert (usual / earlier).mean() == pytest.approx(1.29, rel=0.01)


def test_moves_stay_within_the_phase_and_go_elsewhere() -> None:
    made = population()
    state = behaviour.start_state(made, generator(3), half_term=0)
    state = replace(state, recent=generator().poisson(1.0, len(made)).astype(float))
    rows = np.arange(len(made))
    pupil, school, managed = exits.moves(made, rows, state, state.active, generator(4))
    before, n_primary = state.school[pupil], made.schools.n_primary
    assert len(pupil) > 50
    assert (school != before).all()
    assert ((school < n_primary) == (before < n_primary)).all()
    assert (state.recent[pupil[managed]] >= 3).all()


# --- attendance


@pytest.mark.parametrize("group", sorted(absence_bands()))
def test_the_published_bands_come_back(group: tuple[str, int, int, int]) -> None:
    bands = absence_bands()[group]
    rate = attendance.rates_at_scores(bands)
    chance = norm.cdf(attendance.SCORES)
    for edge, below in zip((0.05, 0.10, 0.20, 0.50), np.cumsum(bands)[[0, 1, 3, 9]], strict=True):
        assert 100 * np.interp(edge, rate, chance) == pytest.approx(below, abs=0.3)
    assert (np.diff(rate) >= 0).all()


@pytest.mark.parametrize("phase", ["primary", "secondary", "special"])
def test_the_trend_takes_one_years_shares_to_the_others(phase: str) -> None:
    shift, stretch = attendance.trend(phase)
    for share in ("persistent", "severe"):
        now = norm.ppf(1 - parameter(f"{share}.{phase}") / 100)
        then = 100 * norm.sf(shift + stretch * now)
        assert then == pytest.approx(parameter(f"{share}_then.{phase}"))


def test_the_disengaged_are_absent_more() -> None:
    made = population()
    away = np.zeros((len(made), 12), dtype=np.float32)
    away += generator().standard_normal((len(made), 1)).astype(np.float32)
    usual, _ = attendance.absence_rates(made, away)
    one = away.copy()
    one[7] += 2
    assert (attendance.absence_rates(made, one)[0][7] > usual[7]).all()
    care = made.social[:, 8] == 3
    assert usual[care, 0].mean() < usual[made.social[:, 8] == 1, 0].mean()


@cache
def drawn_marks() -> tuple[np.ndarray, np.ndarray]:
    made, calendar = population(), make_calendar(2)
    group = made.first_group[:, None] + np.arange(12) // 6
    on_roll = ((group >= 0) & (group <= 11))[:, calendar.half_term]
    away = np.column_stack(life().disengagement)
    return marks.draw_marks(made, calendar, away, on_roll, generator(9)), on_roll


def test_marks_have_the_published_mix_and_come_in_spells() -> None:
    drawn, on_roll = drawn_marks()
    assert ((drawn > 0).all(axis=2) == on_roll).all()
    family = (
        code_set("marks")["family"].loc[list(codes("marks"))].isin(["authorised", "unauthorised"])
    )
    absent = np.append(False, family.to_numpy())[drawn]
    secondary = (population().first_group >= 7) & ~population().special
    old = make_calendar(2).days < marks.NEW_CODES_FROM
    share = absent[secondary][:, ~old].mean()
    assert 100 * share == pytest.approx(parameter("absence.secondary"), rel=0.15)
    ill = (drawn[secondary][:, ~old] == marks.number_of("I")).mean() / share
    wanted = parameters_under("code.secondary")
    listed = sum(wanted[code] for code in marks.TILT)
    assert ill == pytest.approx(wanted["I"] / listed, rel=0.1)
    morning = absent[secondary, :, 0]
    again = morning[:, 1:][morning[:, :-1]].mean()
    assert again > 2 * morning.mean()


def test_new_codes_are_not_used_before_they_came_in() -> None:
    drawn, _ = drawn_marks()
    old = make_calendar(2).days < marks.NEW_CODES_FROM
    for code in marks.CODES_BEFORE:
        assert not (drawn[:, old] == marks.number_of(code)).any()
        assert (drawn[:, ~old] == marks.number_of(code)).any()


def test_suspensions_are_written_only_where_there_is_a_roll() -> None:
    drawn = np.full((2, 5, 2), marks.number_of("/"), dtype=np.uint8)
    drawn[1, 3:] = 0
    one = np.array([0, 1])
    marks.write_suspensions(drawn, one, np.array([1, 2]), np.array([2, 9]))
    e, present = marks.number_of("E"), marks.number_of("/")
    assert drawn[0, :, 0].tolist() == [present, e, e, present, present]
    assert drawn[1, :, 0].tolist() == [present, present, e, 0, 0]


# --- a life


def test_no_pupil_is_suspended_beyond_the_law_or_twice_at_once() -> None:
    events = life().suspended
    order = np.lexsort((events["day"], events["pupil"]))
    pupil, day, days = (events[name][order] for name in ("pupil", "day", "days"))
    year = make_calendar(2).half_term[day] // 6
    total = np.bincount(pupil * 2 + year, days)
    assert total.max() <= LIMIT
    same = (np.diff(pupil) == 0) & (days[:-1] > 0) & (days[1:] > 0)
    assert (np.diff(day)[same] > 0).all()
    assert (np.diff(day)[same] >= days[:-1][same]).mean() > 0.99


def test_nothing_happens_to_pupils_who_have_left() -> None:
    events = life().suspended
    temporary = events["days"] > 0
    assert (events["day"] < life().exit_day[events["pupil"]])[temporary].all()
    excluded = events["pupil"][~temporary]
    assert len(np.unique(excluded)) == len(excluded)
    assert (life().reason[excluded] == "permanently_excluded").all()


def test_neet_is_as_published_and_grows_with_disengagement() -> None:
    made = population()
    rows = np.flatnonzero(made.first_group >= 7)
    away = made.disengagement_mean[rows]
    levels = destinations.neet_levels(made, rows, away, "england")
    chance = destinations.neet_chance(made, rows, away, levels)
    for sex, male in (("F", False), ("M", True)):
        mean = 100 * chance[made.male[rows] == male].mean()
        assert mean == pytest.approx(parameter(f"neet.16.{sex}"), rel=0.05)
    more = destinations.neet_chance(made, rows, away + 1, levels)
    assert (more >= chance).all()
