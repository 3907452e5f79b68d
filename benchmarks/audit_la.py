"""The audit of a simulated LA: the verdicts where the true rates are known to be unequal.

``python benchmarks/audit_la.py``: simulates 12,000 pupils, trains the model for exclusion and prints its
audit, with today's practice, what scores are made of by group, and the features that stand in for a
group; then measures remedies on the cohort of one day for NEET. All pupils are simulated, so nothing is
suppressed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import riskmodel
from riskmodel.cohort import default_as_of
from riskmodel.data.read import Extract, read
from riskmodel.fairness import compare_remedies, contribution_gaps, groups_at, proxies
from riskmodel.features import CATALOGUE
from riskmodel.jobs import Run, train
from riskmodel.simulate import write_simulated

PROTECTED = ["sex", "ethnicity", "ethnicity_detailed", "first_language"]


def show(title: str, table: pd.DataFrame, columns: list[str] | None = None) -> None:
    print(f"\n{title}\n{table[columns or list(table)].round(3).to_string(index=False)}")


def tally(table: pd.DataFrame, by: str) -> pd.DataFrame:
    return table.groupby([by, "verdict"]).size().unstack(fill_value=0).reset_index()


def audit_pex(extract: Extract, folder: Path) -> None:
    """Train, then print the audits of model and list."""
    made = train(extract, Run("pex", tracking=f"sqlite:///{folder}/mlflow.db"))
    counts = made.audit.groups.assign(rate=lambda t: t["positives"] / t["rows"])
    show("Outcomes by group (5 pupils with the outcome or more)",
         counts[counts["pupils_with_outcome"] >= 5],
         ["characteristic", "group", "pupils", "pupils_with_outcome", "rate"])  # fmt: skip
    cells, practice = made.audit.measures, made.audit.practice
    show("Verdicts on the model", tally(cells, "measure"))
    few = ["pupils", "value", "low", "high", "others"]
    show("Disparities", cells[cells["verdict"] == "disparity"],
         ["characteristic", "group", "measure", *few, "p_value"])  # fmt: skip
    three = cells["characteristic"].isin(["sex", "ethnicity", "fsm"])
    show("Recall and the gap that could have been seen, three characteristics",
         cells[(cells["measure"] == "recall") & three], ["group", *few, "detectable", "verdict"])  # fmt: skip
    show("Today's practice against the model", tally(practice, "ranker"))
    show("Gaps that changed", practice[practice["verdict"].isin(["narrower", "wider"])],
         ["ranker", "characteristic", "group", "gap_before", "gap", "p_value", "verdict"])  # fmt: skip
    day = default_as_of(extract.tables, "pex")
    capacity = made.backtest.counts["capacity"]
    audit_latest(extract, made.model.assess(extract.tables, as_of=day, capacity=capacity))


def audit_latest(extract: Extract, assessment: riskmodel.Assessment) -> None:
    """Print who is on the list of the last day, and why."""
    listed = assessment.audit.frame()
    show("This list: disparities in selection", listed[listed["verdict"] == "disparity"],
         ["characteristic", "group", "n", "listed", "share_of_cohort", "share_of_listed",
          "share_of_expected"])  # fmt: skip
    spine = assessment.scores.assign(as_of=assessment.as_of)
    groups = groups_at(extract.tables, spine)[PROTECTED]
    themes = {name: CATALOGUE[name].theme for name in assessment.explanation.features}
    gaps = contribution_gaps(
        assessment.explanation.contributions, groups[["sex", "ethnicity"]], themes=themes
    )
    largest = gaps.groupby(["characteristic", "group"], sort=False).head(1)
    show("Log-odds by theme, group minus all others, the largest of each group",
         largest.drop(columns=["mean", "others"]))  # fmt: skip
    show("Strongest proxies", proxies(assessment.explanation.features, groups, strongest=1))


def remedy_neet(extract: Extract) -> None:
    """Measure remedies for the recall gap by free school meals, with a logistic regression."""
    tables = extract.tables
    today = default_as_of(tables, "neet")
    days = riskmodel.snapshots(tables, "neet", before=today)
    spine = riskmodel.build_spine(tables, days, "neet")
    label = riskmodel.label(tables, spine, "neet", known_by=today)["label"]
    per_day = label.groupby(spine["as_of"]).sum()
    best = ((spine["as_of"] == per_day.idxmax()) & label.notna()).to_numpy()
    spine, y = spine[best].reset_index(drop=True), label[best].to_numpy(float)
    X = riskmodel.build(tables, spine)
    X = X.loc[:, X.notna().any() & (X.nunique() > 1)]
    group = groups_at(tables, spine)["fsm"]

    def fit(X: pd.DataFrame, y: np.ndarray, sample_weight: np.ndarray) -> np.ndarray:
        risk = np.zeros(len(y))
        for learn, test in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):
            steps = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(C=0.01))
            steps.fit(
                X.iloc[learn], y[learn], logisticregression__sample_weight=sample_weight[learn]
            )
            risk[test] = steps.predict_proba(X.iloc[test])[:, 1]
        return risk

    strong = proxies(X, pd.DataFrame({"fsm": group}), strongest=8)["feature"].unique()[:8]
    made = compare_remedies(X, y, group, fit, capacity=len(y) // 10, drop=list(strong), coarsen=[])
    table = made.frame().assign(remedy=lambda t: t["remedy"].str.slice(0, 40))
    show(f"Remedies for the gap in recall by free school meals: NEET, {len(y):,} pupils, {y.sum():.0f} with "
         f"the outcome, {made.capacity} listed; 'without' leaves out the 8 strongest proxies",
         table.assign(caution=table["caution"].str.slice(0, 37)))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=12_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_simulated(folder / "la", pupils=options.pupils, years=4, seed=0)
        extract = read(folder / "la")
        audit_pex(extract, folder)
        remedy_neet(extract)


if __name__ == "__main__":
    main()
