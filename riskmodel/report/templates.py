"""Pages from Jinja2 templates; every value is escaped.

In:  the name of a template in this package, and values.
Out: HTML.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, Template

__all__ = ["render"]


def render(name: str, **contents: Any) -> str:
    """Fill a template of this package; every value is escaped.

    Parameters
    ----------
    name : str
        File name.
    **contents : Any
        Values by the names the template uses.

    Returns
    -------
    str
        HTML.
    """
    return _template(name).render(**contents)


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    """Return the one environment: it keeps what it compiled, which a hundred pages share."""
    return Environment(
        loader=PackageLoader("riskmodel.report", "."), autoescape=True, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
