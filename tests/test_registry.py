"""The registry for real: an MLflow server on PostgreSQL; train, promote, serve, score, roll back."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.errors import ModelError
from riskmodel.jobs import Gates, Settings, promote, roll_back, train
from riskmodel.jobs.record import register
from riskmodel.jobs.train import _champion
from riskmodel.model import RiskModel
from riskmodel.training import registry
from tests import mlflow_server
from tests.conftest import SmallLA

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server.server(tmp_path_factory.mktemp("server")) as address:
        yield address


def again(la: SmallLA, tracking: str, **answers: str) -> str:
    """Register the small LA's model once more, with other answers to its gates."""
    made = la.training
    X = pd.DataFrame(np.zeros((2, len(made.model.features))), columns=list(made.model.features))
    return register(made.model, made.backtest, Settings(), made.gates | answers, tracking, None, X)


def medians(model: RiskModel, n: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.random((n, len(model.features))), columns=list(model.features))


def test_train_promote_serve_score_over_http_and_roll_back(
    server: str, extracts: Path, small_la: SmallLA, command: Command, tmp_path: Path
) -> None:
    trained = command("train", extracts, "--outcome", "pex", "--tracking", server)
    assert trained.returncode == 0, trained.stderr
    assert "version 1, alias challenger" in trained.stdout
    assert registry.version_of("pex", "champion", tracking=server) is None
    promoted = command("promote", "--outcome", "pex", "--tracking", server)
    assert promoted.stdout == "Version 1 is now the champion for pex.\n", promoted.stderr
    model = RiskModel.load(registry.download("models:/riskmodel-pex@champion", tracking=server))
    assert model.card["backtest"] == small_la.training.model.card["backtest"]  # the same anywhere

    rows = medians(model)
    port = mlflow_server.free_port()
    words = ["models", "serve", "-m", "models:/riskmodel-pex@champion", "--env-manager", "local",
             "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    with mlflow_server.running(words, f"http://127.0.0.1:{port}/ping", tmp_path / "serve.log",
                               MLFLOW_TRACKING_URI=server):  # fmt: skip
        body = json.dumps({"dataframe_split": rows.to_dict("split")}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            scored = pd.DataFrame(json.load(answer)["predictions"])
    risks, base_value, contributions = model._explain(rows.astype(np.float32))
    np.testing.assert_allclose(scored["risk"], risks["risk"])
    assert (scored["risk_low"] <= scored["risk"]).all()
    assert scored[["reason_1", "strength_1"]].notna().all().all()  # never a bare score
    np.testing.assert_allclose(
        np.log(scored["risk"] / (1 - scored["risk"])), base_value + contributions.sum(axis=1)
    )

    assert again(small_la, server) == "2"
    assert promote("pex", tracking=server) == "2"
    assert registry.champions("pex", tracking=server) == ["1", "2"]
    back = command("rollback", "--outcome", "pex", "--tracking", server)
    assert back.stdout == "Version 1 is the champion for pex again.\n", back.stderr
    assert registry.version_of("pex", "champion", tracking=server) == "1"
    too_far = command("rollback", "--outcome", "pex", "--tracking", server)
    assert too_far.returncode == 1
    assert "no earlier champion for pex" in too_far.stderr
    assert registry.version_of("pex", "champion", tracking=server) == "1"


def test_a_run_holds_what_somebody_needs_to_judge_it_years_later(small_la: SmallLA) -> None:
    import mlflow

    mlflow.set_tracking_uri(small_la.tracking)
    client = mlflow.MlflowClient(small_la.tracking, small_la.tracking)
    version = client.get_model_version("riskmodel-pex", small_la.training.version)
    run = client.get_run(version.run_id)
    kept = {artifact.path for artifact in client.list_artifacts(version.run_id)}
    assert {"backtest.html", "backtest.txt", "notes.txt", "model_card.html", "lineage.json", "gates.json",
            "audit.json", "catalogue.csv", "environment.txt"} <= kept  # fmt: skip
    lists = client.get_metric_history(version.run_id, "list.model.average_precision")
    by_list = small_la.training.backtest.by_list
    wanted = by_list[by_list["ranker"] == "model"].sort_values("as_of")["average_precision"]
    found = [metric.value for metric in sorted(lists, key=lambda metric: metric.step)]
    assert found == pytest.approx(wanted.dropna().tolist())
    assert run.data.params["gate.smallest_lift"] == "2.0"
    assert (
        run.data.tags["data_digest"]
        == small_la.training.model.card["trained"]["training_data_digest"]
    )
    lineage = json.loads(mlflow.artifacts.load_text(f"runs:/{version.run_id}/lineage.json"))
    for extract in lineage["extracts"]:
        handed_in = (small_la.extracts / extract["file"]).read_bytes()
        assert extract["sha256"] == hashlib.sha256(handed_in).hexdigest()
    catalogue = pd.read_csv(
        mlflow.artifacts.download_artifacts(run_id=version.run_id, artifact_path="catalogue.csv")
    )
    assert catalogue["feature"].tolist() == list(small_la.training.model.features)
    audit = json.loads(mlflow.artifacts.load_text(f"runs:/{version.run_id}/audit.json"))
    assert audit == small_la.training.model.card["audit"]
    few = (small_la.training.audit.groups["pupils_with_outcome"] < 5).to_numpy()
    assert few.any()  # P5: what leaves the desk holds no small count
    shown = pd.DataFrame(audit["groups"])
    assert (shown.loc[few, "positives"] == "c").all()


def test_the_model_folder_holds_no_pickle_and_the_example_is_nobody(small_la: SmallLA) -> None:
    folder = registry.download(
        f"models:/riskmodel-pex/{small_la.training.version}", tracking=small_la.tracking
    )
    files = {path.name for path in folder.parents[1].rglob("*") if path.is_file()}
    assert files == {"MLmodel", "conda.yaml", "input_example.json", "python_env.yaml",
                     "requirements.txt", "serving_input_example.json", "registered_model_meta", "model.json",
                     "arrays.npz"}  # fmt: skip
    example = json.loads((folder.parents[1] / "input_example.json").read_text(encoding="utf-8"))
    assert len(example["data"]) == 1


def test_a_failed_gate_is_named_and_the_champion_stays(small_la: SmallLA, tmp_path: Path) -> None:
    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert promote("pex", tracking=tracking, number=again(small_la, tracking)) == "1"
    again(small_la, tracking, no_new_disparity="failed: found less often: sex: Girls")
    with pytest.raises(
        ModelError, match=r"Version 2 .* no_new_disparity \(failed: found less often"
    ):
        promote("pex", tracking=tracking)
    assert registry.version_of("pex", "champion", tracking=tracking) == "1"


def test_a_promotion_killed_half_way_is_put_right_by_the_next(
    small_la: SmallLA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    promote("pex", tracking=tracking, number=again(small_la, tracking))
    number = again(small_la, tracking)
    monkeypatch.setattr(mlflow.MlflowClient, "set_registered_model_alias", die)
    with pytest.raises(KeyboardInterrupt):
        promote("pex", tracking=tracking, number=number)
    monkeypatch.undo()
    assert registry.version_of("pex", "champion", tracking=tracking) == "1"
    assert promote("pex", tracking=tracking, number=number) == number
    assert registry.version_of("pex", "champion", tracking=tracking) == number
    assert registry.champions("pex", tracking=tracking) == ["1", number]


def test_gates_that_were_changed_after_the_run_are_refused(
    small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    again(small_la, tracking)
    with pytest.raises(
        ModelError, match=r"judged by other gates or points than riskmodel\.toml holds now"
    ):
        promote("pex", tracking=tracking, settings=Settings(Gates(smallest_lift=1.0)))
    assert registry.version_of("pex", "champion", tracking=tracking) is None
    with pytest.raises(ModelError, match="no earlier champion"):
        roll_back("pex", tracking=tracking)


def test_a_registry_that_is_down_is_said_before_the_work(extracts: Path, command: Command) -> None:
    address = f"http://127.0.0.1:{mlflow_server.free_port()}"
    start = time.monotonic()
    answer = command("train", extracts, "--outcome", "pex", "--tracking", address)
    assert answer.returncode == 1
    assert f"The MLflow store {address} cannot do this" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert "Reading" not in answer.stderr
    assert time.monotonic() - start < 60
    for words in (("promote",), ("rollback",)):
        answer = command(*words, "--outcome", "pex", "--tracking", address)
        assert answer.returncode == 1
        assert f"The MLflow store {address} cannot do this" in answer.stderr


def test_a_registry_that_is_read_only_is_said_before_the_work(
    small_la: SmallLA, extracts: Path, tmp_path: Path
) -> None:
    store = tmp_path / "mlflow.db"
    again(small_la, f"sqlite:///{store}")
    tracking = f"sqlite:///file:{store}?mode=ro&uri=true"
    with pytest.raises(ModelError, match="cannot do this: .*readonly"):
        train(extracts, "pex", tracking=tracking)
    nowhere = f"sqlite:///{tmp_path / 'missing' / 'mlflow.db'}"
    with pytest.raises(ModelError, match="missing is not a folder that you may write to"):
        train(extracts, "pex", tracking=nowhere)


def test_a_run_killed_before_its_end_leaves_no_version(extracts: Path, tmp_path: Path) -> None:
    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    process = subprocess.Popen(
        [sys.executable, "-m", "riskmodel", "train", str(extracts), "--outcome", "pex",
         "--tracking", tracking], stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Registering the model"):
            break
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert registry.version_of("pex", "challenger", tracking=tracking) is None
    with pytest.raises(ModelError, match="There is no model for pex"):
        promote("pex", tracking=tracking)
    registry.open_store("pex", tracking=tracking)


@pytest.mark.parametrize("step", ["log_text", "pyfunc.log_model"])
def test_a_run_that_dies_while_it_stores_leaves_no_version(
    step: str, small_la: SmallLA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    target = mlflow.pyfunc if step.startswith("pyfunc") else mlflow
    monkeypatch.setattr(target, step.rsplit(".", maxsplit=1)[-1], die)
    with pytest.raises(KeyboardInterrupt):
        again(small_la, tracking)
    monkeypatch.undo()
    assert registry.version_of("pex", "challenger", tracking=tracking) is None
    assert again(small_la, tracking) == "1"


def test_an_alias_on_a_model_of_other_features_is_refused_in_a_sentence(
    small_la: SmallLA, extracts: Path, tmp_path: Path, command: Command
) -> None:
    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    made = small_la.training.model
    names = ("feature_of_another_age", *made.features[1:])
    other = RiskModel(outcome="pex", features=names, ensemble=made.ensemble,
                      calibration=made.calibration, card=made.card)  # fmt: skip
    number = registry.log_version(
        other.save(tmp_path / "model"), outcome="pex", tracking=tracking, parameters={}, metrics={},
        metrics_by_list=[], tags={}, texts={}, example=medians(other, 1),
    )  # fmt: skip
    registry.set_champion("pex", [number], tracking=tracking)
    answer = command("list", extracts, "--outcome", "pex", "--capacity", "20", "--out",
                     tmp_path / "list", "--tracking", tracking)  # fmt: skip
    assert answer.returncode == 1
    assert "first 'feature_of_another_age'" in answer.stderr
    assert not (tmp_path / "list").exists()
    with pytest.raises(
        ModelError, match=r"name=riskmodel-neet not found\. Train and promote a model first"
    ):
        registry.download("models:/riskmodel-neet@champion", tracking=tracking)


def test_a_champion_that_cannot_be_read_is_left_out_of_the_comparison(
    small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert _champion("pex", tracking) is None
    registry.set_champion("pex", [again(small_la, tracking)], tracking=tracking)
    champion = _champion("pex", tracking)
    assert champion is not None
    assert champion.card == small_la.training.model.card
