"""What all charts share: colours, numbers for people, ends of axes, lengths of bars, pictures.

In:  values; functions that draw into axes of matplotlib.
Out: text and lengths for the templates; SVG for a page whose policy allows its own style sheet only.

Colours are read from ``style.css``, their one home. From dark to light they stay apart in greyscale, and
lines differ by dash and mark as well.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree

from markupsafe import Markup

from riskmodel.report.templates import style_sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Draw = Callable[[Figure, Axes, Any], None]

__all__ = ["HIGH", "MARKS", "axis_ends", "bar_length", "colour", "line_look", "number", "picture"]

FLOOR = 60
"""Percentages that all lie above it are drawn from near the lowest, and the axis shows it."""

STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
"""Round ends of an axis within a power of ten."""

WIDE, HIGH = 8.5, 3.6
"""Inches of a picture; the page scales it."""

POINTS = 9
"""Size of the letters of a picture."""

DASHES, MARKS = ("-", "--", ":", "-."), "os^Dv<>"
"""Dashes and marks by which the lines of one chart differ, besides their colour."""

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


@cache
def colour(name: str) -> str:
    """Return a colour of the style sheet.

    Parameters
    ----------
    name : str
        Its name there, without the dashes.

    Returns
    -------
    str
        ``#rrggbb``.

    Raises
    ------
    KeyError
        If the style sheet has no such colour.

    Examples
    --------
    >>> colour("ink")
    '#1c2530'
    """
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style_sheet()))[name]


def number(value: float, *, whole: bool = False) -> str:
    """Return a value as people write it.

    Parameters
    ----------
    value : float
        Any value; a missing one gives a dash.
    whole : bool
        Whether it is a count.

    Returns
    -------
    str
        One decimal place, two under 1.

    Examples
    --------
    >>> number(12.34), number(0.253), number(1234.0, whole=True), number(float("nan"))
    ('12.3', '0.25', '1,234', '–')
    """
    if math.isnan(value):
        return "–"
    if whole:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value == 0 or value >= 1 else f"{value:.2f}"


def axis_ends(values: Sequence[float]) -> tuple[float, float]:
    """Return round ends of an axis.

    Parameters
    ----------
    values : sequence of float
        What is drawn, none below 0; missing ones do not count.

    Returns
    -------
    low, high : float
        ``low`` is 0, unless all values are percentages above :data:`FLOOR`.

    Examples
    --------
    >>> axis_ends([1.2, 2.7]), axis_ends([93.5, 96.0])
    ((0.0, 3), (90.0, 100.0))
    """
    there = [value for value in values if not math.isnan(value)]
    if there and min(there) > FLOOR and max(there) <= 100:
        return math.floor((min(there) - 1) / 5) * 5.0, 100.0
    top = max([*there, 0.0]) * 1.05 or 1.0
    size = 10 ** math.floor(math.log10(top))
    return 0.0, next(size * step for step in STEPS if size * step >= top)


def bar_length(value: float, *, largest: float, width: float) -> float:
    """Return the length of a bar.

    Parameters
    ----------
    value : float
        What the bar shows; a missing value has no length.
    largest : float
        Value of the longest bar of the same scale.
    width : float
        Length of the longest bar.

    Returns
    -------
    float
        With one decimal place.

    Examples
    --------
    >>> bar_length(2.0, largest=8.0, width=250), bar_length(float("nan"), largest=8.0, width=250)
    (62.5, 0.0)
    """
    return 0.0 if math.isnan(value) or largest <= 0 else round(width * value / largest, 1)


def line_look(place: int, *, is_ours: bool) -> dict[str, Any]:
    """Return how the line of a ranker is drawn: ours dark and thick, each other by its own dash.

    Parameters
    ----------
    place : int
        Number of the line in its chart, from 0.
    is_ours : bool
        Whether it is the model.

    Returns
    -------
    dict
        Arguments of ``Axes.plot``.

    Examples
    --------
    >>> line_look(0, is_ours=True)
    {'linestyle': '-', 'color': '#12405c', 'linewidth': 2.0}
    """
    return {
        "linestyle": DASHES[place % len(DASHES)],
        "color": colour("deep") if is_ours else colour("edge"),
        "linewidth": 2.0 if is_ours else 1.0,
    }


def picture(draw: Draw, data: Any, *, title: str, height: float = HIGH) -> Markup:
    """Return a chart as inline SVG, the same bytes for the same data.

    Parameters
    ----------
    draw : callable
        Draws ``data`` into the figure and axes it gets.
    data : object
        What is drawn.
    title : str
        What a screen reader reads out.
    height : float
        Inches; all pictures are equally wide.

    Returns
    -------
    Markup
        SVG without style attributes, which the policy of a page forbids.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(cast("Any", _looks(title))):
        figure = Figure(figsize=(WIDE, height), layout="constrained")
        draw(figure, figure.add_subplot(), data)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return Markup(_inline(stream.getvalue(), title))  # noqa: S704


def _looks(title: str) -> dict[Any, Any]:
    """Return the settings of matplotlib for a picture."""
    soft, ink = colour("soft"), colour("ink")
    colours = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), soft)
    plain = dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False)
    clear = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), "none")
    sizes = dict.fromkeys(("font.size", "axes.labelsize", "xtick.labelsize"), POINTS)
    more = {"ytick.labelsize": POINTS, "legend.fontsize": POINTS, "axes.edgecolor": ink}
    text = {"svg.hashsalt": title, "svg.fonttype": "none", "grid.color": colour("line")}
    return colours | plain | clear | sizes | more | text


def _inline(text: str, title: str) -> str:
    """Return an SVG file as an element of a page: attributes in place of styles, and no unused names."""
    root = ElementTree.fromstring(text)  # what matplotlib wrote
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        if f"{{{XLINK}}}href" in element.attrib:
            element.set("href", element.attrib.pop(f"{{{XLINK}}}href"))
        _set_attributes(element)
    used = set(re.findall(r"#([\w.-]+)", text))
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": title}
    return ElementTree.tostring(root, encoding="unicode")


def _set_attributes(element: ElementTree.Element) -> None:
    """Turn the style of an element into attributes; the page has its own letters."""
    for part in element.attrib.pop("style", "").split(";"):
        name, _, value = part.partition(":")
        if value and name.strip() != "font-family":
            element.set(name.strip(), value.strip())
