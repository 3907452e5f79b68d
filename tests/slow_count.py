"""Shared by the tests: rows of a text counted slowly, character by character, without any parser.

In:  the bytes of a delimited text.
Out: how many rows it has below its header.
"""

from __future__ import annotations

__all__ = ["rows_of"]

MOST_LINES = 40
"""Lines that may follow the first one of a value in quotes."""


def rows_of(content: bytes, *, header: int = 1) -> int:
    """Return the rows of a text: each line that holds something, or the lines of one sound record.

    A record goes over several lines where all its values are either in quotes whole or without any, and
    there are as many as in the header, which begins with this line or the first one after it that holds
    something. The header is not counted, nor are its further lines; lines above it count one each.
    """
    lines = _lines(content)
    rows = sum(bool(line) for line in lines[: header - 1])
    place = next(i for i in range(header - 1, len(lines)) if lines[i])
    delimiter = max(",;\t|", key=lines[place].count)
    taken = _taken(lines[place : place + 1 + MOST_LINES], delimiter, None)
    n = _values("\n".join(lines[place : place + taken]), delimiter)
    place += taken
    while place < len(lines):
        if lines[place]:
            rows += 1
            place += _taken(lines[place : place + 1 + MOST_LINES], delimiter, n)
        else:
            place += 1
    return rows


def _lines(content: bytes) -> list[str]:
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = ""
    for encoding in ["utf-16"] if is_wide else ["utf-8-sig", "cp1252"]:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _values(text: str, delimiter: str) -> int:
    """Return how many values a text has; a quote that stays open is no quote."""
    if _is_open(text, delimiter):
        return text.count(delimiter) + 1
    values, state, place = 1, "start", 0
    while place < len(text):
        one = text[place]
        if state == "quoted":
            if text[place : place + 2] == '""':
                place += 1
            elif one == '"':
                state = "plain"
        elif one == delimiter:
            state, values = "start", values + 1
        elif state == "start":
            state = "quoted" if one == '"' else "plain"
        place += 1
    return values


def _taken(lines: list[str], delimiter: str, n: int | None) -> int:
    """Return how many lines the record takes that begins with the first of them."""
    text = lines[0]
    if not _is_open(text, delimiter):
        return 1
    for more, line in enumerate(lines[1:], 2):
        text += "\n" + line
        if not _is_open(text, delimiter):
            values = _sound(text, delimiter)
            if values is None or n not in (None, values):
                return 1
            parts = (text.replace(delimiter + " ", " ") if values <= 3 else text).split("\n")
            full = [part.count(delimiter) + 1 >= values for part in parts]
            is_swallowed = any(full[1:-1]) or (full[0] and full[-1])
            return 1 if is_swallowed else more
    return 1


def _is_open(text: str, delimiter: str) -> bool:
    """Whether a value that begins with a quote is not closed by the end of the text."""
    state, place = "start", 0
    while place < len(text):
        one = text[place]
        if state == "quoted":
            if text[place : place + 2] == '""':
                place += 1
            elif one == '"':
                state = "plain"
        elif one == delimiter:
            state = "start"
        elif state == "start":
            state = "quoted" if one == '"' else "plain"
        place += 1
    return state == "quoted"


def _sound(text: str, delimiter: str) -> int | None:
    """Return how many values a text has, or None where a quote stands inside or after a value."""
    values, place = 1, 0
    while place < len(text):
        if text[place] == '"':
            place += 1
            while text[place] != '"' or text[place : place + 2] == '""':
                place += 2 if text[place] == '"' else 1
            place += 1
            if place < len(text) and text[place] != delimiter:
                return None
        while place < len(text) and text[place] != delimiter:
            if text[place] == '"':
                return None
            place += 1
        if place < len(text):
            values += 1
            place += 1
    return values
