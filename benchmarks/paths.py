"""The paths of simulated pupils in every world, beside what is published of them.

``python benchmarks/paths.py --pupils 8000 --years 5 --las 2`` simulates LAs in each world and prints, per
path figure, the published value or the chosen range and the simulated value of each world. With 11 years or
more, the figures that follow pupils from primary school are measured too.
"""

from __future__ import annotations

import argparse
import sys

import pandas as pd

from riskmodel.simulate import WORLDS, measure_paths, published_paths, simulate


def of_world(world: str, pupils: int, years: int, las: int) -> pd.Series:
    """Return the figures of a world, counts added up over its LAs."""
    made = [
        measure_paths(simulate(pupils=pupils, years=years, seed=seed, world=world).tables)
        for seed in range(1, las + 1)
    ]
    part, whole = (sum(one[column] for one in made) for column in ("part", "whole"))
    return made[0]["factor"] * part / whole.where(whole > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=8_000)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--las", type=int, default=2)
    parser.add_argument("--world", nargs="+", choices=WORLDS, default=list(WORLDS))
    options = parser.parse_args()
    values = pd.DataFrame(
        {w: of_world(w, options.pupils, options.years, options.las) for w in options.world}
    )
    table = published_paths().loc[values.index, ["low", "high", "source"]].join(values)
    source = table.pop("source").str.partition(":")[0].str.split(" ").str[0]
    kind = source.map({"chosen": "chosen", "derived": "derived"}).fillna("published")
    table.insert(0, "range", kind)
    text = table.reset_index().to_string(index=False, float_format="{:.1f}".format)
    words = (
        f"SIMULATED DATA. {options.las} LAs of {options.pupils:,} pupils in each world, "
        f"{options.years} school years."
    )
    sys.stdout.write(f"{words}\n{text}\n")


if __name__ == "__main__":
    main()
