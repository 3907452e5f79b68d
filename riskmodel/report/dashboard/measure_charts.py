"""Charts of the dashboard: a measure over its periods, and how events are spread over schools.

In:  values, which are hidden, England's figure.
Out: places and text for the macros of ``charts.html``; nothing of a hidden value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from riskmodel.report.charts import axis_ends, number

__all__ = ["LineChart", "Place", "Point", "SpreadChart", "YearMark", "line_chart", "spread_chart"]

WIDTH, HEIGHT = 330, 140
LEFT, RIGHT, TOP, BOTTOM = 36, 50, 12, 22
"""Room around the lines of a measure: for the axis, "England", the upper end and the years."""

SIZE, EDGE, RIM = 200, 34, 8
"""Size of the square of a spread, and the room at its axes and beyond them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One period of a chart.

    Attributes
    ----------
    year : str
        School year.
    value : float
        Value; missing where hidden or undefined.
    hidden : bool
        Whether it is suppressed.
    complete : bool
        Whether the period is over.
    """

    year: str
    value: float
    hidden: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a period is drawn.

    Attributes
    ----------
    x, y : float
        Place in the picture.
    complete : bool
        Whether the period is over; the dot of one that is not is open.
    text : str
        What is written in place of a dot: c or –.
    """

    x: float
    y: float
    complete: bool
    text: str


@dataclass(frozen=True, slots=True)
class YearMark:
    """A school year at the foot of a chart.

    Attributes
    ----------
    text : str
        Its two last digits and those of the next, e.g. ``24/25``.
    x, middle : float
        Where it starts, and its middle.
    """

    text: str
    x: float
    middle: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LineChart:
    """A measure over its periods.

    Attributes
    ----------
    lines : tuple of str
        Points of each line, as SVG has them; a line ends where a value is not shown.
    dots, notes : tuple of Place
        Periods with a value, and those without.
    years : tuple of YearMark
        School years.
    low, high : str
        Ends of the axis.
    reference : float, optional
        Height of England's figure; None where there is none.
    text : str
        What the picture shows, in words.
    width, height, left, right, top, foot : int
        Size of the picture, and the ends of its axes.
    """

    lines: tuple[str, ...]
    dots: tuple[Place, ...]
    notes: tuple[Place, ...]
    years: tuple[YearMark, ...]
    low: str
    high: str
    reference: float | None
    text: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    foot: int = HEIGHT - BOTTOM


@dataclass(frozen=True, kw_only=True, slots=True)
class SpreadChart:
    """The share of events that the schools with most of them issued.

    Attributes
    ----------
    line, even : str
        Points of the curve, and of the line if all schools had issued alike, as SVG has them.
    dots : tuple of (str, str)
        Points of the curve.
    size, edge, rim : int
        Size of the square, and the room at its axes and beyond them.
    """

    line: str
    even: str
    dots: tuple[tuple[str, str], ...]
    size: int = SIZE
    edge: int = EDGE
    rim: int = RIM


def line_chart(points: Sequence[Point], reference: float, *, whole: bool = False) -> LineChart:
    """Return a measure over its periods as a chart.

    Parameters
    ----------
    points : sequence of Point
        In order of time.
    reference : float
        England's figure; missing where there is none.
    whole : bool
        Whether values are counts.

    Returns
    -------
    LineChart
        A hidden value is a c at the foot, an undefined one a dash.

    Examples
    --------
    >>> autumn = Point(year="2023/24", value=2.0, hidden=False, complete=True)
    >>> line_chart([autumn], 3.0).text
    'Line from 2.0 to 2.0, lowest 2.0, highest 2.0, over 1 period from 2023/24 to 2023/24. Dashed line, \
England: 3.0.'
    """
    values = [point.value for point in points if not math.isnan(point.value)]
    ends = axis_ends([*values, reference])
    step = (WIDTH - LEFT - RIGHT) / max(1, len(points))
    places = [_place(point, LEFT + step * (n + 0.5), ends) for n, point in enumerate(points)]
    low, high = (number(end, whole=whole).removesuffix(".0") for end in ends)
    return LineChart(
        lines=tuple(" ".join(f"{p.x:.1f},{p.y}" for p in run) for run in _runs(places)),
        dots=tuple(place for place in places if not place.text),
        notes=tuple(place for place in places if place.text),
        years=_years(points, step),
        low=low,
        high=high,
        reference=None if math.isnan(reference) else _height(reference, ends),
        text=_in_words(points, values, reference, whole=whole),
    )


def _height(value: float, ends: tuple[float, float]) -> float:
    """Return how high a value is drawn."""
    low, high = ends
    return round(HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)


def _place(point: Point, x: float, ends: tuple[float, float]) -> Place:
    """Return where a period is drawn: one without a value is written at the foot."""
    if math.isnan(point.value):
        return Place(round(x, 1), HEIGHT - BOTTOM, point.complete, "c" if point.hidden else "–")
    return Place(round(x, 1), _height(point.value, ends), point.complete, "")


def _runs(places: Sequence[Place]) -> list[list[Place]]:
    """Split into runs without a gap: a line never crosses what is hidden or not known."""
    runs: list[list[Place]] = [[]]
    for place in places:
        if place.text:
            runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if len(run) > 1]


def _years(points: Sequence[Point], step: float) -> tuple[YearMark, ...]:
    """Return each school year once, below its periods."""
    names = [point.year[2:] for point in points]
    marks = []
    for name in dict.fromkeys(names):
        x = round(LEFT + step * names.index(name), 1)
        marks.append(YearMark(name, x, round(x + step * names.count(name) / 2, 1)))
    return tuple(marks)


def _in_words(
    points: Sequence[Point], values: Sequence[float], reference: float, *, whole: bool
) -> str:
    """Return what a chart shows."""
    if not values:
        return "No value can be shown."
    periods = "1 period" if len(points) == 1 else f"{len(points)} periods"
    parts = [
        f"Line from {number(values[0], whole=whole)} to {number(values[-1], whole=whole)}, lowest "
        f"{number(min(values), whole=whole)}, highest {number(max(values), whole=whole)}, over "
        f"{periods} from {points[0].year} to {points[-1].year}."
    ]
    if len(values) < len(points):
        parts.append(f"Periods without a value shown: {len(points) - len(values)}.")
    if not math.isnan(reference):
        parts.append(f"Dashed line, England: {number(reference)}.")
    return " ".join(parts)


def spread_chart(schools: Sequence[int], share: Sequence[float]) -> SpreadChart:
    """Return how events are spread over schools as a chart.

    Parameters
    ----------
    schools : sequence of int
        Schools from those that issued most, from 0 to all.
    share : sequence of float
        Share of all events that they issued, 0 to 1.

    Returns
    -------
    SpreadChart
        The curve, and the line if all had issued alike.

    Examples
    --------
    >>> spread_chart([0, 2, 6], [0.0, 0.7, 1.0]).even
    '34.0,166.0 192.0,8.0'
    """
    most = max(1, schools[-1])
    dots = [_in_square(n / most, part) for n, part in zip(schools, share, strict=True)]
    even = [_in_square(0, 0), _in_square(1, 1)]
    line, straight = (" ".join(map(",".join, places)) for places in (dots, even))
    return SpreadChart(line=line, even=straight, dots=tuple(dots))


def _in_square(across: float, up: float) -> tuple[str, str]:
    """Return where two shares are in the square of a spread."""
    side = SIZE - EDGE - RIM
    return f"{EDGE + across * side:.1f}", f"{SIZE - EDGE - up * side:.1f}"
