"""Places for children never suspended: what a reserve of the exclusion list finds, and what it costs.

``python -m benchmarks.emerging --scale wider --cache FOLDER`` takes a share of the places of the list of
permanent exclusion for children never suspended. The other places go to the highest risks as before. Each
candidate ranks the reserve: the recipe fitted to exclusion, to a first suspension, to an exit or to severe
absence. The recorded ceiling ranks it too: a booster taught the true risks of the never suspended.

A list is of an LA that nobody trained on. Figures are of true risks. All pupils are simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.recipe import SCALES, ours
from benchmarks.tasks import (
    Floats,
    La,
    ceiling_scores,
    kept,
    lists,
    make_all,
    never_suspended,
    training_rows,
)
from riskmodel.data.outcomes import outcome_of
from riskmodel.evaluation.capacity import is_listed, part_of_places
from riskmodel.simulate import WORLDS

EARLIER = tuple(name for name in outcome_of("pex").reserve_rankers if name != "pex")
"""Outcomes other than exclusion whose model may rank the reserve."""

SHARES = (0.0, 0.05, 0.1, 0.2)
"""Shares of the places that are reserved."""

CEILING, CHANCE = "recorded ceiling", "chance"


@dataclass(frozen=True)
class Ranked:
    """The list of an LA: its pupils, their true risks and what each candidate thinks of them."""

    pupils: pd.Series
    never: NDArray[np.bool_]
    known: Floats
    candidates: dict[str, Floats]
    truths: dict[str, Floats]

    def figures(self, share: float, candidate: str) -> dict[str, float]:
        """Return what the list holds with a reserve that a candidate ranks."""
        places = outcome_of("pex").usual_capacity(len(self.pupils))
        reserve = int(part_of_places(places, share))
        first = is_listed(self.known, self.pupils, places - reserve)
        open_to = np.where(self.never & ~first, self.candidates[candidate], -np.inf)
        second = is_listed(open_to, self.pupils, reserve)
        risk, listed = self.truths["pex"], first | second
        return {
            "whole": risk[listed].sum() / risk.sum(),
            "never": risk[listed & self.never].sum() / risk[self.never].sum(),
            **{f"{name} per place": sum(truth[second]) / max(reserve, 1)
               for name, truth in self.truths.items()},
        }  # fmt: skip


def ranked_lists(cache: Path, train: list[La], teach: list[La], test: list[La]) -> list[Ranked]:
    """Return the lists of the tested LAs with the scores of all candidates."""
    rows = lists(cache, "pex", test)
    known = ours(training_rows(cache, "pex", train), rows, {})
    scores = {"pex": known, CEILING: taught_of_never(cache, teach, rows)}
    scores |= {name: ours(training_rows(cache, name, train), rows, {}) for name in EARLIER}
    scores[CHANCE] = np.random.default_rng(0).random(len(rows))
    truths = {"pex": rows["_risk"].to_numpy()}
    truths |= {name: truth_of(lists(cache, name, test), rows) for name in EARLIER}
    return [
        Ranked(
            pupils=rows["_pupil"].iloc[index],
            never=never_suspended(rows.iloc[index]),
            known=known[index],
            candidates={name: score[index] for name, score in scores.items()},
            truths={name: risk[index] for name, risk in truths.items()},
        )
        for index in rows.groupby("_la").indices.values()
    ]


def taught_of_never(cache: Path, teach: list[La], rows: pd.DataFrame) -> Floats:
    """Return the scores of the recorded ceiling, taught the true risks of the never suspended alone."""
    return ceiling_scores(cache, "pex", teach, rows, of=never_suspended)


def truth_of(others: pd.DataFrame, rows: pd.DataFrame) -> Floats:
    """Return the true risk of another outcome of each row; 0 for a pupil whom its list does not hold."""
    risk = others.set_index("_pupil")["_risk"]
    return np.asarray(rows["_pupil"].map(risk).fillna(0.0), dtype=float)


def cell(
    cache: Path, world: str, train: list[La], teach: list[La], test: list[La]
) -> list[dict[str, Any]]:
    """Return the figures of every share and candidate on each list; from the cache where finished."""

    def work() -> list[dict[str, Any]]:
        return [
            {"world": world, "share": share, "candidate": candidate, "list": number,
             "train": train[0].seed, **one.figures(share, candidate)}
            for number, one in enumerate(ranked_lists(cache, train, teach, test))
            for share in SHARES
            for candidate in one.candidates
        ]  # fmt: skip

    parts = (("train", train), ("teach", teach), ("test", test))
    key = {"emerging": world, **{name: [vars(la) for la in las] for name, las in parts}}
    return list(kept(cache, key, work))


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return means over lists, with standard errors of the differences from a list without a reserve."""
    keys = ["world", "train", "list"]
    bare = table[(table["share"] == 0) & (table["candidate"] == "pex")].set_index(keys)
    with_reserve = table[table["share"] > 0].set_index(keys)
    for name in ("whole", "never"):
        with_reserve[f"{name}_gain"] = with_reserve[name] - bare[name].reindex(with_reserve.index)
    top = with_reserve[with_reserve["candidate"] == CEILING].set_index("share", append=True)[
        "never"
    ]
    by_share = with_reserve.set_index("share", append=True)
    by_share["of_ceiling"] = by_share["never"] / top.reindex(by_share.index)
    grouped = by_share.reset_index().groupby(["world", "share", "candidate"], sort=False)
    figures = [name for name in by_share if name != "candidate"]
    made = grouped[figures].mean()
    for name in ("whole_gain", "never_gain", "of_ceiling"):
        made.insert(list(made).index(name) + 1, f"{name}_se", grouped[name].sem())
    return made.reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=["small", "wider"], default="small")
    parser.add_argument("--world", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--cache", type=Path, help="folder that keeps rows and finished cells")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    scale, rows = SCALES[options.scale], []
    with tempfile.TemporaryDirectory() as temporary:
        cache = options.cache or Path(temporary)
        for world in options.world:
            teach, test = (
                [La(world, seed, scale.pupils) for seed in seeds]
                for seeds in (scale.teach, scale.test)
            )
            groups = [
                [La(world, seed, scale.pupils) for seed in seeds]
                for seeds in scale.train[scale.chosen_on]
            ]
            make_all([*teach, *test, *sum(groups, [])], cache, options.workers, ("pex", *EARLIER))
            for train in groups:
                rows += cell(cache, world, train, teach, test)
    made = summary(pd.DataFrame(rows))
    sys.stdout.write(
        "SIMULATED DATA. Lists of permanent exclusion with places for the never suspended\n"
    )
    show: dict[str, Any] = {"index": False, "float_format": "{:.3f}".format, "na_rep": ""}
    sys.stdout.write(made.to_string(**show) + "\n")
    sys.stdout.write(json.dumps({"rows": made.round(4).to_dict("records")}) + "\n")


if __name__ == "__main__":
    main()
