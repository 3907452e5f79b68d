"""Write the page of commands from their help: ``python docs/write_commands.py > docs/commands.md``."""

from __future__ import annotations

import re
import sys

import typer.main
from typer.testing import CliRunner

from riskmodel.cli import app

HEAD = """# Every command

As `riskmodel COMMAND --help` prints it; this page: `python docs/write_commands.py`. Standard output is the
answer, standard error is the talk. A command ends with 0 when done, 1 when the data or the request is wrong
(one sentence says what, where and what to do), 2 when the command line was.

`DATA` is a folder of returns or tables, one file, or the address of a database ([reading](reading.md)).
`--out` is a new or empty folder, which appears when everything in it is whole.
"""


def help_of(command: str) -> str:
    """Return what a command prints for ``--help``."""
    made = CliRunner().invoke(app, [command, "--help"], prog_name="riskmodel", terminal_width=110)
    lines = [line.rstrip() for line in made.stdout.strip().splitlines()]
    return re.sub(r"\n\s*--help .*", "", "\n".join(lines))


def page() -> str:
    """Return the page.

    Returns
    -------
    str
        Markdown, one section per command in the order of ``riskmodel --help``.
    """
    names = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    parts = [f"\n## {name}\n\n```text\n{help_of(name)}\n```" for name in names]
    return "\n".join([HEAD.rstrip(), *parts]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
