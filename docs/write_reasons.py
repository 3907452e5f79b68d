"""Print the stories of three pupils of a simulated LA: ``python docs/write_reasons.py``.

Simulates an LA of 2,500 pupils, trains a model for permanent exclusion on it, and tells the first and the
tenth of its list and the next with a weak reason and a strength, and one pair of facts that act together.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riskmodel.cohort import default_as_of
from riskmodel.data.read import read
from riskmodel.explain import Story
from riskmodel.features import CATALOGUE
from riskmodel.jobs import Run, train
from riskmodel.simulate import write_simulated

CAPACITY = 100


def main() -> None:
    """Simulate, train, and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_simulated(folder / "extracts", pupils=2500, years=4, seed=3, preset="bcp")
        tables = read(folder / "extracts").tables
        made = train(folder / "extracts", Run("pex", tracking=f"sqlite:///{folder / 'mlflow.db'}"))
    day = default_as_of(tables, "pex")
    assessment = made.model.assess(tables, as_of=day, capacity=CAPACITY)
    told = assessment.story(tables=tables)
    pupils = told.reasons["pupil_id"].unique()
    scores = assessment.scores.set_index(assessment.scores["pupil_id"].astype("str"))
    lines = [f"SIMULATED DATA: no real child. Permanent exclusion, list of {day.day} {day:%B %Y}."]
    for place in (0, 9, _with_both(told, pupils)):
        pupil = pupils[place]
        row = scores.loc[pupil]
        lines += ["", f"Place {place + 1}: Year {row['year_group']}, risk about "
                  f"{1000 * row['risk']:.0f} in 1,000", told.text(pupil)]  # fmt: skip
    pairs = assessment.interactions([pupils[0]]).to_numpy(copy=True)
    np.fill_diagonal(pairs, 0.0)
    first, second = np.unravel_index(np.abs(pairs).argmax(), pairs.shape)
    labels = [
        CATALOGUE[str(assessment.explanation.features.columns[n])].label for n in (first, second)
    ]
    together = 2 * pairs[first, second]
    lines += ["", "The pair of facts that act together most for place 1, in log-odds beside what each does "
              f"alone: {together:+.2f} for '{labels[0]}' and '{labels[1]}'."]  # fmt: skip
    sys.stdout.write("\n".join(lines) + "\n")


def _with_both(told: Story, pupils: NDArray[np.object_]) -> int:
    """Return the place, after the tenth, of the first pupil with a weak reason and a strength."""
    reasons = told.reasons
    weak = set(reasons.loc[reasons["weak"].eq(True).fillna(False), "pupil_id"])
    strong = set(reasons.loc[reasons["direction"] == "protects", "pupil_id"])
    return next(n for n, pupil in enumerate(pupils) if n > 9 and pupil in weak & strong)


if __name__ == "__main__":
    main()
