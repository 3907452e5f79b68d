"""The command line: parses, calls one public function, prints.

Standard output is the answer, standard error is the talk. Exit code 0: done; 1: the data or the
request is wrong, and one sentence says what, where and what to do; 2: the command line was wrong.
"""

from __future__ import annotations

import gc
import logging
import sys
import tempfile
import traceback
import warnings
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from riskmodel.data.outcomes import OUTCOMES
from riskmodel.errors import RiskmodelError, without_secrets

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Ranked early-intervention lists for permanent exclusion and NEET, with reasons and audit. "
    "A list starts a conversation about support; it decides nothing about a child.",
)

if TYPE_CHECKING:
    Outcome: TypeAlias = str
else:
    Outcome = Literal[tuple(OUTCOMES)]  # typer shows and checks these choices
Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="Folder of extracts, the file of the 1993 cohort, or the address of a database.",
    ),
]
Tracking = Annotated[
    str, typer.Option("--tracking", help="MLflow tracking address.", metavar="URI")
]
OutcomeOption = Annotated[Outcome, typer.Option("--outcome", help="Outcome.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        help="Use only facts recorded before this day.",
        metavar="DATE",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed.")]
Gates = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        help="Gates, points, reserved places and policy breaks; else riskmodel.toml, if it is here.",
    ),
]
STORE = "sqlite:///mlflow.db"
SEARCHES = "sqlite:///search.db"
DECISIONS = Path("decisions.jsonl")


def main() -> None:
    """Run the command line; turn every error into one sentence and an exit code.

    Raises
    ------
    SystemExit
        Always: with code 0 when done, 1 or 2 as the head of this module explains.
    """
    # Python's default looks for unreachable objects after every 700 new ones: a tenth of a short command
    gc.set_threshold(100_000, 20, 20)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("riskmodel").setLevel(logging.INFO)
    if not sys.warnoptions:  # python -W still shows a developer what libraries warn of
        warnings.simplefilter("ignore")
    try:
        app()
    except (Exception, KeyboardInterrupt) as error:  # the edge: no traceback is shown to the user
        sys.stderr.write(f"{_sentence(error)}\n")
        raise SystemExit(1) from None


def _sentence(error: BaseException) -> str:
    """Return what the user reads of an error; the traceback of one of ours goes to a file."""
    if isinstance(error, RiskmodelError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Stopped; nothing half-written was left behind."
    if isinstance(
        error, OSError
    ):  # the disk is full, or nothing may be written where something must be
        where = f"{error.filename}: " if error.filename else ""
        return (
            f"{where}cannot be read or written ({error.strerror or error}). Make room, or check the rights; "
            "nothing half-written was left behind."
        )
    with tempfile.NamedTemporaryFile(
        "w", prefix="riskmodel-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        log.write(without_secrets("".join(traceback.format_exception(error))))
    return (
        f"Something went wrong that this program did not foresee ({type(error).__name__}). "
        f"The details are in {log.name}; please report them."
    )


@app.command()
def demo(
    pupils: Annotated[int, typer.Option(help="Pupils on roll.")] = 12_000,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Empty or new folder.")] = Path("demo"),
) -> None:
    """Do the whole job on a simulated LA: extracts, model, list."""
    from riskmodel.jobs import run_demo

    typer.echo(run_demo(out, pupils=pupils, seed=seed))


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Empty or new folder.")],
    pupils: Annotated[int, typer.Option(help="Pupils on roll.")] = 12_000,
    years: Annotated[int, typer.Option(help="School years.")] = 4,
    seed: Seed = 0,
    preset: Annotated[
        Literal["england", "bcp"], typer.Option(help="Levels of exclusion.")
    ] = "england",
    world: Annotated[
        Literal["steady", "crisis", "contagion", "new_head", "policy"],
        typer.Option(help="How lives go at these levels."),
    ] = "steady",
    layout: Annotated[
        Literal["tables", "returns"], typer.Option(help="Layout of the files.")
    ] = "tables",
) -> None:
    """Write the extracts of a simulated LA; no real pupil is in them."""
    from riskmodel.simulate import write_simulated, write_simulated_returns

    write = write_simulated_returns if layout == "returns" else write_simulated
    rows = write(out, pupils=pupils, years=years, seed=seed, preset=preset, world=world)
    if layout == "returns":
        words = f"{len(rows)} files with {sum(rows.values()):,} rows"
    else:
        words = ", ".join(f"{name} {count:,}" for name, count in rows.items())
    typer.echo(f"Simulated extracts in {out}: {words}.")


@app.command()
def check(
    context: typer.Context,
    data: Data,
    out: Annotated[Path | None, typer.Option(help="Empty or new folder for the report.")] = None,
) -> None:
    """Report problems, rows set aside, and rates beside the national ones."""
    from riskmodel.data.check import check as check_extract
    from riskmodel.data.read import read
    from riskmodel.report.check_page import write_check
    from riskmodel.simulate import measure, preset_of, summarise

    extract = read(data)
    report = check_extract(extract)
    preset = preset_of(data)
    if out is not None:
        write_check(report, out, simulated=preset is not None)
    typer.echo(report.text())
    if preset is not None:
        figures = summarise([measure(extract.tables, preset)]).drop(columns=["low", "high"])
        typer.echo(f"\nSIMULATED DATA, preset {preset}, beside the figures it was made from:")
        typer.echo(figures.to_string(index=False, float_format="{:.3f}".format))
    context.exit(1 if report.has_errors else 0)


@app.command("map")
def map_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that check does not know.")],
) -> None:
    """Propose how to read a file of a layout of your own: a section for riskmodel.toml."""
    from riskmodel.data.read import propose_mapping

    typer.echo(propose_mapping(file))


@app.command()
def train(
    data: Data,
    outcome: OutcomeOption,
    as_of: AsOf = None,
    trials: Annotated[int, typer.Option(min=0, help="Settings to try in a search.")] = 0,
    fair: Annotated[
        bool, typer.Option("--fair", help="Search for a small recall gap between groups too.")
    ] = False,
    storage: Annotated[
        str,
        typer.Option(
            help="Database that keeps the trials; the same search goes on where it stopped."
        ),
    ] = SEARCHES,
    seed: Seed = 0,
    capacity: Annotated[
        int | None, typer.Option(min=1, help="Pupils listed in the backtest.")
    ] = None,
    settings: Gates = None,
    tracking: Tracking = STORE,
) -> None:
    """Train a model, test it on earlier lists, and register it as challenger."""
    from riskmodel.jobs import Run, SearchPlan, read_settings
    from riskmodel.jobs import train as train_model

    run = Run(
        outcome,
        tracking=tracking,
        as_of=_day(as_of),
        capacity=capacity,
        seed=seed,
        settings=read_settings(settings),
    )
    plan = SearchPlan(n_trials=trials, is_fair=fair, storage=storage) if trials else None
    typer.echo(train_model(data, run, search=plan).text())


@app.command()
def reserve(
    data: Data,
    outcome: OutcomeOption,
    as_of: AsOf = None,
    capacity: Annotated[int | None, typer.Option(min=1, help="Places on the tested lists.")] = None,
    seed: Seed = 0,
    settings: Gates = None,
) -> None:
    """Test on earlier lists whether places for children never suspended pay here."""
    from riskmodel.jobs import Run, measure_reserve, read_settings

    run = Run(
        outcome,
        tracking=STORE,
        as_of=_day(as_of),
        capacity=capacity,
        seed=seed,
        settings=read_settings(settings),
    )
    typer.echo(measure_reserve(data, run).text())


@app.command()
def promote(
    outcome: OutcomeOption,
    version: Annotated[str | None, typer.Option(help="Version; else the challenger.")] = None,
    settings: Gates = None,
    tracking: Tracking = STORE,
) -> None:
    """Put a version to use as champion, if no gate blocks it."""
    from riskmodel.jobs import Run, read_settings
    from riskmodel.jobs import promote as promote_version

    run = Run(outcome, tracking=tracking, settings=read_settings(settings))
    number = promote_version(run, version)
    typer.echo(f"Version {number} is now the champion for {outcome}.")


@app.command()
def rollback(outcome: OutcomeOption, tracking: Tracking = STORE) -> None:
    """Put the champion before the present one to use again."""
    from riskmodel.jobs import Run, roll_back

    number = roll_back(Run(outcome, tracking=tracking))
    typer.echo(f"Version {number} is the champion for {outcome} again.")


@app.command("list")
def list_(
    data: Data,
    outcome: OutcomeOption,
    capacity: Annotated[int, typer.Option(help="Pupils the service can see.")],
    out: Annotated[Path, typer.Option(help="Empty or new folder.")],
    emerging: Annotated[
        float | None,
        typer.Option(
            help="Share of the places for children never suspended, up to 0.2; else that of the settings.",
            metavar="SHARE",
        ),
    ] = None,
    as_of: AsOf = None,
    model: Annotated[str | None, typer.Option(help="Model address; else the champion.")] = None,
    log: Annotated[
        Path | None, typer.Option(help="Log of lists; else lists.jsonl beside the store.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who makes it; else the account's name.")] = None,
    password_file: Annotated[
        str | None,
        typer.Option(
            help="File with a password that seals the pages (not the other files); - asks for it.",
            metavar="FILE",
        ),
    ] = None,
    settings: Gates = None,
    tracking: Tracking = STORE,
) -> None:
    """Write the ranked list with reasons and audit, and log that it was made."""
    from riskmodel.jobs import Run, log_beside, make_list, read_settings, signed

    run = Run(
        outcome,
        tracking=tracking,
        as_of=_day(as_of),
        capacity=capacity,
        settings=read_settings(settings),
    )
    folder = make_list(
        data,
        run,
        out=out,
        model_uri=model,
        log=signed(log or log_beside(run), by),
        password=_password(password_file),
        emerging=emerging,
    )
    typer.echo(
        f"Open {folder / 'index.html'} in a browser; the workbook is {folder / 'list.xlsx'}."
    )


@app.command()
def verify(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Log of lists or of decisions.")],
) -> None:
    """Check that no entry of a log was edited, deleted, inserted or moved."""
    from riskmodel.data.journal import read_journal

    entries = read_journal(log)
    last = entries[-1]["hash"] if entries else "none, the log is empty"
    typer.echo(
        f"{log}: the chain of all {len(entries)} entries holds.\nLast hash: {last}\n"
        "Note it somewhere else: that newer entries were cut off shows only when a hash noted earlier "
        "is no longer in the log."
    )


@app.command()
def feedback(
    workbooks: Annotated[
        list[Path], typer.Argument(metavar="WORKBOOK...", help="Workbooks that came back.")
    ],
    log: Annotated[Path, typer.Option(help="Log of decisions; it is added to.")] = DECISIONS,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--list", help="The list's folder, to compare every row with the list itself."
        ),
    ] = None,
) -> None:
    """Bring decisions back from returned workbooks, and say how far each list was looked at."""
    from riskmodel.jobs import feedback as bring_back

    now = datetime.now().astimezone()
    made = bring_back(workbooks, log=log, today=now.date(), at=now, folder=folder)
    typer.echo(made.text())


@app.command()
def monitor(
    data: Data,
    outcome: OutcomeOption,
    as_of: AsOf = None,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", help="Folder of a list that was handed out; may be repeated."),
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option(help="Log of decisions that feedback wrote.", metavar="LOG")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Empty or new folder for the page.")] = None,
    settings: Gates = None,
    tracking: Tracking = STORE,
) -> None:
    """Watch the champion: the extract's problems, drift, what became of earlier lists."""
    from riskmodel.jobs import Run, read_settings
    from riskmodel.jobs import monitor as watch

    run = Run(outcome, tracking=tracking, as_of=_day(as_of), settings=read_settings(settings))
    typer.echo(watch(data, run, lists=tuple(lists or ()), decisions=decisions, out=out).text())


@app.command()
def dashboard(
    data: Data,
    out: Annotated[Path, typer.Option(help="Empty or new folder.")],
    as_of: AsOf = None,
    settings: Gates = None,
) -> None:
    """Write the inclusion dashboard: a page for the LA, and one for each school's own use."""
    from riskmodel.jobs import make_dashboard, read_settings

    breaks = read_settings(settings).policy_breaks
    folder = make_dashboard(data, out=out, as_of=_day(as_of), breaks=breaks)
    typer.echo(
        f"Open {folder / 'index.html'} in a browser; each school's page is in {folder / 'schools'}."
    )


def _password(source: str | None) -> str | None:
    """Return the first line of a file, or what is typed; None where none was asked for."""
    from riskmodel.jobs import read_password

    if source != "-":
        return None if source is None else read_password(source)
    typed: str = typer.prompt("Password for the pages", hide_input=True, confirmation_prompt=True)
    return typed


def _day(value: datetime | None):  # type: ignore[no-untyped-def]
    import pandas as pd

    return None if value is None else pd.Timestamp(value).as_unit("s")
