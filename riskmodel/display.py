"""Tables as a notebook shows them: captioned, short, escaped, with headers that can be read out.

In:  a frame and what it is about.
Out: HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = [
    "MOST_ROWS",
    "html_list",
    "html_table",
    "write_interval",
    "write_intervals",
    "write_share",
]

MOST_ROWS = 12
"""Rows of a table that are shown; a line below counts the rest."""

NOTHING = "–"
"""Stands where a value is missing or not defined."""

_TABLE = """<table>
<caption style="caption-side: top; text-align: left">{{ caption }}</caption>
<thead><tr>{% for name in header %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in rows %}
<tr><th scope="row">{{ row[0] }}</th>{% for cell in row[1:] %}<td>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody>
</table>
{% if note %}<p>{{ note }}</p>{% endif %}"""

_LIST = "<ul>{% for sentence in sentences %}<li>{{ sentence }}</li>{% endfor %}</ul>"


@cache
def _template(source: str) -> Template:
    from jinja2 import Environment

    return Environment(autoescape=True).from_string(source)


def html_table(table: pd.DataFrame, caption: str, *, note: str = "") -> str:
    """Return a table for a notebook.

    Parameters
    ----------
    table : DataFrame
        What is shown; the first column names the rows. The first :data:`MOST_ROWS` rows are.
    caption : str
        What the table is about, in a sentence.
    note : str
        Shown below it.

    Returns
    -------
    str
        HTML; every text in it is escaped. Fractions have three decimals, counts a comma for
        thousands, dates read as ``1 June 2024``; what is missing is a dash, never 0.

    Examples
    --------
    >>> "<td>1,200</td>" in html_table(pd.DataFrame({"group": ["a"], "n": [1200]}), "Pupils")
    True
    """
    left_out = len(table) - MOST_ROWS
    notes = [note] if note else []
    if left_out > 0:
        notes.append(f"{left_out} more {'row is' if left_out == 1 else 'rows are'} not shown.")
    shown = table.head(MOST_ROWS)
    columns = [[_write(value) for value in shown[name].tolist()] for name in shown]
    return _template(_TABLE).render(
        caption=caption, note=" ".join(notes), rows=list(zip(*columns, strict=True)),
        header=[str(name).replace("_", " ") for name in shown],
    )  # fmt: skip


def html_list(sentences: list[str]) -> str:
    """Return sentences for a notebook.

    Parameters
    ----------
    sentences : list of str
        One for each point.

    Returns
    -------
    str
        HTML, escaped.
    """
    return _template(_LIST).render(sentences=sentences)


def write_interval(value: float, low: float, high: float) -> str:
    """Write a figure with its interval.

    Parameters
    ----------
    value, low, high : float
        The figure and the ends of its interval; missing ones are nan.

    Returns
    -------
    str
        ``0.402 (0.294 to 0.555)``; a dash where there is no figure, and the figure alone, said to
        have none, where there is no interval.

    Examples
    --------
    >>> write_interval(0.4, 0.25, 0.5), write_interval(0.4, float("nan"), 0.5)
    ('0.400 (0.250 to 0.500)', '0.400 (no interval)')
    """
    if np.isnan(value):
        return NOTHING
    if np.isnan(low) or np.isnan(high):
        return f"{value:.3f} (no interval)"
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def write_intervals(table: pd.DataFrame, name: str) -> list[str]:
    """Write a column of figures with its intervals.

    Parameters
    ----------
    table : DataFrame
        With ``name`` and the ends of its intervals, ``name_low`` and ``name_high``.
    name : str
        Column of the figures.

    Returns
    -------
    list of str
        One per row, from :func:`write_interval`.
    """
    ends = (table[f"{name}{end}"] for end in ("", "_low", "_high"))
    return [write_interval(*figures) for figures in zip(*ends, strict=True)]


def write_share(row: Mapping[Any, Any], name: str) -> str:
    """Write a share as a percentage, with its interval where both ends are known.

    Parameters
    ----------
    row : mapping
        A row of a table: ``name``, ``name_low`` and ``name_high``. Ends may be missing, None or nan.
    name : str
        The share.

    Returns
    -------
    str
        ``40%``, or ``40% (25% to 50%)``.

    Examples
    --------
    >>> write_share({"kept": 0.4, "kept_low": 0.25, "kept_high": 0.5}, "kept")
    '40% (25% to 50%)'
    """
    low, high = (row.get(f"{name}{end}") for end in ("_low", "_high"))
    has_ends = not (pd.isna(low) or pd.isna(high))
    return f"{row[name]:.0%}" + (f" ({low:.0%} to {high:.0%})" if has_ends else "")


def _write(value: Any) -> str:
    if pd.isna(value):
        return NOTHING
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return f"{value.day} {value:%B %Y}"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float | np.floating) else str(value)
