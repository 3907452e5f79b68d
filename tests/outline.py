"""Shared by the tests of pages: what a page holds, read with the parser of the standard library.

In:  the path of a page.
Out: its tags, row heads, tags left open and scripts.
"""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

__all__ = ["Outline"]


class Outline(HTMLParser):
    """The tags of a page, the text of row heads, tags left open, and the text of scripts by id."""

    VOID = ("meta", "br", "input")

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.text = page.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.row_heads: list[str] = []
        self.open: list[str] = []
        self.inside: str | None = None
        self.parts: dict[str, str] = {}
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag not in self.VOID:
            self.open.append(tag)
        if (tag, attributes.get("scope")) == ("th", "row"):
            self.row_heads.append("")
        self.inside = str(attributes.get("id", tag)) if tag in ("script", "style") else None

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.inside = None

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.parts[self.inside] = self.parts.get(self.inside, "") + data
        elif "th" in self.open and self.row_heads and "tbody" in self.open:
            self.row_heads[-1] += data

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.parts["data"]))
