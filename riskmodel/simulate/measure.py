"""The simulated LA beside the published figures, one by one.

In:  tables of a simulated LA.
Out: per figure its target and two counts, whose ratio is the simulated value; counts of several LAs
or seeds add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.data.calendar import academic_year
from riskmodel.data.codes import code_set, codes
from riskmodel.data.tables import Tables
from riskmodel.simulate.attendance import trend
from riskmodel.simulate.behaviour import level_by_stage
from riskmodel.simulate.needs import NEEDS, sen_targets
from riskmodel.simulate.parameters import (
    Preset,
    absence_bands,
    parameter,
    parameters_under,
    published,
)
from riskmodel.simulate.population import TOP_SCHOOLS
from riskmodel.simulate.shapes import GROUPS

__all__ = ["measure", "summarise"]

PHASES = ("primary", "secondary", "special")

Row = tuple[str, float, float, float, float]
"""Figure, target, count, count that it is divided by, factor (100 for per cent)."""


def measure(tables: Tables, preset: Preset) -> pd.DataFrame:
    """Count what the published figures are about, in the last school year of the data.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    preset : str
        Whose levels were asked for.

    Returns
    -------
    DataFrame
        Index ``figure``; ``target``, ``part``, ``whole``, ``factor``: the value is
        ``factor * part / whole``.
    """
    pupils = _pupils(tables)
    rows = [
        *_population_figures(pupils, preset),
        *_exclusion_figures(tables, pupils, preset),
        *_event_figures(tables, pupils, preset),
        *_absence_figures(tables, pupils),
        *_destination_figures(tables, pupils, preset),
    ]
    columns = ["figure", "target", "part", "whole", "factor"]
    figures = pd.DataFrame(rows, columns=columns).set_index("figure")
    table = published()
    ours = table.index[table["england"] != table["bcp"]]
    # the inquiry published some figures of its LA; the others of England need not hold there
    chosen = table.index[table["source"].str.startswith("chosen")]
    return figures[~figures.index.isin(chosen) if preset == "england" else figures.index.isin(ours)]


def summarise(runs: list[pd.DataFrame]) -> pd.DataFrame:
    """Put several seeds side by side with the targets.

    Parameters
    ----------
    runs : list of DataFrame
        From :func:`measure`, one per seed.

    Returns
    -------
    DataFrame
        ``figure``, ``target``, ``simulated`` (mean over seeds), ``low``, ``high`` (95% interval of
        the mean by Student's t; missing for one seed), ``off`` (relative), ``within`` (±10%, or
        ±0.05 for figures under 0.5).
    """
    values = pd.concat(
        [run["factor"] * run["part"] / run["whole"].where(run["whole"] > 0) for run in runs], axis=1
    )
    target, mean, n = runs[0]["target"], values.mean(axis=1), len(runs)
    margin = pd.Series(np.nan, index=target.index)
    if n > 1:
        from scipy.stats import t

        margin = t.ppf(0.975, n - 1) * values.std(axis=1, ddof=1) / np.sqrt(n)
    gap = mean - target
    within = (gap.abs() <= 0.1 * target) | ((target < 0.5) & (gap.abs() <= 0.05))
    return pd.DataFrame(
        {"target": target, "simulated": mean, "low": mean - margin, "high": mean + margin,
         "off": gap / target, "within": within}
    ).reset_index()  # fmt: skip


def _pupils(tables: Tables) -> pd.DataFrame:
    """Return one row per pupil: year group, phase, and what they were in the last school year."""
    last = tables["calendar"]["date"].max()
    year = int(academic_year(pd.Series([last])).iloc[0])
    census, march = pd.Timestamp(year + 1, 1, 15), pd.Timestamp(year + 1, 3, 31)
    who = tables["pupils"].set_index("pupil_id")
    n = len(who)
    frame = pd.DataFrame({"male": (who["sex"] == "M").to_numpy(), "year": year}, index=who.index)
    frame["ethnicity"] = who["ethnicity"].to_numpy()
    frame["english"] = (who["first_language"] == "ENG").to_numpy()
    rolls = tables["enrolments"].merge(
        tables["schools"][["school_id", "kind"]].astype({"school_id": "str"}), on="school_id"
    )
    rolls = rolls[
        (rolls["entry_date"] <= pd.Timestamp(year + 1, 7, 31))
        & ~(rolls["leaving_date"] < pd.Timestamp(year, 9, 1))
    ]
    number = rolls["pupil_id"].cat.codes.to_numpy()
    group = rolls["year_group"].to_numpy() + year - academic_year(rolls["entry_date"]).to_numpy(int)
    stage, on_roll = np.full(n, -1), np.zeros(n, dtype=bool)
    mainstream = (rolls["kind"] != "AP").to_numpy()
    special = (rolls["kind"] == "special").to_numpy()
    stage[number[mainstream]] = np.where(special, GROUPS, group)[mainstream]
    now = (
        mainstream
        & ((rolls["entry_date"] <= census) & ~(rolls["leaving_date"] < census)).to_numpy()
    )
    on_roll[number[now]] = True
    frame["group"] = -1
    frame.iloc[number, frame.columns.get_loc("group")] = group  # type: ignore[index]
    frame["stage"] = stage
    frame["phase"] = np.select([stage == GROUPS, stage >= 7, stage >= 0], [2, 1, 0], -1)
    frame["on_roll"] = on_roll & (stage >= 0)
    for name, day in (("child_in_need", march), ("child_protection", march), ("looked_after", march),
                      ("fsm", census)):  # fmt: skip
        spells = tables["circumstances"]
        frame[name] = _at(spells[spells["kind"] == name], day, n)
    for letter in ("K", "E"):
        spells = tables["send"]
        frame[letter] = _at(spells[spells["provision"] == letter], census, n)
    known = tables["send"].drop_duplicates("pupil_id", keep="last")
    frame["need"] = ""
    frame.loc[known["pupil_id"], "need"] = known["primary_need"].astype("str").to_numpy()
    return frame


def _at(spells: pd.DataFrame, day: pd.Timestamp, n: int) -> NDArray[np.bool_]:
    now = ((spells["start_date"] <= day) & ~(spells["end_date"] < day)).to_numpy()
    made = np.zeros(n, dtype=bool)
    made[spells["pupil_id"].cat.codes.to_numpy()[now]] = True
    return made


def _population_figures(pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    here = pupils[pupils["on_roll"]]
    for number, phase in enumerate(PHASES[:2]):
        part = here[here["phase"] == number]
        yield (f"fsm.{phase}", parameter(f"fsm.{phase}", preset), part["fsm"].sum(), len(part), 100)
    english = (
        parameter("english_additional.primary") + parameter("english_additional.secondary")
    ) / 2
    yield ("english_additional", english, (~here["english"]).sum(), len(here), 100)
    for name, letter in (("sen_support", "K"), ("ehc_plan", "E")):
        yield (name, parameter(name, preset), here[letter].sum(), len(here), 100)
        part = here[here[letter]]
        if name == "ehc_plan":
            yield (
                "ehc_share.male",
                parameter("ehc_share.male"),
                part["male"].sum(),
                len(part),
                100,
            )
            if preset == "england":
                yield (
                    "ehc_share.fsm",
                    parameter("ehc_share.fsm"),
                    part["fsm"].sum(),
                    len(part),
                    100,
                )
    any_sen, _ = sen_targets(preset)
    meals = here["fsm"].mean()
    for sex in ("F", "M"):
        for group in (1, 3, 6, 7, 9, 11):
            part = here[(here["male"] == (sex == "M")) & (here["group"] == group)]
            cells = any_sen[2 * (sex == "M") : 2 * (sex == "M") + 2, group]
            target = 100 * float(cells @ np.array([1 - meals, meals]))
            yield (f"sen_year.{sex}.{group}", target, (part["K"] | part["E"]).sum(), len(part), 100)
    with_sen = here[here["K"] | here["E"]]
    shares = parameters_under("need")
    for code in ("MLD", "SLCN", "SEMH", "SPLD", "ASD"):
        target = 100 * shares[code] / sum(shares.values())
        yield (f"need.{code}", target, (with_sen["need"] == code).sum(), len(with_sen), 100)
    care = here["child_in_need"] | here["child_protection"] | here["looked_after"]
    yield ("social.child_in_need", parameter("social.child_in_need"), care.sum(), len(here), 100)
    for kind in ("child_protection", "looked_after"):
        yield (f"social.{kind}", parameter(f"social.{kind}"), here[kind].sum(), len(here), 100)
    if preset == "england":
        yield ("social.fsm", parameter("social.fsm"), here["fsm"][care].sum(), care.sum(), 100)
    yield ("special", parameter("special"), (here["phase"] == 2).sum(), len(here), 100)


def _exclusion_figures(tables: Tables, pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    facts = tables["suspensions"]
    facts = facts[(academic_year(facts["start_date"]) == pupils["year"].iloc[0]).to_numpy()]
    counts = {}
    for event, category in (("susp", "SUSP"), ("pex", "PERM")):
        who = facts.loc[(facts["category"] == category).to_numpy(), "pupil_id"]
        counts[event] = np.bincount(who.cat.codes, minlength=len(pupils))
    stage = pupils["stage"].to_numpy()
    size = np.bincount(stage[pupils["on_roll"]], minlength=GROUPS + 1)
    for event, count in counts.items():
        for number, phase in enumerate(PHASES):
            here = (pupils["phase"] == number).to_numpy()
            on_roll = int((here & pupils["on_roll"]).sum())
            yield (
                f"{event}.{phase}",
                parameter(f"{event}.{phase}", preset),
                count[here].sum(),
                on_roll,
                100,
            )
        level = level_by_stage(event, preset)  # type: ignore[arg-type]
        for group in range(1, GROUPS) if event == "susp" else range(7, GROUPS):
            here = stage == group
            yield (f"{event}.year.{group}", 100 * level[group], count[here].sum(), size[group], 100)
        mine = stage >= 0
        total = count[mine].sum()
        ratio = parameter(f"{event}.ratio.male")
        male = parameter("male") / 100
        boys = 100 * ratio * male / (ratio * male + 1 - male)
        yield (f"{event}.share.male", boys, count[mine & pupils["male"]].sum(), total, 100)
        if preset == "england":
            yield (
                f"{event}.share.fsm",
                parameter(f"{event}.share.fsm"),
                count[mine & pupils["fsm"]].sum(),
                total,
                100,
            )
            for name, letter in (("sen_support", "K"), ("ehc_plan", "E")):
                yield (
                    f"{event}.share.{name}",
                    parameter(f"{event}.share.{name}"),
                    count[mine & pupils[letter]].sum(),
                    total,
                    100,
                )
        yield from _composition(event, count, pupils, mine)
    for number, phase in enumerate(PHASES[:2]):
        here = (pupils["phase"] == number).to_numpy()
        suspended = int((counts["susp"][here] > 0).sum())
        on_roll = int((here & pupils["on_roll"]).sum())
        if preset == "england":
            yield (f"one_susp.{phase}", parameter(f"one_susp.{phase}"), suspended, on_roll, 100)
            yield (
                f"susp_per_suspended.{phase}",
                parameter(f"susp_per_suspended.{phase}"),
                counts["susp"][here].sum(),
                suspended,
                1,
            )


def _composition(
    event: str, count: NDArray[np.int64], pupils: pd.DataFrame, mine: NDArray[np.bool_]
) -> Iterator[Row]:
    """Count events by type of need and ethnicity; targets by published rates and who there is."""
    here = pupils["on_roll"].to_numpy()
    with_sen = (pupils["K"] | pupils["E"]).to_numpy()
    for name, column, groups, inside, shown in (
        ("need", pupils["need"], NEEDS, with_sen, ("SEMH", "MLD", "SLCN", "ASD")),
        ("ethnicity", pupils["ethnicity"], tuple(parameters_under("ethnicity")), mine,
         ("WBRI", "WOTH", "MWBC", "APKN", "BAFR", "BCRB") if event == "susp" else ("WBRI",)),
    ):  # fmt: skip
        rates = parameters_under(f"{event}.{name}")
        there = {code: int((here & inside & (column == code)).sum()) for code in groups}
        whole = sum(there[code] * rates[code] for code in groups)
        for code in shown:
            target = 100 * there[code] * rates[code] / whole if whole else np.nan
            part = count[inside & mine & (column == code)].sum()
            yield (f"{event}.share.{code}", target, part, count[inside & mine].sum(), 100)
    if event == "pex":
        care = (
            pupils["child_in_need"] | pupils["child_protection"] | pupils["looked_after"]
        ).to_numpy()
        yield (
            "pex.child_in_need",
            1.03 * parameter("pex.secondary") / 0.253,
            count[mine & care].sum(),
            (here & care).sum(),
            100,
        )


def _event_figures(tables: Tables, pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    facts = tables["suspensions"]
    facts = facts[(academic_year(facts["start_date"]) == pupils["year"].iloc[0]).to_numpy()]
    autumn = facts["start_date"].dt.month >= 9
    for event, category in (("susp", "SUSP"), ("pex", "PERM")):
        mine = facts["category"] == category
        yield (
            f"{event}.share.autumn",
            parameter(f"{event}.share.autumn"),
            (mine & autumn).sum(),
            mine.sum(),
            100,
        )
        given = [facts.loc[mine, f"reason_{i}"] for i in (1, 2, 3)]
        total = sum(int(reason.notna().sum()) for reason in given)
        for code in ("DB", "VA", "PP") if event == "susp" else ("DB", "DA"):
            target = _reason(event, code, preset)
            yield (
                f"{event}.reason.{code}",
                target,
                sum(int((r == code).sum()) for r in given),
                total,
                100,
            )
    days = facts.loc[facts["category"] == "SUSP", "sessions"] / 2
    for length, target in parameters_under("susp.length").items():
        if length != "10":
            yield (f"susp.length.{length}", target, (days == float(length)).sum(), len(days), 100)
    secondary = tables["schools"].loc[
        (tables["schools"]["phase"] == "secondary").to_numpy(), ["school_id", "local_authority"]
    ]
    if len(secondary) >= 20:
        for event, category in (("susp", "SUSP"), ("pex", "PERM")):
            mine = facts[facts["category"] == category]["school_id"].value_counts()
            by_school = secondary.assign(n=secondary["school_id"].map(mine).fillna(0))
            top = in_all = 0.0
            for _, part in by_school.groupby("local_authority"):
                top += part["n"].nlargest(round(TOP_SCHOOLS * len(part))).sum()
                in_all += part["n"].sum()
            yield (
                f"top_schools.{event}",
                parameter(f"top_schools.{event}", preset),
                top,
                in_all,
                100,
            )


def _reason(event: str, code: str, preset: Preset) -> float:
    from riskmodel.simulate.records import shares_of_all_reasons

    shares = shares_of_all_reasons(event, preset)
    return 100 * shares[code] / sum(shares.values())


def _absence_figures(tables: Tables, pupils: pd.DataFrame) -> Iterator[Row]:
    sessions, year = tables["sessions"], int(pupils["year"].iloc[0])
    since = pd.Timestamp(year, 9, 1)
    inside = (sessions["date"] >= since).to_numpy()
    who = sessions["pupil_id"].cat.codes.to_numpy()[inside].astype(np.int64)
    n_codes = len(codes("marks"))
    table = np.bincount(
        who * n_codes + sessions["mark"].cat.codes.to_numpy()[inside],
        minlength=len(pupils) * n_codes,
    ).reshape(len(pupils), n_codes)
    family = code_set("marks")["family"].loc[list(codes("marks"))].to_numpy()
    unauthorised = table[:, family == "unauthorised"].sum(axis=1)
    absent = unauthorised + table[:, family == "authorised"].sum(axis=1)
    possible = absent + table[:, np.isin(family, ["present", "approved_activity"])].sum(axis=1)
    share = absent / np.maximum(possible, 1)
    for number, phase in enumerate(PHASES):
        here = (pupils["phase"] == number).to_numpy() & (possible > 0)
        yield (
            f"absence.{phase}",
            parameter(f"absence.{phase}"),
            absent[here].sum(),
            possible[here].sum(),
            100,
        )
        yield (
            f"persistent.{phase}",
            parameter(f"persistent.{phase}"),
            (share[here] >= 0.1).sum(),
            here.sum(),
            100,
        )
        yield (
            f"severe.{phase}",
            parameter(f"severe.{phase}"),
            (share[here] >= 0.5).sum(),
            here.sum(),
            100,
        )
        if phase == "secondary":
            yield (
                "unauthorised.secondary",
                parameter("unauthorised.secondary"),
                unauthorised[here].sum(),
                possible[here].sum(),
                100,
            )
        published = parameters_under(f"code.{phase}")
        for code in ("L", "I", "M", "O", "G", "C2", "E") if number < 2 else ("I", "O"):
            part = table[here, codes("marks").index(code)].sum()
            yield (f"code.{phase}.{code}", published[code], part, possible[here].sum(), 100)
    yield from _joint_figures(pupils, share, possible)
    for kind in ("child_in_need", "child_protection", "looked_after"):
        here = pupils[kind].to_numpy() & (possible > 0) & (pupils["stage"] >= 0).to_numpy()
        if kind == "child_in_need":  # all children in need: on plans and looked after too
            others = pupils["child_protection"] | pupils["looked_after"]
            here |= others.to_numpy() & (possible > 0) & (pupils["stage"] >= 0).to_numpy()
        yield (
            f"absence.{kind}",
            parameter(f"absence.{kind}"),
            absent[here].sum(),
            possible[here].sum(),
            100,
        )


def _joint_figures(
    pupils: pd.DataFrame, share: NDArray[np.float64], possible: NDArray[np.int64]
) -> Iterator[Row]:
    """Count persistent absence by phase, meals, SEN and sex: bands of 2022/23 at the latest level."""
    sen = (pupils["K"] | pupils["E"]).to_numpy()
    for (phase, *traits), bands in absence_bands().items():
        if phase == "special":
            continue
        here = (
            (pupils["phase"] == PHASES.index(phase)) & (pupils["fsm"] == bool(traits[0]))
            & (sen == bool(traits[1])) & (pupils["male"] == bool(traits[2]))
        ).to_numpy() & (possible > 0)  # fmt: skip
        shift, stretch = trend(phase)
        then = norm.ppf(bands[:2].sum() / bands.sum())
        target = 100 * norm.sf((then - shift) / stretch)
        words = f"{'meals' if traits[0] else 'no_meals'}.{'sen' if traits[1] else 'no_sen'}"
        sex = "M" if traits[2] else "F"
        yield (
            f"persistent.{phase}.{words}.{sex}",
            float(target),
            (share[here] >= 0.1).sum(),
            here.sum(),
            100,
        )


def _destination_figures(tables: Tables, pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    facts: Any = tables["destinations"]
    winter = facts[facts["confirmed_on"].dt.month.isin([12, 1, 2])]
    who = winter["pupil_id"].cat.codes.to_numpy()
    code = winter["activity_code"].astype("str")
    months = np.bincount(who, minlength=len(pupils))
    neet = np.bincount(who[(code == "619").to_numpy()], minlength=len(pupils)) >= 2
    unknown = np.bincount(who[(code == "810").to_numpy()], minlength=len(pupils)) >= 2
    left = months > 0
    male = pupils["male"].to_numpy()
    for sex in ("F", "M"):
        here = left & (male == (sex == "M"))
        yield (
            f"neet.16.{sex}",
            parameter(f"neet.16.{sex}", preset),
            neet[here].sum(),
            here.sum(),
            100,
        )
        yield (
            f"not_known.16.{sex}",
            parameter(f"not_known.16.{sex}", preset),
            unknown[here].sum(),
            here.sum(),
            100,
        )
    rates = parameters_under("neet_or_not_known")
    provision = tables["send"]
    july = pd.Timestamp(int(pupils["year"].iloc[0]), 6, 1)
    support = _at(provision[provision["provision"] == "K"], july, len(pupils))
    plan = _at(provision[provision["provision"] == "E"], july, len(pupils))
    for name, group in (("none", ~support & ~plan), ("sen_support", support), ("ehc_plan", plan)):
        # NEET only: the share not known is published for all groups together
        level = np.mean([parameter(f"neet.16.{sex}", preset) for sex in ("F", "M")])
        mix = {
            "none": (~support & ~plan)[left].mean(),
            "sen_support": support[left].mean(),
            "ehc_plan": plan[left].mean(),
        }
        target = level * rates[name] / sum(rates[k] * v for k, v in mix.items())
        yield (f"neet.{name}", float(target), neet[left & group].sum(), (left & group).sum(), 100)
