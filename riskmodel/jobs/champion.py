"""Fetch the model in use, or one that is named.

In:  a registry; an address of a model.
Out: the model and where it came from; the champion, or why it cannot be read.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from riskmodel.errors import ModelError
from riskmodel.model import RiskModel
from riskmodel.training.registry import Registry

__all__ = ["InUse", "champion_in_use", "load_model"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class InUse:
    """The champion in use, as far as there is one and it can be read.

    Attributes
    ----------
    version : str or None
        Its version; None where no model is in use.
    model : RiskModel or None
        The model; None where there is none or it cannot be read.
    fault : str
        Why it cannot be read; empty where it can.
    """

    version: str | None = None
    model: RiskModel | None = field(repr=False, default=None)
    fault: str = ""


def load_model(registry: Registry, model_uri: str | None = None) -> tuple[RiskModel, str]:
    """Fetch a model.

    Parameters
    ----------
    registry : Registry
        The models of the outcome that it must be for.
    model_uri : str, optional
        The champion where left out.

    Returns
    -------
    RiskModel, str
        The model and its address.

    Raises
    ------
    ModelError
        If there is no such model, it cannot be read, or it is for another outcome.
    """
    uri = model_uri or f"models:/{registry.name}@champion"
    model = RiskModel.load(registry.download(uri))
    if model.outcome != registry.outcome:
        raise ModelError(f"{uri} is a model for {model.outcome}, not for {registry.outcome}.")
    return model, uri


def champion_in_use(registry: Registry) -> InUse:
    """Fetch the champion, or the reason why it cannot be read.

    Parameters
    ----------
    registry : Registry
        The models of an outcome; their store must be there.

    Returns
    -------
    InUse
        Version and model.

    Raises
    ------
    ModelError
        If the store cannot be reached.
    """
    version = registry.version_of("champion")
    if version is None:
        return InUse()
    try:
        model, _ = load_model(registry, registry.address(version))
    except ModelError as error:
        fault = f"the champion in use (version {version}) cannot be read: {error}"
        logger.warning("Nothing is compared with it: %s", fault)
        return InUse(version=version, fault=fault)
    return InUse(version=version, model=model)
