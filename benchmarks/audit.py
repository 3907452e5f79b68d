"""An audit of 15 crossed groups beside fairlearn's MetricFrame, and two failures of public tools.

``python benchmarks/audit.py --scale full``: 11,000 pupils, four measures; ours with 2,000 resamples,
fairlearn with 200 (20 at ``--scale small``). The figures are compared before the times. All pupils are
simulated.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings

import numpy as np
import pandas as pd
from fairlearn.metrics import (
    MetricFrame,
    false_negative_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import precision_score

from riskmodel.fairness import audit_list, audit_model
from riskmodel.fairness.bootstrap import N_DRAWS
from riskmodel.fairness.rates import compare_rates, label_cells
from riskmodel.fairness.verdicts import judge

N_PUPILS = 11_000
RATES = {
    "selection_rate": ("listed", "n"),
    "recall": ("found", "positives"),
    "miss_rate": ("missed", "positives"),
    "precision": ("found", "listed"),
}
THEIRS = {
    "selection_rate": selection_rate,
    "recall": true_positive_rate,
    "miss_rate": false_negative_rate,
    "precision": precision_score,
}


def pupils(n: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return groups (3 × 5, some small), outcomes and who is listed."""
    rng = np.random.default_rng(seed)
    groups = pd.DataFrame(
        {"sen": rng.choice(["No SEN", "SEN support", "EHC plan"], n, p=[0.81, 0.15, 0.04]),
         "ethnicity": rng.choice(["White", "Asian", "Black", "Mixed", "not_known"], n,
                                 p=[0.7, 0.13, 0.09, 0.07, 0.01])}
    )  # fmt: skip
    risk = rng.beta(0.4, 20, n) * (1 + 2 * (groups["sen"] != "No SEN"))
    label = (rng.random(n) < risk).astype(int)
    score = risk + rng.normal(0, 0.02, n)
    return groups, label, (np.argsort(np.argsort(-score)) < n // 50).astype(int)


def ours(group: np.ndarray, label: np.ndarray, listed: np.ndarray) -> pd.DataFrame:
    columns = {"n": np.ones(len(label)), "listed": listed, "positives": label,
               "found": label * listed, "missed": label * (1 - listed)}  # fmt: skip
    cells = compare_rates(np.arange(len(label)), group, columns, RATES, random_state=0)
    return judge(label_cells(cells, "sen × ethnicity"))


def theirs(groups: pd.DataFrame, label: np.ndarray, listed: np.ndarray, n_boot: int) -> MetricFrame:
    more = {"n_boot": n_boot, "ci_quantiles": [0.025, 0.975], "random_state": 0} if n_boot else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a rate over nothing: they warn, and give 0
        return MetricFrame(
            metrics=THEIRS, y_true=label, y_pred=listed, sensitive_features=groups, **more
        )


def differences(cells: pd.DataFrame, frame: MetricFrame) -> tuple[float, int, int]:
    """Return the largest difference where both define a figure, how many, and how many only they 'define'."""
    table = frame.by_group.reset_index()
    table["group"] = table["sen"] + " × " + table["ethnicity"]
    long = table.melt(
        id_vars="group", value_vars=list(THEIRS), var_name="measure", value_name="their"
    )
    both = cells.merge(long, on=["group", "measure"])
    defined = both["value"].notna() & both["their"].notna()
    apart = (both["value"] - both["their"])[defined].abs()
    return (
        float(apart.max()),
        int(defined.sum()),
        int((both["value"].isna() & both["their"].notna()).sum()),
    )


def failures() -> str:
    """Show both cases beside each other."""
    few = pd.DataFrame({"group": ["small"] * 2 + ["large"] * 200})
    found = np.r_[[1, 0], np.arange(200) < 10].astype(int)
    frame = MetricFrame(metrics=true_positive_rate, y_true=np.ones(202, int), y_pred=found,
                        sensitive_features=few["group"])  # fmt: skip
    ratio = frame.by_group["small"] / frame.by_group["large"]
    mine = one_list(np.ones(202), found, few, "small")
    none = pd.DataFrame({"group": ["A"] * 50 + ["B"] * 50})
    label, listed = np.r_[np.zeros(50, int), np.ones(50, int)], np.tile([1, 0], 50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        empty = MetricFrame(metrics=true_positive_rate, y_true=label, y_pred=listed, n_boot=100,
                            ci_quantiles=[0.025, 0.975], random_state=0,
                            sensitive_features=none["group"])  # fmt: skip
    ends = [table["A"] for table in empty.by_group_ci]
    interval = f"recall {empty.by_group['A']:.0f} [{ends[0]:.0f}, {ends[1]:.0f}]"
    ours_too = one_list(label, listed, none, "A")
    lines = [
        f"{'case':44}{'fairlearn 0.15':>26}  ours",
        f"{'1 of 2 children found, 10 of 200 elsewhere':44}{f'ratio {ratio:.0f}':>26}  "
        f"ratio {mine['ratio']:.0f}, recall {mine['value']:.2f} ({mine['low']:.2f} to {mine['high']:.2f}): "
        f"{mine['verdict']}",
        f"{'50 children, none with the outcome':44}"
        f"{interval:>26}  "
        f"recall not defined ({ours_too['value']}): {ours_too['verdict']}",
    ]
    return "\n".join(lines)


def one_list(
    label: np.ndarray, found: np.ndarray, groups: pd.DataFrame, name: str
) -> dict[str, object]:
    frame = pd.DataFrame({"pupil_id": range(len(label)), "as_of": pd.Timestamp("2024-01-01"),
                          "label": label.astype(float), "model": found.astype(float)})  # fmt: skip
    cells = audit_model(frame, groups, capacity=int(found.sum())).measures
    row = cells[(cells["group"] == name) & (cells["measure"] == "recall")]
    return dict(row.to_dict("records")[0])


def timed(job: object, times: int) -> tuple[float, float]:
    """Return the median seconds by the clock, and of processor time, which others' work does not lengthen."""
    runs = []
    for _ in range(times):
        start = time.perf_counter(), time.process_time()
        job()  # type: ignore[operator]
        runs.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    clock, processor = (statistics.median(column) for column in zip(*runs, strict=True))
    return clock, processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=["small", "full"], default="small")
    n_boot = 200 if parser.parse_args().scale == "full" else 20
    groups, label, listed = pupils(N_PUPILS)
    crossed = (groups["sen"] + " × " + groups["ethnicity"]).to_numpy(dtype=object)
    apart, n_both, only_theirs = differences(
        ours(crossed, label, listed), theirs(groups, label, listed, 0)
    )
    equal = apart < 1e-12
    print(
        f"{N_PUPILS:,} pupils, {len(set(crossed))} crossed groups, {len(RATES)} measures: {n_both} "
        f"figures compared, largest difference {apart:.1g}; {only_theirs} more are 0 with fairlearn and "
        "not defined here"
    )
    mine = timed(lambda: ours(crossed, label, listed), 7)
    slow = timed(lambda: theirs(groups, label, listed, n_boot), 1)
    ratio = (slow[1] / n_boot) / (mine[1] / N_DRAWS)
    print(f"{'':24}{'resamples':>10}{'seconds':>10}{'of processor':>14}{'ms each':>10}")
    for name, (clock, processor), n in (
        ("riskmodel", mine, N_DRAWS), ("fairlearn MetricFrame", slow, n_boot)
    ):  # fmt: skip
        print(f"{name:24}{n:>10}{clock:>10.3f}{processor:>14.3f}{1000 * processor / n:>10.3f}")
    print(f"{ratio:,.0f} times as fast per resample, by processor time")
    many = pd.DataFrame({f"characteristic {k}": np.roll(crossed, k) for k in range(16)})
    risk = np.clip(listed * 0.3 + 0.01, 0, 1)
    print(
        f"audit of a list, 16 characteristics: {timed(lambda: audit_list(many, listed, risk), 3)[0]:.2f} s"
    )
    print(failures())
    print(json.dumps({"seconds": round(mine[0], 3), "ratio_fairlearn_per_resample": round(ratio),
                      "equal": bool(equal)}))  # fmt: skip


if __name__ == "__main__":
    main()
