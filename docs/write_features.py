"""Write the data dictionary from the catalogue: ``python docs/write_features.py > docs/features.md``."""

from __future__ import annotations

import sys

from riskmodel.features import data_dictionary

DIRECTION = {1: "rises", -1: "falls", 0: "–"}

YES_OR_NO = {True: "yes", False: "no"}

HEAD = """# Every feature

{n} features, from the catalogue (`riskmodel.features.CATALOGUE`; this page: `python docs/write_features.py`).
A model chooses from 318: the nine from termly totals stand in for registers where there are none.
All are built from facts recorded before the day of the list. *Risk* says what the trees may assume: that risk
rises or falls with the feature, or nothing. *Change* says whether support could change it. *Reason* says
whether somebody can act on it or ask about it, so that it may be [a reason](reasons.md) by itself.
"""


def page() -> str:
    """Return the page.

    Returns
    -------
    str
        Markdown, one table per theme.
    """
    parts = [HEAD.format(n=len(data_dictionary()))]
    for theme, features in data_dictionary().groupby("theme", sort=False):
        parts += [f"\n## {str(theme).capitalize()} ({len(features)})\n",
                  "| feature | what it is | unit | looks back | from | risk | change | reason |",
                  "|---|---|---|---|---|---|---|---|"]  # fmt: skip
        parts += [
            f"| `{row.name}` | {row.label} | {row.unit} | {row.window or '–'} | {row.source} | "
            f"{DIRECTION[row.direction]} | {YES_OR_NO[row.can_change]} | {YES_OR_NO[row.may_be_reason]} |"
            for row in features.itertuples(index=False)
        ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
