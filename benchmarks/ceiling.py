"""The recorded ceiling: how well recorded facts can rank at best, as the LAs that teach it grow in number.

``python -m benchmarks.ceiling --las 20 --pupils 50000 --cache FOLDER --out docs`` teaches a flexible booster
the true risks of 1, 2, 5 … LAs of a world, and ranks the lists of LAs that it was not taught. The oracle
knows the latent state. The ceiling is what the booster reaches with the most LAs. Finished cells are kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.tasks import OUTCOMES, La, ceiling_scores, judge, kept, lists, make_all
from riskmodel.simulate import WORLDS

N_TEST = 4
STEPS = (1, 2, 5, 10, 20, 40)


def curve(cache: Path, outcome: str, las: list[La]) -> pd.DataFrame:
    """Return the learning curve of a world, on the lists of its last LAs; 0 LAs is the oracle."""
    test, rows = las[-N_TEST:], []
    for size in (0, *(step for step in STEPS if step <= len(las) - N_TEST)):
        key = {
            "ceiling": outcome,
            "test": [vars(la) for la in test],
            "teach": [vars(la) for la in las[:size]],
        }
        figures = pd.DataFrame(
            kept(cache, key, lambda n=size: _figures(cache, outcome, las[:n], test))
        )  # type: ignore[misc]
        rows.append({"outcome": outcome, "world": las[0].world, "las": size,
                     "average_precision": figures["average_precision"].mean(),
                     "standard_error": figures["average_precision"].sem(),
                     "recall_at_capacity": figures["recall"].mean(),
                     "never_suspended": figures["never"].mean()})  # fmt: skip
        sys.stderr.write(f"{outcome}, {las[0].world}: taught by {size} LAs\n")
    return pd.DataFrame(rows)


def _figures(cache: Path, outcome: str, teach: list[La], test: list[La]) -> list[dict[str, Any]]:
    """Return the figures on each tested list, of the oracle where nobody teaches."""
    ranked = lists(cache, outcome, test)
    score = ceiling_scores(cache, outcome, teach, ranked) if teach else ranked["_risk"].to_numpy()
    return judge(ranked, score, outcome).to_dict("records")


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw the learning curves, one line per world; dotted: the oracle's mean over worlds."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharex=True)
    words = {"pex": "Permanent exclusion", "neet": "NEET"}
    for axis, (outcome, rows) in zip(axes, table.groupby("outcome", sort=False), strict=True):
        for world, line in rows[rows["las"] > 0].groupby("world", sort=False):
            axis.plot(line["las"], line["average_precision"], marker="o", label=world)
        oracle = rows.loc[rows["las"] == 0, "average_precision"].mean()
        axis.axhline(oracle, color="black", linestyle=":", label="oracle (latent state known)")
        sizes = sorted(set(rows["las"]) - {0})
        axis.set(xscale="log", title=words[str(outcome)], xlabel="LAs that teach", ylim=(0, None))
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
    axes[0].set_ylabel("expected average precision")
    axes[0].legend(frameon=False, fontsize=8)
    figure.suptitle("Simulated data: what recorded facts allow", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--las", type=int, default=5, help="LAs that teach, at most")
    parser.add_argument("--pupils", type=int, default=4_000)
    parser.add_argument("--world", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--cache", type=Path, help="folder that keeps rows and finished cells")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    start, seeds = time.perf_counter(), range(1, options.las + N_TEST + 1)
    with tempfile.TemporaryDirectory() as temporary:
        cache = options.cache or Path(temporary)
        las = {w: [La(w, seed, options.pupils) for seed in seeds] for w in options.world}
        make_all([la for some in las.values() for la in some], cache, options.workers)
        table = pd.concat(
            [curve(cache, outcome, some) for outcome in OUTCOMES for some in las.values()]
        )
    text = table.to_string(index=False, float_format="{:.3f}".format, na_rep="")
    words = (
        f"SIMULATED DATA. LAs of {options.pupils:,} pupils, lists of 2024-06-01 of {N_TEST} LAs in each "
        f"world that taught nobody; figures of true risks; {time.perf_counter() - start:.0f} s."
    )
    sys.stdout.write(f"{words}\n{text}\n")
    if options.out:
        (options.out / "ceiling.txt").write_text(f"{words}\n\n{text}\n", encoding="utf-8")
        draw(table, options.out / "ceiling.svg")


if __name__ == "__main__":
    main()
