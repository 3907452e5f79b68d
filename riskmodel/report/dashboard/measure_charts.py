"""Small line charts as inline SVG: one measure over terms, England dashed, readable in greyscale.

In:  labels, values, which are hidden, England's figure.
Out: numbers and text for the template; nothing of a hidden value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from riskmodel.report.charts import axis_ends, number

__all__ = ["Point", "line_chart", "spread_chart"]

WIDTH, HEIGHT = 330, 140
LEFT, RIGHT, TOP, BOTTOM = 36, 50, 12, 22


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


def line_chart(points: Sequence[Point], reference: float, *, whole: bool = False) -> dict[str, Any]:
    """Lay out a measure over its periods.

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
    dict
        For the template: size, ``lines``, ``dots``, ``notes`` (c or – at the foot), ``years``,
        ``low`` and ``high`` of the axis, ``reference``, and ``text``, what the picture shows.
    """
    values = [point.value for point in points if not math.isnan(point.value)]
    low, high = axis_ends([*values, reference])
    step = (WIDTH - LEFT - RIGHT) / max(1, len(points))
    across = [LEFT + step * (place + 0.5) for place in range(len(points))]

    def up(value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    shown = [(x, point) for x, point in zip(across, points, strict=True)]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "foot": HEIGHT - BOTTOM,
        "lines": [" ".join(f"{x:.1f},{up(p.value)}" for x, p in run) for run in _runs(shown)],
        "dots": [{"x": round(x, 1), "y": up(p.value), "complete": p.complete}
                 for x, p in shown if not math.isnan(p.value)],
        "notes": [{"x": round(x, 1), "text": "c" if p.hidden else "–"}
                  for x, p in shown if math.isnan(p.value)],
        "years": _years(points, step),
        "low": number(low, whole=whole).removesuffix(".0"),
        "high": number(high, whole=whole).removesuffix(".0"),
        "reference": None if math.isnan(reference) else up(reference),
        "text": _in_words(points, values, reference, whole=whole),
    }  # fmt: skip


def _runs(shown: list[tuple[float, Point]]) -> list[list[tuple[float, Point]]]:
    """Split into runs without a gap: a line never crosses what is hidden or not known."""
    runs: list[list[tuple[float, Point]]] = [[]]
    for x, point in shown:
        if math.isnan(point.value):
            runs.append([])
        else:
            runs[-1].append((x, point))
    return [run for run in runs if len(run) > 1]


def _years(points: Sequence[Point], step: float) -> list[dict[str, Any]]:
    years: list[dict[str, Any]] = []
    for place, point in enumerate(points):
        if not years or years[-1]["text"] != point.year[2:]:
            years.append({"text": point.year[2:], "x": round(LEFT + step * place, 1), "periods": 0})
        years[-1]["periods"] += 1
    for year in years:
        year["middle"] = round(year["x"] + step * year["periods"] / 2, 1)
    return years


def _in_words(
    points: Sequence[Point], values: Sequence[float], reference: float, *, whole: bool
) -> str:
    if not values:
        return "No value can be shown."
    parts = [
        f"Line from {number(values[0], whole=whole)} to {number(values[-1], whole=whole)}, lowest "
        f"{number(min(values), whole=whole)}, highest {number(max(values), whole=whole)}, over "
        f"{len(points)} periods from {points[0].year} to {points[-1].year}."
    ]
    if len(values) < len(points):
        parts.append(f"Periods without a value shown: {len(points) - len(values)}.")
    if not math.isnan(reference):
        parts.append(f"Dashed line, England: {number(reference)}.")
    return " ".join(parts)


def spread_chart(schools: Sequence[int], share: Sequence[float]) -> dict[str, Any]:
    """Lay out the curve of how events are spread over schools.

    Parameters
    ----------
    schools : sequence of int
        Schools from those that issued most, from 0 to all.
    share : sequence of float
        Share of all events that they issued, 0 to 1.

    Returns
    -------
    dict
        For the template: size, ``line``, ``dots`` and ``even``, the line if all had issued alike.
    """
    size, edge = 200, 34

    def at(part: float, whole: float) -> str:
        return (
            f"{edge + part * (size - edge - 8):.1f},{size - edge - whole * (size - edge - 8):.1f}"
        )

    places = [
        at(count / max(1, schools[-1]), part) for count, part in zip(schools, share, strict=True)
    ]
    return {
        "size": size,
        "edge": edge,
        "line": " ".join(places),
        "dots": [place.split(",") for place in places],
        "even": f"{at(0, 0)} {at(1, 1)}",
    }
