"""The MLflow run and registry: where models are kept, compared and put to use.

In:  a folder that holds a saved model, what was measured, and a tracking address.
Out: a registered version; a local folder for a version, an alias or an address.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.errors import ModelError
from riskmodel.training.store import check_folder, embedded_file, one_at_a_time, opened

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "address",
    "champions",
    "download",
    "log_version",
    "open_store",
    "registered_name",
    "set_champion",
    "version_of",
    "version_tags",
]

HISTORY = "riskmodel.champions"
"""Tag of a registered model: the versions that were champion, oldest first."""


ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""MLflow's codes for a model or an alias that is not there; any other error is one."""


def registered_name(outcome: str) -> str:
    """Return the name under which models of an outcome are registered.

    Parameters
    ----------
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.

    Returns
    -------
    str
        The registered model's name.
    """
    return f"riskmodel-{outcome}"


def address(outcome: str, version: str) -> str:
    """Return the address of a version.

    Parameters
    ----------
    outcome : str
        Outcome.
    version : str
        Version.

    Returns
    -------
    str
        What :func:`download` fetches.
    """
    return f"models:/{registered_name(outcome)}/{version}"


def open_store(outcome: str, *, tracking: str) -> bool:
    """Open the experiment of an outcome and write to it, before long work depends on it.

    A store in a file that is not there yet is not made, only its folder looked at.

    Parameters
    ----------
    outcome : str
        Outcome.
    tracking : str
        MLflow tracking address.

    Returns
    -------
    bool
        Whether the store is there; else it will be made when there is something to keep.

    Raises
    ------
    ModelError
        If the store is down, or it or the folder of its models cannot be written.
    """
    file = embedded_file(tracking)
    if file is not None and not file.exists():
        if not os.access(file.parent, os.W_OK):
            raise ModelError(
                f"The MLflow store {tracking} cannot be made: {file.parent} is not a folder "
                "that you may write to. Name another with --tracking."
            )
        check_folder(_artifacts(file), tracking)
        return False
    with opened(tracking, create=True) as mlflow:
        _set_experiment(mlflow, tracking, registered_name(outcome))
        mlflow.set_experiment_tag("riskmodel.outcome", outcome)
    return True


def log_version(
    folder: Path,
    *,
    outcome: str,
    tracking: str,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, float],
    metrics_by_list: Sequence[Mapping[str, float]],
    tags: Mapping[str, str],
    texts: Mapping[str, str],
    example: pd.DataFrame,
) -> str:
    """Log a run and register the saved model as its version, alias ``challenger``.

    The version appears when everything else is stored: a run that is killed before leaves no version.

    Parameters
    ----------
    folder : Path
        A saved model: numbers and JSON only.
    outcome : str
        Outcome the model is for.
    tracking : str
        MLflow tracking address, e.g. ``sqlite:///mlflow.db``.
    parameters, metrics : mapping
        What the run records.
    metrics_by_list : sequence of mapping
        The metrics of every tested list, oldest first; steps of the run.
    tags : mapping of str to str
        Set on the run and on the version.
    texts : mapping of str to str
        File name → text, kept as artifacts of the run.
    example : DataFrame
        A few rows of features, simulated or made up: kept with the model as input example.

    Returns
    -------
    str
        The version's number.

    Raises
    ------
    ModelError
        If the store cannot be reached or written.
    """
    with opened(tracking, create=True) as mlflow:
        _set_experiment(mlflow, tracking, registered_name(outcome))
        with mlflow.start_run():
            mlflow.log_params(dict(parameters))
            mlflow.log_metrics(dict(metrics))
            for step, numbers in enumerate(metrics_by_list):
                mlflow.log_metrics({f"list.{k}": v for k, v in numbers.items()}, step=step)
            mlflow.set_tags(dict(tags))
            for name, text in texts.items():
                mlflow.log_text(text, name)
            logged = mlflow.pyfunc.log_model(
                name="model",
                loader_module="riskmodel.model",
                data_path=str(folder),
                pip_requirements=[f"riskmodel=={package_version('riskmodel')}"],
                signature=_signature(mlflow, example),
                input_example=example,
            )
        name = registered_name(outcome)
        version = mlflow.register_model(logged.model_uri, name, tags=dict(tags))
        mlflow.MlflowClient().set_registered_model_alias(name, "challenger", version.version)
        return str(version.version)


def _set_experiment(mlflow: Any, tracking: str, name: str) -> None:
    """Open the experiment; with an embedded store, keep artifacts beside the database."""
    with one_at_a_time(tracking):  # the first look makes the tables, and two would make them both
        if mlflow.get_experiment_by_name(name) is None:
            file = embedded_file(tracking)
            mlflow.create_experiment(
                name, artifact_location=None if file is None else _artifacts(file)
            )
    check_folder(mlflow.set_experiment(name).artifact_location, tracking)


def _artifacts(file: Path) -> str:
    return (file.parent / "mlartifacts").as_uri()


def _signature(mlflow: Any, example: pd.DataFrame) -> Any:
    """Declare features in as doubles, and the columns that always come out together."""
    from mlflow.types import ColSpec, DataType, Schema

    features: list[Any] = [
        ColSpec(DataType.double, str(name), required=False) for name in example.columns
    ]
    numbers = ["risk", "risk_low", "risk_high", "base_value"]
    words = ["reason_1", "reason_2", "reason_3", "strength_1", "strength_2"]
    answer: list[Any] = [ColSpec(DataType.double, name) for name in numbers]
    answer += [ColSpec(DataType.string, name) for name in words]
    return mlflow.models.ModelSignature(inputs=Schema(features), outputs=Schema(answer))


def version_of(outcome: str, alias: str, *, tracking: str) -> str | None:
    """Return the version an alias points to.

    Parameters
    ----------
    outcome : str
        Outcome.
    alias : str
        ``"champion"`` or ``"challenger"``.
    tracking : str
        MLflow tracking address.

    Returns
    -------
    str or None
        Version, or None where there is no such model or alias.
    """
    with opened(tracking) as mlflow:
        try:
            found = mlflow.MlflowClient().get_model_version_by_alias(
                registered_name(outcome), alias
            )
        except mlflow.exceptions.MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            return None
        return str(found.version)


def version_tags(outcome: str, version: str, *, tracking: str) -> dict[str, str]:
    """Return the tags of a version.

    Parameters
    ----------
    outcome : str
        Outcome.
    version : str
        Version.
    tracking : str
        MLflow tracking address.

    Returns
    -------
    dict of str to str
        Tags.

    Raises
    ------
    ModelError
        If there is no such version.
    """
    with opened(tracking) as mlflow:
        found = mlflow.MlflowClient().get_model_version(registered_name(outcome), version)
        return dict(found.tags)


def champions(outcome: str, *, tracking: str) -> list[str]:
    """Return the versions that were champion, the last one put to use last.

    Parameters
    ----------
    outcome : str
        Outcome.
    tracking : str
        MLflow tracking address.

    Returns
    -------
    list of str
        Versions that are still there; empty where there never was a champion.
    """
    with opened(tracking) as mlflow:
        client, name = mlflow.MlflowClient(), registered_name(outcome)
        try:
            model = client.get_registered_model(name)
        except mlflow.exceptions.MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            return []
        there = {str(found.version) for found in client.search_model_versions(f"name='{name}'")}
        written = dict(model.tags or {}).get(HISTORY, "").split(",")
        return [version for version in written if version in there]


def set_champion(
    outcome: str, history: Sequence[str], *, tracking: str, going_back: bool = False
) -> None:
    """Put the last version of a history to use, and keep the history.

    Parameters
    ----------
    outcome : str
        Outcome.
    history : sequence of str
        Versions that were champion, the one to use last.
    tracking : str
        MLflow tracking address.
    going_back : bool
        Whether a version is taken out of use, not put to it.
    """
    name = registered_name(outcome)
    with opened(tracking) as mlflow:
        client = mlflow.MlflowClient()
        writes = [
            lambda: client.set_registered_model_alias(name, "champion", history[-1]),
            lambda: client.set_registered_model_tag(name, HISTORY, ",".join(history)),
        ]
        # killed in between, either way the history ends with the version before the one in use: the
        # same command again finishes the work, and a rollback goes there
        for write in reversed(writes) if going_back else writes:
            write()


def download(uri: str, *, tracking: str) -> Path:
    """Return the folder of a saved model, fetched from the store where need be.

    Parameters
    ----------
    uri : str
        ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, ``runs:/…``, or a folder.
    tracking : str
        MLflow tracking address.

    Returns
    -------
    Path
        The folder that holds ``model.json``.

    Raises
    ------
    ModelError
        If there is no such model, or it is not one of ours.
    """
    if "://" not in uri and ":/" not in uri:
        folder = Path(uri)
    else:
        with opened(tracking) as mlflow:
            folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    found = sorted(folder.rglob("model.json")) if folder.is_dir() else []
    if not found:
        raise ModelError(
            f"{uri} holds no riskmodel model (no model.json). Name a model that 'riskmodel train' made."
        )
    return found[0].parent
