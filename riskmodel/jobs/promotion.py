"""Put a version to use as champion, and go back to the one before.

In:  a run; a version.
Out: the champion's number.
"""

from __future__ import annotations

import re

from riskmodel.errors import ModelError, RequestError
from riskmodel.jobs.champion import load_model
from riskmodel.jobs.gates import missing_answers
from riskmodel.jobs.run import Run
from riskmodel.training.gate_answers import from_tags
from riskmodel.training.registry import Registry

__all__ = ["promote", "roll_back"]


def promote(run: Run, number: str | None = None) -> str:
    """Put a version to use as champion, if no gate blocks it.

    Parameters
    ----------
    run : Run
        Outcome, store, and the gates and points that the version must have been judged by.
    number : str, optional
        Version; the challenger where left out.

    Returns
    -------
    str
        The version that is champion now.

    Raises
    ------
    ModelError
        If there is no such version or it cannot be read, it was judged by other gates than those of
        the run or against another champion than the present one, or a gate was failed or could
        not be judged; the message names the reason.
    RequestError
        If the version is no number.
    """
    registry = run.registry
    chosen = _chosen(run, number)
    tags = registry.tags(chosen)
    present = registry.version_of("champion")
    try:
        _check_gates(tags, run)
        if present != chosen:
            _check_champion(chosen, tags.get("champion", "none"), present)
        load_model(registry, registry.address(chosen))
    except ModelError as error:
        raise ModelError(f"Version {chosen} for {run.outcome} is not promoted: {error}") from error
    registry.set_champion(_history(registry, present, chosen))
    return chosen


def _chosen(run: Run, number: str | None) -> str:
    """Return the version asked for, or the challenger."""
    if number is None:
        number = run.registry.version_of("challenger")
        if number is None:
            raise ModelError(
                f"There is no model for {run.outcome} in {run.tracking}. Train one first."
            )
    elif not re.fullmatch(r"[1-9][0-9]{0,8}", number):
        raise RequestError(
            f"'{number}' is no version: write its number in digits, such as 3, or leave it out for the "
            "challenger."
        )
    return number


def _check_gates(tags: dict[str, str], run: Run) -> None:
    """Refuse a version that was judged by other gates, by none, or that an answer blocks."""
    if tags.get("gates_digest") != run.settings.digest(run.outcome):
        now = run.settings.file or "the library's own, since no file of settings is here"
        raise ModelError(
            f"it was judged by other gates or points than those of now ({now}). They are written "
            "before a run; train again, or name the file that it was trained with."
        )
    answers = from_tags(tags)
    blocking = [f"{answer.code} ({answer.text()})" for answer in answers if answer.blocks]
    if blocking or not answers:
        raise ModelError(
            f"{'; '.join(blocking) or 'it carries no gates'}. The champion stays as it was. "
            "Not deploying is a good answer; add history or look at the backtest."
        )
    missing = missing_answers(run.gates, answers)
    if missing:
        raise ModelError(
            f"its tags hold no answer to {', '.join(missing)} that could have come from a training. They "
            "were changed by hand; train again."
        )


def _check_champion(chosen: str, judged_against: str, present: str | None) -> None:
    """Refuse a version that was not compared with the champion in use."""
    if present is not None and int(chosen) < int(present):
        raise ModelError(
            f"it is older than the champion, version {present}. 'riskmodel rollback' brings "
            "back a champion of before; else train again."
        )
    if judged_against != (present or "none"):
        against = "no champion" if judged_against == "none" else f"version {judged_against}"
        now = "there is none now" if present is None else f"version {present} is in use now"
        raise ModelError(f"it was judged against {against}, but {now}. Train again.")


def _history(registry: Registry, present: str | None, chosen: str) -> list[str]:
    """Return the versions that were champion, the one to use last."""
    history = registry.champions()
    for version in (present, chosen):  # the one in use may have been put there in MLflow, by hand
        if version is not None and history[-1:] != [version]:
            history.append(version)
    return history


def roll_back(run: Run) -> str:
    """Put the champion before the present one to use again.

    Where the alias is not on the version that was put to use last (a command that was killed, an
    alias moved or removed in MLflow), that version is the one before.

    Parameters
    ----------
    run : Run
        Outcome and store.

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
    registry = run.registry
    history, present = registry.champions(), registry.version_of("champion")
    if history[-1:] == [present]:
        history.pop()
    if not history:
        raise ModelError(
            f"There is no earlier champion for {run.outcome} to go back to"
            f"{f'; version {present} is the first that is left' if present else ''}."
        )
    try:
        load_model(registry, registry.address(history[-1]))
    except ModelError as error:
        raise ModelError(
            f"The champion for {run.outcome} before, version {history[-1]}, cannot be used again, and "
            f"{f'version {present} stays' if present else 'none is in use'}: {error}"
        ) from error
    registry.set_champion(history, going_back=True)
    return history[-1]
