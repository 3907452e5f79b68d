"""The registry for real: what is kept, promoted, rolled back and refused; test_deploy has the server."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import optuna
import pandas as pd
import pytest
import sqlalchemy

from riskmodel.errors import ModelError, RequestError
from riskmodel.jobs import Gates, Run, Settings, promote, read_settings, roll_back, train
from riskmodel.jobs.champion import champion_in_use
from riskmodel.model import RiskModel
from riskmodel.training.gate_answers import from_tags
from riskmodel.training.registry import Record
from tests import mlflow_server
from tests.commands import start
from tests.small_la import SmallLA, again, new_store, promoted, registered

Command = Callable[..., subprocess.CompletedProcess[str]]


def state(tracking: str) -> tuple[str | None, list[str]]:
    """Return the version in use, and those that were."""
    return (
        Run("pex", tracking=tracking).registry.version_of("champion"),
        Run("pex", tracking=tracking).registry.champions(),
    )


def client_of(tracking: str) -> Any:
    import mlflow  # after the product has asked it not to call home

    return mlflow.MlflowClient(tracking, tracking)


def arrays_of(folder: Path, tracking: str, version: str) -> Path:
    """Return the file of a version's numbers in an embedded store."""
    client = client_of(tracking)
    found = client.get_model_version("riskmodel-pex", version)
    model = client.get_logged_model(found.source.removeprefix("models:/"))
    (file,) = Path(url2pathname(urlsplit(model.artifact_location).path)).rglob("arrays.npz")
    assert folder in file.parents
    return file


def test_a_run_holds_what_somebody_needs_to_judge_it_years_later(small_la: SmallLA) -> None:
    import mlflow

    mlflow.set_tracking_uri(small_la.tracking)
    client = mlflow.MlflowClient(small_la.tracking, small_la.tracking)
    version = client.get_model_version("riskmodel-pex", small_la.training.version)
    run = client.get_run(version.run_id)
    kept = {artifact.path for artifact in client.list_artifacts(version.run_id)}
    assert {
        "backtest.html",
        "backtest.txt",
        "notes.txt",
        "model_card.html",
        "lineage.json",
        "gates.json",
        "audit.json",
        "catalogue.csv",
        "environment.txt",
    } <= kept
    lists = client.get_metric_history(version.run_id, "list.model.average_precision")
    by_list = small_la.training.backtest.by_list
    wanted = by_list[by_list["ranker"] == "model"].sort_values("as_of")["average_precision"]
    found = [metric.value for metric in sorted(lists, key=lambda metric: metric.step)]
    assert found == pytest.approx(wanted.dropna().tolist())
    assert run.data.params["gate.smallest_lift"] == "2.0"
    assert run.data.tags["data_digest"] == small_la.training.model.card.trained.training_data_digest
    lineage = json.loads(mlflow.artifacts.load_text(f"runs:/{version.run_id}/lineage.json"))
    for extract in lineage["extracts"]:
        handed_in = (small_la.extracts / extract["file"]).read_bytes()
        assert extract["sha256"] == hashlib.sha256(handed_in).hexdigest()
    catalogue = pd.read_csv(
        mlflow.artifacts.download_artifacts(run_id=version.run_id, artifact_path="catalogue.csv")
    )
    assert catalogue["feature"].tolist() == list(small_la.training.model.features)
    audit = json.loads(mlflow.artifacts.load_text(f"runs:/{version.run_id}/audit.json"))
    assert audit == small_la.training.model.card.audit
    few = (small_la.training.audit.groups["pupils_with_outcome"] < 5).to_numpy()
    assert few.any()  # P5: what leaves the desk holds no small count
    shown = pd.DataFrame(audit["groups"])
    assert (shown.loc[few, "positives"] == "c").all()


def test_the_model_folder_holds_no_pickle_and_the_example_is_nobody(small_la: SmallLA) -> None:
    folder = Run("pex", tracking=small_la.tracking).registry.download(
        f"models:/riskmodel-pex/{small_la.training.version}"
    )
    files = {path.name for path in folder.parents[1].rglob("*") if path.is_file()}
    assert files == {
        "MLmodel",
        "conda.yaml",
        "input_example.json",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
        "registered_model_meta",
        "model.json",
        "arrays.npz",
    }
    example = json.loads((folder.parents[1] / "input_example.json").read_text(encoding="utf-8"))
    assert len(example["data"]) == 1


def test_a_failed_gate_is_named_and_the_champion_stays(small_la: SmallLA, tmp_path: Path) -> None:
    tracking = promoted(small_la, tmp_path, 1)
    again(small_la, tracking, no_new_disparity="failed: found less often: sex: Girls")
    with pytest.raises(
        ModelError, match=r"Version 2 .* no_new_disparity \(failed: found less often"
    ):
        promote(Run("pex", tracking=tracking))
    assert Run("pex", tracking=tracking).registry.version_of("champion") == "1"


@pytest.mark.parametrize(
    "answer",
    [
        "not judged, which blocks promotion: 2 pupils with the outcome",
        "failed: could not be judged, with 2 pupils with the outcome",  # as written before
        "looked good to me",
    ],
)
def test_a_gate_that_was_not_judged_is_not_passed(
    answer: str, small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = promoted(small_la, tmp_path, 0, challengers=1)
    client_of(tracking).set_model_version_tag("riskmodel-pex", "1", "gate.smallest_lift", answer)
    with pytest.raises(ModelError, match=f"Version 1 for pex is not promoted: .*{answer}"):
        promote(Run("pex", tracking=tracking))
    assert state(tracking) == (None, [])


def test_answers_of_older_versions_are_read(small_la: SmallLA, tmp_path: Path) -> None:
    tracking, number = promoted(small_la, tmp_path, 0, challengers=1), "1"
    code = "not_beaten_by_months_jobless_so_far"
    old = "not applicable: these extracts do not give it"
    client_of(tracking).set_model_version_tag("riskmodel-pex", number, f"gate.{code}", old)
    found = from_tags(Run("pex", tracking=tracking).registry.tags(number))
    (answer,) = (one for one in found if one.code == code)
    assert (answer.result, answer.blocks) == ("not judged", False)
    assert promote(Run("pex", tracking=tracking)) == number


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("smallest_lift", None),
        ("not_beaten_by", None),
        ("tested_out_of_time", "not judged, which does not block promotion: never mind"),
        ("smallest_lift", "not applicable: could not be judged"),
    ],
)
def test_answers_that_were_taken_away_or_excused_by_hand_do_not_promote(
    code: str, answer: str | None, small_la: SmallLA, tmp_path: Path
) -> None:
    tracking, number = promoted(small_la, tmp_path, 0, challengers=1), "1"
    client, tag = client_of(tracking), f"gate.{code}"
    if answer is None:
        client.delete_model_version_tag("riskmodel-pex", number, tag)
    else:
        client.set_model_version_tag("riskmodel-pex", number, tag, answer)
    with pytest.raises(ModelError, match=f"hold no answer to {code} .*changed by hand"):
        promote(Run("pex", tracking=tracking))
    assert state(tracking) == (None, [])


def die(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


WRITES = ("set_registered_model_alias", "set_registered_model_tag")


@pytest.mark.parametrize("killed_at", WRITES)
@pytest.mark.parametrize("then", ["promote", "rollback"])
def test_a_promotion_killed_at_any_write_can_be_repeated_or_rolled_back(
    killed_at: str, then: str, small_la: SmallLA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking, number = promoted(small_la, tmp_path, 2, challengers=1), "3"
    monkeypatch.setattr(f"mlflow.MlflowClient.{killed_at}", die)
    with pytest.raises(KeyboardInterrupt):
        promote(Run("pex", tracking=tracking), number)
    monkeypatch.undo()
    came_into_use = killed_at == "set_registered_model_tag"
    assert state(tracking) == ("3" if came_into_use else "2", ["1", "2"])
    if then == "promote":
        assert promote(Run("pex", tracking=tracking), number) == "3"
        assert state(tracking) == ("3", ["1", "2", "3"])
    else:  # never forward to the version that was about to come
        before = "2" if came_into_use else "1"
        assert roll_back(Run("pex", tracking=tracking)) == before
        assert state(tracking)[0] == before


@pytest.mark.parametrize("killed_at", WRITES)
def test_a_rollback_killed_at_any_write_can_be_repeated(
    killed_at: str, small_la: SmallLA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = promoted(small_la, tmp_path, 2)
    monkeypatch.setattr(f"mlflow.MlflowClient.{killed_at}", die)
    with pytest.raises(KeyboardInterrupt):
        roll_back(Run("pex", tracking=tracking))
    monkeypatch.undo()
    assert roll_back(Run("pex", tracking=tracking)) == "1"
    assert state(tracking) == ("1", ["1"])
    with pytest.raises(ModelError, match="no earlier champion for pex .* version 1 is the first"):
        roll_back(Run("pex", tracking=tracking))


def test_a_rollback_leaves_out_what_was_deleted(small_la: SmallLA, tmp_path: Path) -> None:
    tracking = promoted(small_la, tmp_path, 3)
    client = client_of(tracking)
    client.delete_model_version("riskmodel-pex", "2")
    assert roll_back(Run("pex", tracking=tracking)) == "1"
    number = again(small_la, tracking)
    assert promote(Run("pex", tracking=tracking), number) == number
    client.delete_model_version("riskmodel-pex", "1")
    with pytest.raises(ModelError, match="version 4 is the first that is left"):
        roll_back(Run("pex", tracking=tracking))
    assert state(tracking) == (number, [number])


def test_a_rollback_to_a_damaged_model_changes_nothing(small_la: SmallLA, tmp_path: Path) -> None:
    tracking = promoted(small_la, tmp_path, 2)
    arrays_of(tmp_path, tracking, "1").write_bytes(b"PK cut off")
    with pytest.raises(ModelError, match="version 1, cannot be used again, and version 2 stays"):
        roll_back(Run("pex", tracking=tracking))
    assert state(tracking) == ("2", ["1", "2"])


@pytest.mark.parametrize("moved_to", ["1", "3", None])
def test_a_rollback_undoes_what_was_done_by_hand(
    moved_to: str | None, small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = promoted(small_la, tmp_path, 2, challengers=1)
    client = client_of(tracking)
    if moved_to is None:
        client.delete_registered_model_alias("riskmodel-pex", "champion")
    else:
        client.set_registered_model_alias("riskmodel-pex", "champion", moved_to)
    assert roll_back(Run("pex", tracking=tracking)) == "2"
    assert state(tracking) == ("2", ["1", "2"])


def test_a_version_judged_against_another_champion_is_trained_again(
    small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = promoted(small_la, tmp_path, 1, challengers=2)
    assert promote(Run("pex", tracking=tracking), "2") == "2"
    with pytest.raises(
        ModelError, match=r"against version 1, but version 2 is in use now\. Train again"
    ):
        promote(Run("pex", tracking=tracking), "3")
    with pytest.raises(
        ModelError, match="older than the champion, version 2. 'riskmodel rollback'"
    ):
        promote(Run("pex", tracking=tracking), "1")
    assert promote(Run("pex", tracking=tracking), "2") == "2"  # itself: nothing to compare with
    client_of(tracking).delete_registered_model_alias("riskmodel-pex", "champion")
    with pytest.raises(ModelError, match="against version 1, but there is none now"):
        promote(Run("pex", tracking=tracking), "3")
    assert state(tracking) == (None, ["1", "2"])


def test_a_version_trained_before_there_was_a_champion_is_trained_again(
    small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = promoted(small_la, tmp_path, 0, challengers=2)
    promote(Run("pex", tracking=tracking), "1")
    with pytest.raises(ModelError, match="against no champion, but version 1 is in use now"):
        promote(Run("pex", tracking=tracking))
    assert state(tracking) == ("1", ["1"])


@pytest.mark.parametrize("content", [b"", b"PK cut off", None])
def test_a_damaged_model_is_not_promoted(
    content: bytes | None, small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = promoted(small_la, tmp_path, 1, challengers=1)
    file = arrays_of(tmp_path, tracking, "2")
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(ModelError, match="Version 2 for pex is not promoted: .* cannot be read"):
        promote(Run("pex", tracking=tracking))
    assert state(tracking) == ("1", ["1"])


@pytest.mark.parametrize("number", ["", " 1", "1 ", "abc", "-1", "1.0", "01", "\u0661", "9" * 30])
def test_a_version_is_a_number_in_digits(number: str, small_la: SmallLA) -> None:
    with pytest.raises(RequestError, match=f"'{number}' is no version: .* in digits"):
        promote(Run("pex", tracking=small_la.tracking), number)


def test_a_version_that_is_not_there_is_reported(small_la: SmallLA) -> None:
    with pytest.raises(ModelError, match=r"version=99\) not found"):
        promote(Run("pex", tracking=small_la.tracking), "99")


def test_gates_that_were_changed_after_the_run_are_refused(
    small_la: SmallLA, tmp_path: Path
) -> None:
    tracking = promoted(small_la, tmp_path, 0, challengers=1)
    points = pd.DataFrame(
        {"column": ["eal"], "test": ["at_least"], "threshold": [1.0], "points": [1.0]}
    )
    lax = tmp_path / "lax.toml"
    lax.write_text("[gates]\nsmallest_lift = 1.0\n")
    for other, source in (
        (Settings(Gates(smallest_lift=1.0)), "the library's own"),
        (Settings(points=points), "the library's own"),
        (read_settings(lax), r"lax\.toml"),
    ):
        with pytest.raises(ModelError, match=rf"other gates or points than .*{source}"):
            promote(Run("pex", tracking=tracking, settings=other))
    assert Run("pex", tracking=tracking).registry.version_of("champion") is None
    with pytest.raises(ModelError, match="no earlier champion"):
        roll_back(Run("pex", tracking=tracking))


def test_a_registry_that_is_down_is_reported_before_the_work(
    extracts: Path, command: Command
) -> None:
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


def test_a_registry_that_is_read_only_is_reported_before_the_work(
    shared: Path, extracts: Path, tmp_path: Path
) -> None:
    store = tmp_path / "mlflow.db"
    new_store(shared, tmp_path)
    tracking = f"sqlite:///file:{store}?mode=ro&uri=true"
    with pytest.raises(ModelError, match="cannot do this: .*readonly"):
        train(extracts, Run("pex", tracking=tracking))
    nowhere = f"sqlite:///{tmp_path / 'missing' / 'mlflow.db'}"
    with pytest.raises(ModelError, match="missing is not a folder that you may write to"):
        train(extracts, Run("pex", tracking=nowhere))


def registered_aloud(la: SmallLA, run: Run) -> None:
    """Register the small LA's model, and write to standard error what a command would."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    registered(la, run, None)


def test_a_run_killed_before_its_end_leaves_no_version(small_la: SmallLA, tmp_path: Path) -> None:
    tracking, errors = f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "errors.err"
    words = (small_la, Run("pex", tracking=tracking))
    process = start(registered_aloud, tmp_path, *words, output=str(tmp_path / "errors"))
    while not (errors.exists() and "Registering the model" in errors.read_text("utf-8")):
        assert process.exitcode is None
        process.join(0.05)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with pytest.raises(ModelError, match="There is no (MLflow store|model for pex)"):
        promote(Run("pex", tracking=tracking))
    Run("pex", tracking=tracking).registry.open()


@pytest.mark.parametrize("step", ["log_text", "pyfunc.log_model"])
def test_a_run_that_dies_while_it_stores_leaves_no_version(
    step: str, small_la: SmallLA, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = new_store(shared, tmp_path)
    monkeypatch.setattr(f"mlflow.{step}", die)
    with pytest.raises(KeyboardInterrupt):
        again(small_la, tracking)
    monkeypatch.undo()
    assert Run("pex", tracking=tracking).registry.version_of("challenger") is None
    assert again(small_la, tracking) == "1"


def test_an_alias_on_a_model_of_other_features_is_refused_in_a_sentence(
    small_la: SmallLA, shared: Path, tmp_path: Path, command: Command
) -> None:
    tracking = new_store(shared, tmp_path)
    made = small_la.training.model
    names = ("feature_of_another_age", *made.features[1:])
    other = RiskModel(outcome="pex", features=names, calibrated=made.calibrated, card=made.card)
    registry = Run("pex", tracking=tracking).registry
    record = Record(
        parameters={},
        metrics={},
        metrics_by_list=[],
        tags={},
        texts={},
        example=pd.DataFrame(np.zeros((1, len(other.features))), columns=list(other.features)),
    )
    number = registry.log_version(other.save(tmp_path / "model"), record)
    registry.set_champion([number])
    answer = command(
        "list",
        small_la.extracts,
        "--outcome",
        "pex",
        "--capacity",
        "20",
        "--out",
        tmp_path / "list",
        "--tracking",
        tracking,
    )
    assert answer.returncode == 1
    assert "first 'feature_of_another_age'" in answer.stderr
    assert not (tmp_path / "list").exists()
    with pytest.raises(
        ModelError, match=r"name=riskmodel-neet not found\. Train and promote a model first"
    ):
        Run("pex", tracking=tracking).registry.download("models:/riskmodel-neet@champion")


def test_a_champion_in_use_is_read_with_its_model(small_la: SmallLA, tmp_path: Path) -> None:
    tracking = promoted(small_la, tmp_path, 1)
    found = champion_in_use(Run("pex", tracking=tracking).registry)
    assert (found.version, found.fault) == ("1", "")
    assert found.model is not None
    assert found.model.card == small_la.training.model.card


@pytest.mark.parametrize(
    ("tracking", "words"),
    [
        ("postgresql://u:secret@127.0.0.1:9/db", "cannot do this: .*refused"),
        ("postgresql+psycopg://u:secret@127.0.0.1:9/db", "cannot do this: .*refused"),
        ("postgresql+psycopg://u:secret@server:port/db", "is no address of an MLflow store"),
        ("postgresql+nonsense://u:secret@server/db", "cannot do this: Can't load plugin"),
        ("http://u:secret@127.0.0.1:9", "cannot do this: Connection refused. Check the address"),
        ("sqlite:///FOLDER", "cannot do this: unable to open database file"),
        ("sqlite:///FOLDER/junk.db", "cannot do this: file is not a database"),
        ("sqlite://", "is in memory and gone when the command ends"),
        ("sqlite:///:memory:", "is in memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "is in memory"),
        ("FOLDER", "is no address of an MLflow store"),
        ("foo://bar", "is no address of an MLflow store"),
        ("", "is no address of an MLflow store"),
    ],
)
def test_a_store_that_cannot_be_used_is_reported_in_a_sentence_by_every_command(
    tracking: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "junk.db").write_text("not a database at all", encoding="utf-8")
    tracking = tracking.replace("FOLDER", str(tmp_path))
    start = time.monotonic()
    for command in (promote, roll_back, lambda run: run.registry.open()):
        with pytest.raises(ModelError, match=words) as raised:
            command(Run("pex", tracking=tracking))
        assert "secret" not in str(raised.value)
        assert "\n" not in str(raised.value)
    assert time.monotonic() - start < 60
    assert [path.name for path in tmp_path.iterdir()] == ["junk.db"]


@pytest.mark.parametrize("is_new", [True, False])
def test_a_folder_of_models_that_is_a_file_is_reported_before_the_work(
    small_la: SmallLA, tmp_path: Path, *, is_new: bool
) -> None:
    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    if not is_new:
        promoted(small_la, tmp_path, 0, challengers=1)
        shutil.rmtree(tmp_path / "mlartifacts")
    (tmp_path / "mlartifacts").write_text("in the way", encoding="utf-8")
    with pytest.raises(ModelError, match="keeps models in .*mlartifacts, but .* not a folder"):
        train(small_la.extracts, Run("pex", tracking=tracking))


def test_a_database_of_another_program_is_left_alone(small_la: SmallLA, tmp_path: Path) -> None:
    tracking = f"sqlite:///{tmp_path / 'search.db'}"
    optuna.create_study(storage=tracking)
    before = (tmp_path / "search.db").read_bytes()
    with pytest.raises(ModelError, match="There is no MLflow store at"):
        promote(Run("pex", tracking=tracking))
    with pytest.raises(ModelError, match="is the database of another program"):
        train(small_la.extracts, Run("pex", tracking=tracking))
    assert (tmp_path / "search.db").read_bytes() == before


def test_a_long_message_of_mlflow_ends_with_a_sentence(small_la: SmallLA, tmp_path: Path) -> None:
    tracking = promoted(small_la, tmp_path, 0, challengers=1)
    engine = sqlalchemy.create_engine(tracking, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:  # as a store of years ago
        connection.execute(sqlalchemy.text("update alembic_version set version_num='451aebb31d03'"))
    (tmp_path / "old.db").write_bytes((tmp_path / "mlflow.db").read_bytes())
    with pytest.raises(
        ModelError, match=r"out-of-date .*'mlflow db upgrade .* latest schema\. Check the address"
    ):
        promote(Run("pex", tracking=f"sqlite:///{tmp_path / 'old.db'}"))
