"""Put a version to use as champion, and go back to the one before.

In:  an outcome, a version, the settings it was judged by.
Out: the champion's number.
"""

from __future__ import annotations

import re

from riskmodel.errors import ModelError, RequestError
from riskmodel.jobs.champion import load_model
from riskmodel.jobs.settings import Settings
from riskmodel.training import registry
from riskmodel.training.gate_answers import from_tags

__all__ = ["promote", "roll_back"]


def promote(
    outcome: str, *, tracking: str, number: str | None = None, settings: Settings | None = None
) -> str:
    """Put a version to use as champion, if it passed its gates.

    Parameters
    ----------
    outcome : str
        Outcome.
    tracking : str
        MLflow tracking address.
    number : str, optional
        Version; the challenger where left out.
    settings : Settings, optional
        What :func:`riskmodel.jobs.settings.read_settings` read; the defaults where left out.

    Returns
    -------
    str
        The version that is champion now.

    Raises
    ------
    ModelError
        If there is no such version or it cannot be read, it was judged by other gates than those of
        the settings or against another champion than the present one, or a gate was failed or could
        not be judged; the message says which.
    RequestError
        If the version is no number.
    """
    if number is None:
        chosen = registry.version_of(outcome, "challenger", tracking=tracking)
    elif re.fullmatch(r"[1-9][0-9]{0,8}", number):
        chosen = number
    else:
        raise RequestError(
            f"'{number}' is no version: write its number in digits, such as 3, or leave it out for the "
            "challenger."
        )
    if chosen is None:
        raise ModelError(f"There is no model for {outcome} in {tracking}. Train one first.")
    tags = registry.version_tags(outcome, chosen, tracking=tracking)
    stays = f"Version {chosen} for {outcome} is not promoted"
    _pass_gates(tags, (settings or Settings()).digest(outcome), stays)
    present = registry.version_of(outcome, "champion", tracking=tracking)
    if present != chosen:
        _match_champion(chosen, tags.get("champion", "none"), present, stays)
    try:
        load_model(outcome, tracking=tracking, model_uri=registry.address(outcome, chosen))
    except ModelError as error:
        raise ModelError(f"{stays}: {error}") from error
    history = registry.champions(outcome, tracking=tracking)
    for version in (present, chosen):  # the one in use may have been put there in MLflow, by hand
        if version is not None and history[-1:] != [version]:
            history.append(version)
    registry.set_champion(outcome, history, tracking=tracking)
    return chosen


def _pass_gates(tags: dict[str, str], digest: str, stays: str) -> None:
    """Refuse a version that was judged by other gates, by none, or that an answer blocks."""
    if tags.get("gates_digest") != digest:
        raise ModelError(
            f"{stays}: it was judged by other gates or points than riskmodel.toml holds now. They are "
            "written before a run; train again, or put back the file that it was trained with."
        )
    try:
        answers = from_tags(tags)
    except ModelError as error:
        raise ModelError(f"{stays}: {error}") from error
    blocking = [f"{answer.code} ({answer.text()})" for answer in answers if answer.blocks]
    if blocking or not answers:
        raise ModelError(
            f"{stays}: {'; '.join(blocking) or 'it carries no gates'}. The champion stays as it was. "
            "Not deploying is a good answer; add history or look at the backtest."
        )


def _match_champion(chosen: str, judged_against: str, present: str | None, stays: str) -> None:
    """Refuse a version that was not compared with the champion in use."""
    if present is not None and int(chosen) < int(present):
        raise ModelError(
            f"{stays}: it is older than the champion, version {present}. 'riskmodel rollback' brings "
            "back a champion of before; else train again."
        )
    if judged_against != (present or "none"):
        against = "no champion" if judged_against == "none" else f"version {judged_against}"
        now = "there is none now" if present is None else f"version {present} is in use now"
        raise ModelError(f"{stays}: it was judged against {against}, but {now}. Train again.")


def roll_back(outcome: str, *, tracking: str) -> str:
    """Put the champion before the present one to use again.

    Where the alias is not on the version that was put to use last (a command that was killed, an
    alias moved or removed in MLflow), that version is the one before.

    Parameters
    ----------
    outcome : str
        Outcome.
    tracking : str
        MLflow tracking address.

    Returns
    -------
    str
        The version that is champion now.

    Raises
    ------
    ModelError
        If there was no other champion before that is still there, or it cannot be read; nothing is
        changed.
    """
    history = registry.champions(outcome, tracking=tracking)
    present = registry.version_of(outcome, "champion", tracking=tracking)
    if history[-1:] == [present]:
        history.pop()
    if not history:
        raise ModelError(
            f"There is no earlier champion for {outcome} to go back to"
            f"{f'; version {present} is the first that is left' if present else ''}."
        )
    try:
        load_model(outcome, tracking=tracking, model_uri=registry.address(outcome, history[-1]))
    except ModelError as error:
        raise ModelError(
            f"The champion for {outcome} before, version {history[-1]}, cannot be used again, and "
            f"{f'version {present} stays' if present else 'none is in use'}: {error}"
        ) from error
    registry.set_champion(outcome, history, tracking=tracking, going_back=True)
    return history[-1]
