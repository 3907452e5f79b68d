"""Fetch the model in use, or one that is named.

In:  an outcome, the MLflow tracking address, an address of a model.
Out: the model and where it came from.
"""

from __future__ import annotations

from riskmodel.errors import ModelError
from riskmodel.model import RiskModel
from riskmodel.training import registry

__all__ = ["load_model"]


def load_model(
    outcome: str, *, tracking: str, model_uri: str | None = None
) -> tuple[RiskModel, str]:
    """Fetch a model.

    Parameters
    ----------
    outcome : str
        Outcome that it must be for.
    tracking : str
        MLflow tracking address.
    model_uri : str, optional
        The champion where left out.

    Returns
    -------
    RiskModel, str
        The model and its address.

    Raises
    ------
    ModelError
        If there is no such model, or it is for another outcome.
    """
    uri = model_uri or f"models:/{registry.registered_name(outcome)}@champion"
    model = RiskModel.load(registry.download(uri, tracking=tracking))
    if model.outcome != outcome:
        raise ModelError(f"{uri} is a model for {model.outcome}, not for {outcome}.")
    return model, uri
