"""The later notebooks run from top to bottom as a reader would run them, in silence and in short."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks import LATER, assert_silent_and_short, executed


# what the kernel's own libraries warn of is not ours to mend
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_a_notebook_runs_in_silence_and_shows_little(path: Path) -> None:
    assert_silent_and_short(executed(path))
