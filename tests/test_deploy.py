"""The files of deploy/ do what docs/deployment.md describes, with the real programs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml
from scipy.special import logit

from riskmodel.assess import rank
from riskmodel.cohort import default_as_of
from riskmodel.data.read import read
from riskmodel.jobs import Gates, Run, make_list, promote, read_settings
from riskmodel.jobs.champion import load_model
from riskmodel.model import RiskModel
from tests import postgres
from tests.mlflow_server import PATH, SILENT, free_port, running
from tests.small_la import SmallLA, registered
from tests.spark import CONFIGURATION

Command = Callable[..., subprocess.CompletedProcess[str]]

DEPLOY = Path(__file__).parents[1] / "deploy"
HELD_INSIDE = "On 15 January 2025 a policy changed: suspensions are held inside school"
BREAK = """[[policy_breaks]]
day = 2025-01-15
what = "suspensions are held inside school"
tables = ["suspensions"]
"""
NO_GATES = """[gates]
tested_out_of_time = false
most_rows_set_aside = 1.0
not_beaten_by = []
largest_loss_at_capacity = 1.0
smallest_lift = 0.0
expected_over_observed = [0.0, 1000.0]
calibration_slope = [0.0, 1000.0]
not_below_champion = false
no_new_disparity = false
"""
CAPACITY = 40
ENDS = ("", "_low", "_high")

# the small LA's model was trained with another number; threads that wait would otherwise turn in circles
# on cores that other tests need
OTHER_THREADS = {
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
        "2" if os.environ.get("OMP_NUM_THREADS") == "1" else "1",
    ),
    "OMP_WAIT_POLICY": "passive",
}
"""Threads of the half-termly run."""


@dataclass(frozen=True)
class InUse:
    """A store whose model is in use, and the settings of its LA."""

    tracking: str
    settings: Path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the server keeps models."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of MLflow on PostgreSQL, started with the words of the compose file."""
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    words = [str(word) for word in service["mlflow"]["command"]]
    assert words[:2] == ["mlflow", "server"]
    port = str(free_port())
    address = f"http://127.0.0.1:{port}"
    changed = {"/srv/mlflow": str(models), "0.0.0.0": "127.0.0.1", "5000": port}
    words = [changed.get(word, word.replace(":5000", f":{port}")) for word in words[1:]]
    log = tmp_path_factory.mktemp("server") / "server.log"
    with (
        postgres.server() as database,
        running(words, f"{address}/health", log, MLFLOW_BACKEND_STORE_URI=database),
    ):
        yield address


@pytest.fixture(scope="module")
def in_use(small_la: SmallLA, server: str, tmp_path_factory: pytest.TempPathFactory) -> InUse:
    settings = tmp_path_factory.mktemp("in_use") / "riskmodel.toml"
    settings.write_text(BREAK + NO_GATES, encoding="utf-8")
    run = Run("pex", tracking=server, settings=read_settings(settings))
    promote(run, registered(small_la, run, None))
    return InUse(server, settings)


def half_term(
    folder: Path, in_use: InUse, extracts: Path
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run the half-termly script; return what it printed and the folder it was to fill."""
    out = folder / "runs"
    conf = folder / "half_term.conf"
    conf.write_text(
        f"EXTRACTS='{extracts}'\nOUT='{out}'\nTRACKING='{in_use.tracking}'\n"
        f"SETTINGS='{in_use.settings}'\nCAPACITY={CAPACITY}\nOUTCOMES=pex\n",
        encoding="utf-8",
    )
    made = subprocess.run(
        [DEPLOY / "half_term.sh", conf],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | SILENT | OTHER_THREADS | {"PATH": PATH},
    )
    return made, out


@pytest.fixture(scope="module")
def place(in_use: InUse, extracts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a half-termly run that was made."""
    folder = tmp_path_factory.mktemp("half_term")
    made, _ = half_term(folder, in_use, extracts)
    assert made.returncode == 0, made.stderr
    assert "Traceback" not in made.stdout + made.stderr
    assert "arning" not in made.stderr
    return folder


def test_the_half_termly_run_makes_everything_and_promotes_nothing(
    in_use: InUse, extracts: Path, place: Path
) -> None:
    out = place / "runs"
    (run,) = (path for path in out.iterdir() if path.is_dir())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", run.name)
    for page in ("check", "monitor-pex", "list-pex", "dashboard"):
        assert (run / page / "index.html").is_file()
    trained = (run / "train-pex.txt").read_text(encoding="utf-8")
    assert "SIMULATED DATA. Outcome pex, version 2, alias challenger." in trained
    (entry,) = (out / "lists.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(entry)["by"] == "half_term.sh"
    assert Run("pex", tracking=in_use.tracking).registry.version_of("champion") == "1"
    assert Run("pex", tracking=in_use.tracking).registry.version_of("challenger") == "2"
    again, _ = half_term(place, in_use, extracts)
    assert again.returncode == 1
    assert "move it away to run again" in again.stderr


def test_a_policy_break_stands_beside_every_figure_that_spans_it(place: Path) -> None:
    (run,) = (path for path in (place / "runs").iterdir() if path.is_dir())
    pages = [run / folder / "index.html" for folder in ("monitor-pex", "list-pex", "dashboard")]
    pages += [*(run / "list-pex" / "schools").iterdir(), *(run / "dashboard" / "schools").iterdir()]
    for text in (*pages, run / "train-pex.txt", run / "list-pex" / "assessment.json"):
        assert HELD_INSIDE in text.read_text(encoding="utf-8"), text.name
    read_me = openpyxl.load_workbook(run / "list-pex" / "list.xlsx")["Read me"]
    assert any(HELD_INSIDE in str(cell.value) for cell in read_me["A"])


@pytest.mark.usefixtures("place")
def test_p8_the_number_of_threads_does_not_change_the_model(
    in_use: InUse, small_la: SmallLA
) -> None:
    registry = Run("pex", tracking=in_use.tracking).registry
    again, _ = load_model(registry, registry.address("2"))
    tables = read(small_la.extracts).tables
    day = default_as_of(tables, "pex")
    ranked = [
        list(rank(model.assess(tables, as_of=day, capacity=CAPACITY))["pupil_id"])
        for model in (small_la.training.model, again)
    ]
    assert len(ranked[0]) > CAPACITY
    assert ranked[0] == ranked[1]
    # the same backtest too, but for what hangs on the capacity
    assert by_ranker(small_la.training.model).items() <= by_ranker(again).items()


def by_ranker(model: RiskModel) -> dict[str, tuple[float, ...]]:
    """Return the figures of a model's backtest that hang on no capacity, by ranker."""
    names = [f"{name}{end}" for name in ("average_precision", "roc_auc") for end in ENDS]
    table = model.card.backtest["table"]
    return {row["ranker"]: tuple(row[name] for name in names) for row in table}


def test_a_half_termly_run_that_fails_leaves_no_finished_folder(
    in_use: InUse, tmp_path: Path
) -> None:
    made, out = half_term(tmp_path, in_use, tmp_path / "no such extracts")
    assert made.returncode == 1
    assert "no such extracts" in made.stderr
    assert [path.name for path in out.iterdir() if path.is_dir()][0].endswith(".unfinished")


def test_a_region_on_spark_gets_the_lists_that_one_machine_makes(
    in_use: InUse, tiny: Path, tmp_path: Path
) -> None:
    las = [tmp_path / "east", tmp_path / "west"]
    for la in las:
        shutil.copytree(tiny, la)
    (las[1] / "suspensions.parquet").write_bytes(b"broken")
    made = subprocess.run(
        [
            Path(sys.executable).parent / "spark-submit",
            "--master",
            "local[2]",
            *(f"--conf={name}={value}" for name, value in CONFIGURATION.items()),
            DEPLOY / "region.py",
            tmp_path / "lists",
            *las,
            "--outcome",
            "pex",
            "--capacity",
            str(CAPACITY),
            "--tracking",
            in_use.tracking,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ
        | SILENT
        | {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable},
    )
    assert made.returncode == 1, made.stderr[-3000:]
    assert "west: suspensions.parquet: cannot be read" in made.stdout  # Spark joins both streams
    assert not (tmp_path / "lists" / "west").exists()
    alone = make_list(
        tiny,
        Run("pex", tracking=in_use.tracking, capacity=CAPACITY),
        out=tmp_path / "alone",
    )
    here, there = (
        pd.read_csv(folder / "list.csv") for folder in (alone, tmp_path / "lists" / "east")
    )
    pd.testing.assert_frame_equal(here, there)


def test_mlflow_keeps_models_where_the_compose_file_says(in_use: InUse, models: Path) -> None:
    assert Run("pex", tracking=in_use.tracking).registry.address("1")
    assert list(models.rglob("arrays.npz"))


@pytest.mark.usefixtures("place")
def test_a_version_is_promoted_served_over_http_and_rolled_back(
    in_use: InUse, command: Command, tmp_path: Path
) -> None:
    shutil.copy(in_use.settings, tmp_path)
    words = ("--outcome", "pex", "--tracking", in_use.tracking)
    made = command("promote", *words)
    assert made.stdout == "Version 2 is now the champion for pex.\n", made.stderr
    registry = Run("pex", tracking=in_use.tracking).registry
    assert registry.champions() == ["1", "2"]
    model = RiskModel.load(registry.download("models:/riskmodel-pex@champion"))
    rows = pd.DataFrame(
        np.random.default_rng(0).random((3, len(model.features))), columns=list(model.features)
    )
    scored = scored_over_http(rows, in_use.tracking, tmp_path / "serve.log")
    made_here = model.calibrated.score(rows.to_numpy(np.float32))
    np.testing.assert_allclose(scored["risk"], made_here.risks()["risk"])
    assert (scored["risk_low"] <= scored["risk"]).all()
    assert scored[["reason_1", "strength_1"]].notna().all().all()  # never a bare score
    np.testing.assert_allclose(
        logit(scored["risk"]), made_here.base_value + made_here.contributions.sum(axis=1)
    )

    back = command("rollback", *words)
    assert back.stdout == "Version 1 is the champion for pex again.\n", back.stderr
    assert registry.version_of("champion") == "1"
    too_far = command("rollback", *words)
    assert too_far.returncode == 1
    assert "no earlier champion for pex" in too_far.stderr
    assert registry.version_of("champion") == "1"


def scored_over_http(rows: pd.DataFrame, tracking: str, log: Path) -> pd.DataFrame:
    """Return what MLflow's own server of models answers to rows of features."""
    port = free_port()
    words = [
        *("models", "serve", "-m", "models:/riskmodel-pex@champion", "--env-manager", "local"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    address = f"http://127.0.0.1:{port}"
    with running(words, f"{address}/ping", log, MLFLOW_TRACKING_URI=tracking):
        body = json.dumps({"dataframe_split": rows.to_dict("split")}).encode()
        request = urllib.request.Request(
            f"{address}/invocations", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return pd.DataFrame(json.load(answer)["predictions"])


def test_the_container_has_the_versions_that_are_tested() -> None:
    constraints = (DEPLOY.parent / "constraints.txt").read_text(encoding="utf-8").splitlines()
    container = (DEPLOY / "mlflow.Dockerfile").read_text(encoding="utf-8")
    for package in ("mlflow", "psycopg"):
        (pinned,) = (line for line in constraints if line.startswith(f"{package}=="))
        version = pinned.partition("==")[2]
        assert re.search(rf'{package}(\[binary\])?=={re.escape(version)}["\s]', container)


def test_cron_and_systemd_name_the_same_days() -> None:
    cron = re.findall(r"^0 5 +(\d+) +(\d+) ", (DEPLOY / "half_term.cron").read_text(), flags=re.M)
    timer = re.findall(
        r"OnCalendar=\*-(\d\d)-(\d\d) 05", (DEPLOY / "riskmodel-half-term.timer").read_text()
    )
    assert {(int(month), int(day)) for day, month in cron} == {(int(m), int(d)) for m, d in timer}
    assert len(timer) == 6


def test_the_gates_of_this_test_let_all_pass() -> None:
    names = set(re.findall(r"^(\w+) =", NO_GATES, flags=re.M))
    assert names == set(Gates.__dataclass_fields__)
