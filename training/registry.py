"""The MLflow run and registry: where models are kept, compared and put to use.

In:  a folder that holds a saved model, what was measured, and a store.
Out: a registered version; a local folder for a version, an alias or an address.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.errors import ModelError
from riskmodel.training.store import Store

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Record", "Registry"]

HISTORY = "riskmodel.champions"
"""Tag of a registered model: the versions that were champion, oldest first."""

ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""MLflow's codes for a model or an alias that is not there; any other error is one."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a run leaves in MLflow beside its model.

    Attributes
    ----------
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
    """

    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    metrics_by_list: Sequence[Mapping[str, float]]
    tags: Mapping[str, str]
    texts: Mapping[str, str]
    example: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True)
class Registry:
    """The models of one outcome in a store.

    Attributes
    ----------
    outcome : str
        Outcome that the models are for.
    store : Store
        Where they are kept.

    Examples
    --------
    >>> Registry("pex", Store("sqlite:///mlflow.db")).address("3")
    'models:/riskmodel-pex/3'
    """

    outcome: str
    store: Store = field(repr=False)

    @property
    def name(self) -> str:
        """The name under which the models are registered."""
        return f"riskmodel-{self.outcome}"

    def address(self, version: str) -> str:
        """Return the address of a version.

        Parameters
        ----------
        version : str
            Version.

        Returns
        -------
        str
            What :meth:`download` fetches.
        """
        return f"models:/{self.name}/{version}"

    def open(self) -> bool:
        """Open the experiment of the outcome and write to it, before long work depends on it.

        A store in a file that is not there yet is not made, only its folder looked at.

        Returns
        -------
        bool
            Whether the store is there; else it will be made when there is something to keep.

        Raises
        ------
        ModelError
            If the store is down, or it or the folder of its models cannot be written.
        """
        file, tracking = self.store.file, self.store.tracking
        if file is not None and not file.exists():
            if not os.access(file.parent, os.W_OK):
                raise ModelError(
                    f"The MLflow store {tracking} cannot be made: {file.parent} is not a folder "
                    "that you may write to. Name another with --tracking."
                )
            self.store.check_folder(_artifacts(file))
            return False
        with self.store.opened(create=True) as mlflow:
            self._set_experiment(mlflow)
            mlflow.set_experiment_tag("riskmodel.outcome", self.outcome)
        return True

    def log_version(self, folder: Path, record: Record) -> str:
        """Log a run and register the saved model as its version, alias ``challenger``.

        The version appears when everything else is stored: a run that is killed before leaves no version.

        Parameters
        ----------
        folder : Path
            A saved model: numbers and JSON only.
        record : Record
            What is kept beside it.

        Returns
        -------
        str
            The version's number.

        Raises
        ------
        ModelError
            If the store cannot be reached or written.
        """
        with self.store.opened(create=True) as mlflow:
            self._set_experiment(mlflow)
            with mlflow.start_run():
                _log(mlflow, record)
                logged = mlflow.pyfunc.log_model(
                    name="model",
                    loader_module="riskmodel.model",
                    data_path=str(folder),
                    pip_requirements=[f"riskmodel=={package_version('riskmodel')}"],
                    signature=_signature(mlflow, record.example),
                    input_example=record.example,
                )
            version = mlflow.register_model(logged.model_uri, self.name, tags=dict(record.tags))
            number = version.version
            mlflow.MlflowClient().set_registered_model_alias(self.name, "challenger", number)
            return str(number)

    def _set_experiment(self, mlflow: Any) -> None:
        """Open the experiment; with an embedded store, keep artifacts beside the database."""
        with (
            self.store.one_at_a_time()
        ):  # the first look makes the tables, and two would make them both
            if mlflow.get_experiment_by_name(self.name) is None:
                file = self.store.file
                mlflow.create_experiment(
                    self.name, artifact_location=None if file is None else _artifacts(file)
                )
        self.store.check_folder(mlflow.set_experiment(self.name).artifact_location)

    def version_of(self, alias: str) -> str | None:
        """Return the version an alias points to.

        Parameters
        ----------
        alias : str
            ``"champion"`` or ``"challenger"``.

        Returns
        -------
        str or None
            Version, or None where there is no such model or alias.

        Raises
        ------
        ModelError
            If the store cannot be reached.
        """
        with self.store.opened() as mlflow:
            try:
                found = mlflow.MlflowClient().get_model_version_by_alias(self.name, alias)
            except mlflow.exceptions.MlflowException as error:
                if error.error_code not in ABSENT:
                    raise
                return None
            return str(found.version)

    def tags(self, version: str) -> dict[str, str]:
        """Return the tags of a version.

        Parameters
        ----------
        version : str
            Version.

        Returns
        -------
        dict of str to str
            Tags.

        Raises
        ------
        ModelError
            If there is no such version, or the store cannot be reached.
        """
        with self.store.opened() as mlflow:
            return dict(mlflow.MlflowClient().get_model_version(self.name, version).tags)

    def champions(self) -> list[str]:
        """Return the versions that were champion, the last one put to use last.

        Returns
        -------
        list of str
            Versions that are still there; empty where there never was a champion.

        Raises
        ------
        ModelError
            If the store cannot be reached.
        """
        with self.store.opened() as mlflow:
            client = mlflow.MlflowClient()
            try:
                model = client.get_registered_model(self.name)
            except mlflow.exceptions.MlflowException as error:
                if error.error_code not in ABSENT:
                    raise
                return []
            found = client.search_model_versions(f"name='{self.name}'")
            there = {str(one.version) for one in found}
            written = dict(model.tags or {}).get(HISTORY, "").split(",")
            return [version for version in written if version in there]

    def set_champion(self, history: Sequence[str], *, going_back: bool = False) -> None:
        """Put the last version of a history to use, and keep the history.

        Parameters
        ----------
        history : sequence of str
            Versions that were champion, the one to use last.
        going_back : bool
            Whether a version is taken out of use, not put to it.

        Raises
        ------
        ModelError
            If the store cannot be reached or written.
        """
        with self.store.opened() as mlflow:
            client = mlflow.MlflowClient()
            writes = [
                lambda: client.set_registered_model_alias(self.name, "champion", history[-1]),
                lambda: client.set_registered_model_tag(self.name, HISTORY, ",".join(history)),
            ]
            # killed in between, either way the history ends with the version before the one in use: the
            # same command again finishes the work, and a rollback goes there
            for write in reversed(writes) if going_back else writes:
                write()

    def download(self, uri: str) -> Path:
        """Return the folder of a saved model, fetched from the store where need be.

        Parameters
        ----------
        uri : str
            ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, ``runs:/…``, or a folder.

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
            with self.store.opened() as mlflow:
                folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
        found = sorted(folder.rglob("model.json")) if folder.is_dir() else []
        if not found:
            raise ModelError(
                f"{uri} holds no riskmodel model (no model.json). Name a model that 'riskmodel train' "
                "made."
            )
        return found[0].parent


def _artifacts(file: Path) -> str:
    return (file.parent / "mlartifacts").as_uri()


def _log(mlflow: Any, record: Record) -> None:
    """Write parameters, metrics, tags and texts to the run that is open."""
    mlflow.log_params(dict(record.parameters))
    mlflow.log_metrics(dict(record.metrics))
    for step, numbers in enumerate(record.metrics_by_list):
        mlflow.log_metrics({f"list.{k}": v for k, v in numbers.items()}, step=step)
    mlflow.set_tags(dict(record.tags))
    for name, text in record.texts.items():
        mlflow.log_text(text, name)


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
