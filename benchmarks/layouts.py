"""One LA read from its tables and from its returns: how far the lists agree.

``python benchmarks/layouts.py [--pupils 6000]``: simulate both layouts of one LA, train on the tables,
list the same day from either, and print what differs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd

from riskmodel.data.identity import load_key, pseudonyms
from riskmodel.data.read import read
from riskmodel.jobs import Run, train
from riskmodel.simulate import write_simulated, write_simulated_returns

DAY = pd.Timestamp("2025-01-01")


def names_of(returns: Path, key_file: Path) -> pd.Series:
    """Return pseudonym → simulated pupil_id; the simulated forename holds the pupil's number."""
    tables = [pd.read_csv(path, dtype="str") for path in returns.glob("census/*/pupil*onroll.csv")]
    named = pd.concat(tables).drop_duplicates("upn")
    number = named["forename"].str.removeprefix("Pupil").astype(int)
    names = pseudonyms(named["upn"], load_key(key_file))
    return pd.Series([f"P{n:07d}" for n in number], index=names.to_numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=6000)
    parser.add_argument("--capacity", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        key = base / "key"
        write_simulated(base / "tables", pupils=options.pupils, seed=1, preset="bcp")
        write_simulated_returns(base / "returns", pupils=options.pupils, seed=1, preset="bcp")
        model = train(base / "tables", Run("pex", tracking=f"sqlite:///{base / 'mlflow.db'}")).model
        scores, features = {}, {}
        for layout in ("tables", "returns"):
            tables = read(base / layout, key_file=key).tables
            made = model.assess(tables, as_of=DAY, capacity=options.capacity)
            ids = made.scores["pupil_id"].astype("str")
            ids = ids.map(names_of(base / "returns", key)) if layout == "returns" else ids
            scores[layout] = pd.Series(made.scores["risk"].to_numpy(), index=ids)
            features[layout] = made.explanation.features.set_axis(ids)
    both = scores["tables"].index.intersection(scores["returns"].index)
    top = {name: set(risk.nlargest(options.capacity).index) for name, risk in scores.items()}
    shared = len(top["tables"] & top["returns"])
    rank = scores["tables"][both].corr(scores["returns"][both], method="spearman")
    sys.stdout.write(
        f"SIMULATED DATA. Cohort of {DAY:%Y-%m-%d}: {len(scores['tables']):,} pupils from tables, "
        f"{len(scores['returns']):,} from returns, {len(both):,} in both.\n"
        f"Of the {options.capacity} highest risks {shared} are the same; rank correlation {rank:.3f}.\n"
        "Features that differ for most pupils (share of pupils in both with another value):\n"
    )
    a, b = (features[name].loc[both] for name in ("tables", "returns"))
    differ = ((a - b).abs() > 1e-4) | (a.isna() != b.isna())
    sys.stdout.write(
        differ.mean().sort_values(ascending=False).head(15).to_string(float_format="{:.3f}".format)
    )
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
