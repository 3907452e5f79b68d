"""Published rates of the simulator: complete, sourced, and the same as those shown beside an LA."""

from __future__ import annotations

import pytest

from riskmodel.data.codes import code_set, codes
from riskmodel.simulate.attendance import PHASES
from riskmodel.simulate.marks import CODES_BEFORE, NEW_CODES_FROM, TILT, number_of
from riskmodel.simulate.parameters import (
    Preset,
    absence_bands,
    parameter,
    parameters_under,
    published,
)

PRESETS: tuple[Preset, ...] = ("england", "bcp")
UNDER = ["pex", "susp", "need", "ethnicity", "code.primary", "code.secondary", "fsm", "social"]


@pytest.mark.parametrize("name", ["male", "pex.secondary", "fsm.primary", "absence.special"])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_parameter_is_that_of_its_preset(name: str, preset: Preset) -> None:
    assert parameter(name, preset) == float(published().loc[name, preset])


@pytest.mark.parametrize("name", ["", "pex", "pex.", "absence.all", "Male"])
def test_a_parameter_that_there_is_not_is_named(name: str) -> None:
    with pytest.raises(KeyError, match=f"'{name}'"):
        parameter(name)


@pytest.mark.parametrize("prefix", UNDER)
@pytest.mark.parametrize("preset", PRESETS)
def test_parameters_under_a_prefix_are_those_whose_names_begin_with_it(
    prefix: str, preset: Preset
) -> None:
    found = parameters_under(prefix, preset)
    assert found
    for rest, value in found.items():
        assert value == parameter(f"{prefix}.{rest}", preset)
    expected = [name for name in published().index if name.startswith(f"{prefix}.")]
    assert [f"{prefix}.{rest}" for rest in found] == expected


@pytest.mark.parametrize("prefix", ["", "pe", "susp.", "nothing"])
def test_a_part_of_a_name_is_no_prefix(prefix: str) -> None:
    assert parameters_under(prefix) == {}


# the same published figure stands in both files
SAME = [
    ("pex.primary", "pex_primary"),
    ("pex.secondary", "pex_secondary"),
    ("pex.special", "pex_special"),
    ("susp.primary", "suspensions_primary"),
    ("susp.secondary", "suspensions_secondary"),
    ("susp.special", "suspensions_special"),
    ("one_susp.primary", "suspended_primary"),
    ("one_susp.secondary", "suspended_secondary"),
    ("absence.primary", "absence_primary"),
    ("absence.secondary", "absence_secondary"),
    ("absence.special", "absence_special"),
    ("unauthorised.secondary", "unauthorised_secondary"),
    ("persistent.primary", "persistent_primary"),
    ("persistent.secondary", "persistent_secondary"),
    ("persistent.special", "persistent_special"),
    ("severe.primary", "severe_primary"),
    ("severe.secondary", "severe_secondary"),
    ("severe.special", "severe_special"),
    ("sen_support", "sen_support"),
    ("ehc_plan", "ehc_plan"),
    ("fsm.primary", "fsm_primary"),
    ("fsm.secondary", "fsm_secondary"),
]


@pytest.mark.parametrize(("name", "code"), SAME)
def test_a_rate_of_the_simulator_is_the_one_shown_beside_an_authority(name: str, code: str) -> None:
    national = code_set("national").loc[code]
    assert parameter(name) == float(str(national["national"]))


@pytest.mark.parametrize("phase", ["primary", "secondary", "special"])
def test_half_days_on_a_part_time_timetable_are_those_shown_beside_an_authority(phase: str) -> None:
    shown = code_set("national")["national"].astype(float)
    assert round(parameter(f"code.{phase}.C2"), 2) == shown[f"part_time_{phase}"]
    offsite = sum(parameter(f"code.{phase}.{code}") for code in "BK")
    assert round(offsite, 2) == shown[f"offsite_{phase}"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("susp_per_suspended.primary", ("susp.primary", "one_susp.primary")),
        ("susp_per_suspended.secondary", ("susp.secondary", "one_susp.secondary")),
    ],
)
def test_a_derived_rate_follows_from_its_parts(name: str, parts: tuple[str, str]) -> None:
    above, below = map(parameter, parts)
    assert parameter(name) == round(above / below, 2)


@pytest.mark.parametrize(("prefix", "whole"), [("ethnicity", 102), ("need", 100)])
def test_shares_of_a_whole_are_of_known_codes_and_make_about_all_of_it(
    prefix: str, whole: float
) -> None:
    shares = parameters_under(prefix)
    known = {"ethnicity": codes("ethnicities"), "need": codes("needs")}[prefix]
    assert set(shares) <= set(known)
    # rounded, and without the rarest; shares of ethnic groups are made to add up where they are drawn
    assert 97 < sum(shares.values()) < whole


@pytest.mark.parametrize("event", ["susp", "pex"])
def test_reasons_are_codes_that_are_in_force(event: str) -> None:
    reasons = code_set("reasons")
    given = parameters_under(f"{event}.reason")
    assert set(given) <= set(reasons.index[reasons["to"] == ""])


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_has_bands_of_absence_for_each_group(phase: str) -> None:
    groups = {key: bands for key, bands in absence_bands().items() if key[0] == phase}
    traits = {key[1:] for key in groups}
    assert len(traits) == len(groups) == (4 if phase == "special" else 8)
    for bands in groups.values():
        assert bands.shape == (11,)
        assert (bands >= 0).all()
        assert bands.sum() == pytest.approx(100, abs=1)


@pytest.mark.parametrize("code", codes("marks"))
def test_a_code_of_the_register_has_a_number_from_one_on(code: str) -> None:
    assert codes("marks")[number_of(code) - 1] == code
    assert number_of(code) > 0


@pytest.mark.parametrize(("new", "old"), CODES_BEFORE.items())
def test_a_new_code_and_the_one_before_it_change_on_the_day_of_the_regulations(
    new: str, old: str
) -> None:
    marks = code_set("marks")
    assert marks.loc[new, "from"] == str(NEW_CODES_FROM)
    assert marks.loc[old, "from"] == ""
    # what was written before counts in the same family, or as another kind of attendance
    families = {marks.loc[code, "family"] for code in (new, old)}
    assert len(families) == 1


@pytest.mark.parametrize("code", TILT)
@pytest.mark.parametrize("phase", PHASES)
def test_every_kind_of_absence_has_a_share_in_each_phase(code: str, phase: str) -> None:
    assert code_set("marks").loc[code, "family"] in {"authorised", "unauthorised"}
    assert parameter(f"code.{phase}.{code}") > 0
