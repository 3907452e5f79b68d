"""Pages from Jinja2 templates: every value is escaped, and every page has the one style sheet.

In:  the name of a template in this package, and values.
Out: HTML. ``base.html`` is the frame of a page, ``components.html`` holds its parts, ``style.css`` its look.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup

__all__ = ["render", "style_sheet"]


def render(name: str, **contents: Any) -> str:
    """Return a template of this package filled in; every value is escaped.

    Parameters
    ----------
    name : str
        File name.
    **contents : Any
        Values by the names the template uses. ``style`` and ``version`` are there already.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> page = render("record.html", title="A & B", simulated=False)
    >>> "<h1>A &amp; B</h1>" in page
    True
    """
    return _template(name).render(**contents)


@cache
def style_sheet() -> str:
    """Return the look of all pages.

    Returns
    -------
    str
        CSS.

    Examples
    --------
    >>> style_sheet().startswith("/* One look for every page")
    True
    """
    return (files("riskmodel.report") / "style.css").read_text("utf-8")


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    """Return the one environment: it keeps what it compiled, which a hundred pages share."""
    made = Environment(
        loader=PackageLoader("riskmodel.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"style": Markup(style_sheet()), "version": version("riskmodel")}  # noqa: S704
    made.filters["fingerprint"] = _fingerprint
    return made


@cache
def _fingerprint(text: str) -> str:
    """Return a text's hash, as a content policy names what it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
