"""Score several LAs on Spark: one list per LA, from the champion of a shared store.

    spark-submit --master spark://HOST:7077 deploy/region.py OUT LA... \
        --outcome pex --capacity 100 --tracking URI

In:  a folder of extracts per LA, named after it. Each LA's facts stay apart: a pupil is compared with
     the schools and year groups of the pupil's own LA, and nobody sees another LA's list.
Out: ``OUT/<LA>``, the same files as ``riskmodel list`` writes, and ``OUT/lists.jsonl``.
Features, scores and contributions are made by the workers, which need riskmodel and Python of the same
versions; reading, the audit and the pages are made by the driver. An LA whose list fails is named, and
the others go on.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from riskmodel.errors import RiskmodelError
from riskmodel.jobs import Run, make_list, signed


def score_region(
    out: Path,
    extracts: list[Path],
    outcome: Annotated[str, typer.Option()],
    capacity: Annotated[int, typer.Option(min=1, help="Pupils that each LA can see.")],
    tracking: Annotated[str, typer.Option()],
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
) -> None:
    """Write a list for each folder of extracts."""
    out.mkdir(parents=True, exist_ok=True)
    day = None if as_of is None else pd.Timestamp(as_of).as_unit("s")
    run = Run(outcome, tracking=tracking, as_of=day, capacity=capacity, engine="spark")
    failed = False
    for folder in extracts:
        try:
            made = make_list(
                folder,
                run,
                out=out / folder.name,
                log=signed(out / "lists.jsonl", "region.py"),
            )
            typer.echo(f"{folder.name}: {made}")
        except RiskmodelError as error:
            failed = True
            typer.echo(f"{folder.name}: {error}", err=True)
    raise typer.Exit(int(failed))


if __name__ == "__main__":
    typer.run(score_region)
