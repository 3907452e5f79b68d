"""Logs that are only added to: what was done to them afterwards is found, and reported."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.data.journal import append, read_journal
from riskmodel.errors import RequestError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of five entries, written in three goes."""
    path = tmp_path / "log.jsonl"
    for part in (["a"], ["b", "c"], ["d", "é\u2028‫ש"]):
        entries = [{"what": word} for word in part]
        append(path, lambda _, entries=entries: entries)  # type: ignore[misc]  # bound at once
    return path


def test_entries_come_back_in_order_and_each_carries_the_hash_of_the_one_before(log: Path) -> None:
    entries = read_journal(log)
    assert [entry["what"] for entry in entries] == ["a", "b", "c", "d", "é\u2028‫ש"]
    assert [entry["number"] for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0]["previous"] == "0" * 64
    assert [entry["previous"] for entry in entries[1:]] == [entry["hash"] for entry in entries[:-1]]
    assert [path.name for path in log.parent.iterdir() if not path.name.startswith(".")] == [
        log.name
    ]


def forge(line: str, **changes: Any) -> str:
    """Return an entry with changed facts and a hash that fits them."""
    entry = json.loads(line) | changes
    del entry["hash"]
    content = json.dumps(entry, ensure_ascii=False) + "\n"
    return json.dumps(
        entry | {"hash": hashlib.sha256(content.encode()).hexdigest()}, ensure_ascii=False
    )


@pytest.mark.parametrize(
    ("tamper", "line", "words"),
    [
        (lambda a: [a[0], a[1].replace('"b"', '"B"'), *a[2:]], 2, "was edited"),
        (lambda a: [a[0], a[1] + " ", *a[2:]], 2, "was edited"),
        (lambda a: [a[0], forge(a[1], what="B"), *a[2:]], 3, "does not follow the one before"),
        (lambda a: a[1:], 1, "this is entry 2: one or more before it were deleted"),
        (lambda a: [*a[:2], *a[3:]], 3, "this is entry 4: one or more before it were deleted"),
        (lambda a: [a[0], a[2], a[1], *a[3:]], 2, "this is entry 3: .*deleted or moved"),
        (lambda a: [a[0], a[1], a[1], *a[2:]], 3, "this is entry 2: .*inserted"),
        (lambda a: [*a[:2], forge(a[2], what="X"), *a[2:]], 4, "this is entry 3: .*inserted"),
        (lambda a: [a[0], "not an entry", *a[2:]], 2, "no entry"),
        (lambda a: [a[0], "[1]", *a[2:]], 2, "no entry"),
        (lambda a: [a[0], "", *a[1:]], 2, "no entry"),
    ],
)
def test_the_first_entry_that_was_tampered_with_is_named_and_nothing_is_added(
    log: Path, tamper: Any, line: int, words: str
) -> None:
    lines = tamper(log.read_text("utf-8").rstrip("\n").split("\n"))
    log.write_text("\n".join(lines) + "\n", "utf-8")
    before = log.read_bytes()
    for use in (read_journal, lambda path: append(path, lambda _: [{"what": "new"}])):
        with pytest.raises(RequestError, match=rf"line {line}: .*{words}"):
            use(log)
    assert log.read_bytes() == before


@given(st.data())
def test_no_byte_can_be_changed_unnoticed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        append(path, lambda _: [{"what": "é"}, {"what": 2}])
        content = path.read_bytes()
        at = data.draw(st.integers(0, len(content) - 1))
        other = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
        path.write_bytes(content[:at] + bytes([other]) + content[at + 1 :])
        with pytest.raises(RequestError, match="cannot be trusted|cut off"):
            read_journal(path)


def test_a_last_line_that_is_cut_off_is_reported(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-20])
    with pytest.raises(
        RequestError, match=r"line 5: the last entry is cut off.*the 4 entries before"
    ):
        read_journal(log)


def test_a_cut_at_the_end_of_a_line_is_not_seen_by_the_chain_alone(log: Path) -> None:
    noted = read_journal(log)[-1]["hash"]
    log.write_text("\n".join(log.read_text("utf-8").split("\n")[:3]) + "\n", "utf-8")
    assert noted not in [entry["hash"] for entry in read_journal(log)]


def test_what_two_write_at_once_is_all_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    code = (
        "import sys; from pathlib import Path; from riskmodel.data.journal import append\n"
        "for n in range(25): append(Path(sys.argv[1]), lambda _: [{'by': sys.argv[2], 'n': n}])"
    )
    with ThreadPoolExecutor() as pool:
        made = [
            pool.submit(subprocess.run, [sys.executable, "-c", code, str(path), who], check=True)
            for who in ("one", "two")
        ]
    assert [one.result().returncode for one in made] == [0, 0]
    entries = read_journal(path)
    assert len(entries) == 50
    for who in ("one", "two"):
        assert [entry["n"] for entry in entries if entry["by"] == who] == list(range(25))


def test_a_kill_at_any_moment_leaves_a_log_that_holds(tmp_path: Path) -> None:
    path = tmp_path / "log"
    code = (
        "import sys; from pathlib import Path; from riskmodel.data.journal import append\n"
        "while True: append(Path(sys.argv[1]), lambda _: [{'text': 'x' * 50_000}] * 3)"
    )
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", code, str(path)])
        size = path.stat().st_size if path.exists() else 0
        while not path.exists() or path.stat().st_size <= size:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert len(read_journal(path)) % 3 == 0
    append(path, lambda before: [{"number_before": len(before)}])


def test_a_log_that_cannot_be_written_or_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RequestError, match="cannot be written"):
        append(tmp_path / "file" / "log", lambda _: [{"a": 1}])
    with pytest.raises(RequestError, match="cannot be read"):
        read_journal(tmp_path / "nothing")
    assert append(tmp_path / "none", lambda _: []) == []
    assert not (tmp_path / "none").exists()
