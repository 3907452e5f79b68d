"""Write the page on outcomes from their entries: ``python docs/write_outcomes.py > docs/outcomes.md``."""

from __future__ import annotations

import sys

from riskmodel.data.outcomes import OUTCOMES, Outcome

HEAD = """# Every outcome

What a list can be made for: `--outcome` takes the names below. From `riskmodel.data.outcomes`; this page:
`python docs/write_outcomes.py`. Each training tests its lists on earlier days, beside the same simple
rankings, and audits and explains them alike. How good such lists are on simulated LAs is on a page for
`pex` and `neet` alone ([performance](performance.md#the-recipe)). For `neet-post16` only the cohort of 1993
was measured; for the other four no figures are printed yet. Of a list for `first-suspension`, suspensions
last year are 0 for everybody.

| name | the risk of … | year groups | places, where none are given |
|---|---|---|---|"""

AFTER = """
Permanent exclusion is one way out of mainstream among several, and rare. `exit` asks for all of them
together; how a pupil was lost shows in `riskmodel.labelling.exits.first_exits`. `first-suspension` and
`severe-absence` ask earlier, of children in whom nothing has shown yet. `not-known` is a list for tracking:
whom to keep in touch with before the winter check.

The simulator gives [true risks](simulator.md#what-can-be-known) of all but `neet-post16`. A list for
`pex` may keep places for children never suspended, ranked by the risk of another of these outcomes
([settings](settings.md#places-for-emerging-concern)).
"""

WHOM = {
    "never suspended": "pupils who were never suspended before the day, lunchtimes included.",
    "in mainstream": (
        "pupils on the roll of a mainstream school, or of one of unknown kind, who are not in alternative "
        "provision or home education."
    ),
    "not severely absent": "pupils who are not known to have missed half or more of the 12 months before.",
}


def years(one: Outcome) -> str:
    """Return the year groups in words."""
    first, last = one.year_groups
    return f"Years {first} to {last}"


def row(one: Outcome) -> str:
    """Return the row of an outcome."""
    return (
        f"| [`{one.name}`](#{one.name}) | {one.words} | {years(one)} | {one.capacity_share:.0%} |"
    )


def part(one: Outcome) -> str:
    """Return the part of an outcome."""
    needed = ", ".join(f"`{name}`" for name in one.label_tables)
    more = ", ".join(f"`{name}`" for name in one.label_tables_if_there)
    whom = f"On the list: {WHOM[one.cohort_rule]}" if one.cohort_rule else ""
    comes = f"The label comes from {needed}" + (
        f", and from {more} where they are there." if more else "."
    )
    return "\n".join([f"\n## {one.name}\n", *filter(None, [one.policy, whom, one.note, comes])])


def page() -> str:
    """Return the page.

    Returns
    -------
    str
        Markdown, one section per outcome.
    """
    ones = OUTCOMES.values()
    return "\n".join([HEAD, *map(row, ones), AFTER, *map(part, ones)]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
