"""Fuzz every reader, guided by coverage: ``python -m benchmarks.fuzz --seconds 60 [--reader NAME]``.

Each reader runs in a process of its own under atheris (libFuzzer), from inputs made of a simulated LA.
Inputs that broke the promise of ``tests/fuzzing.py`` are left in ``--out``, the smallest of each kind.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import random
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

try:
    import atheris
except (
    ImportError
):  # there is no wheel for this Python or machine: inputs are changed without guidance
    atheris = None

with (
    contextlib.redirect_stderr(io.StringIO()),
    atheris.instrument_imports(include=["riskmodel"]) if atheris else contextlib.nullcontext(),
):
    from tests.fuzzing import READERS, check, make_corpus, mutated

SLOWEST, LARGEST = 30, 4_000
"""Seconds and megabytes that one input may take."""

LONGEST_INPUT = 60_000
"""Bytes of an input."""

FOUND = re.compile(r"cov: \d+ ft: (\d+)")
DONE = re.compile(r"stat::number_of_executed_units: (\d+)")


def run(name: str, corpus: Path, out: Path, seconds: float, seed: int) -> None:
    """Fuzz one reader in this process, which ends with it."""
    reader = READERS[name]
    work = Path(tempfile.mkdtemp(prefix="riskmodel-fuzz-")) / "x"
    work.mkdir()

    def once(data: bytes) -> None:
        try:
            check(reader, data, work)
        except Exception as error:
            keep(error, data, out)

    if atheris is None:
        unguided(corpus / name, once, lambda data, number: mutated(reader, data, LONGEST_INPUT, number,
                 lambda whole, _: whole[: len(whole) // 2]), seconds, seed)  # fmt: skip
        return
    atheris.Setup(
        ["fuzz", str(corpus / name), f"-max_total_time={seconds:g}", f"-seed={seed}", f"-timeout={SLOWEST}",
         f"-rss_limit_mb={LARGEST}", f"-max_len={LONGEST_INPUT}", f"-artifact_prefix={out}/",
         "-print_final_stats=1", "-len_control=0", f"-report_slow_units={SLOWEST}"],
        once,
        custom_mutator=lambda data, size, number: mutated(reader, data, size, number, atheris.Mutate),
    )  # fmt: skip
    atheris.Fuzz()


def leave_few(corpus: Path, seconds: float, seed: int) -> None:
    """Leave two inputs to start from for each second: all are read before the first is changed."""
    inputs = sorted(corpus.iterdir())
    few = max(3, round(2 * seconds))
    for path in random.Random(seed).sample(inputs, max(0, len(inputs) - few)):
        path.unlink()


def unguided(
    corpus: Path, once: Callable[[bytes], None], change: Callable[[bytes, int], bytes], seconds: float,
    seed: int,
) -> None:  # fmt: skip
    """Change the inputs to start from, for so many seconds, and print the count as libFuzzer does."""
    chance, start, count = random.Random(seed), time.monotonic(), 0
    inputs = [path.read_bytes() for path in sorted(corpus.iterdir())]
    while time.monotonic() - start < seconds:
        once(change(chance.choice(inputs), chance.getrandbits(32)))
        count += 1
    sys.stderr.write(f"stat::number_of_executed_units: {count}\n")
    sys.stderr.flush()


def keep(error: Exception, data: bytes, out: Path) -> None:
    """Keep the smallest input of each kind of fault: where it was raised, and what."""
    at = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in at if "site-packages" not in frame.filename] or at
    kind = f"{type(error).__name__} {Path(ours[-1].filename).name} {ours[-1].name}"
    digest = hashlib.sha256(kind.encode()).hexdigest()[:8]
    file = out / f"{digest}.input"
    if not file.exists() or len(data) < file.stat().st_size:
        file.write_bytes(data)
        (out / f"{digest}.txt").write_text(f"{kind}\n{''.join(traceback.format_exception(error))}")


def in_a_fork(log: Path, work: Callable[[], None]) -> int:
    """Run in a process that has imported everything; return how it ended."""
    pid = os.fork()
    if pid == 0:
        with log.open("wb") as stream:
            for number in (1, 2):
                os.dup2(stream.fileno(), number)
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fuzz(name: str, corpus: Path, out: Path, seconds: float, seed: int) -> dict[str, float]:
    """Fuzz one reader in a process of its own, and read what libFuzzer prints."""
    out.mkdir(parents=True, exist_ok=True)
    log = out / "libfuzzer.log"
    start = time.perf_counter()
    ended = in_a_fork(log, lambda: run(name, corpus, out, seconds, seed))
    text = log.read_text(errors="replace")
    done = DONE.search(text)
    found = [int(part) for part in FOUND.findall(text)]
    # a crash of the process itself, a hang or too much memory leaves an input of libFuzzer's, as crash-…
    faults = len([*out.glob("*.input"), *out.glob("*-*")])
    return {
        "inputs": int(done[1]) if done else 0,
        "features": max(found, default=0),
        "seconds": round(time.perf_counter() - start, 1),
        "faults": faults or int(ended != 0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    # whole seconds: libFuzzer takes 0.4 for 0, which is no limit
    parser.add_argument("--seconds", type=int, default=60, help="for each reader, 1 at least")
    parser.add_argument("--reader", choices=READERS, action="append", help="all where left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz"))
    asked = parser.parse_args()
    sys.stdout.write(f"{'reader':22}{'inputs':>10}{'features':>10}{'seconds':>9}{'faults':>8}\n")
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Path(temporary)
        if in_a_fork(corpus / "log", lambda: make_corpus(corpus)):
            raise SystemExit(
                f"The inputs to start from cannot be made. {(corpus / 'log').read_text()}"
            )
        for name in asked.reader or READERS:
            seconds = asked.seconds * READERS[name].share
            leave_few(corpus / name, seconds, asked.seed)
            row = fuzz(name, corpus, asked.out / name.replace(" ", "_"), seconds, asked.seed)
            figures[name] = row
            sys.stdout.write(f"{name:22}{row['inputs']:>10,}{row['features']:>10,}{row['seconds']:>9.1f}"
                             f"{row['faults']:>8}\n")  # fmt: skip
            sys.stdout.flush()
    total = {
        key: sum(row[key] for row in figures.values()) for key in ("inputs", "features", "faults")
    }
    sys.stdout.write(json.dumps(total | {"seconds_each": asked.seconds, "readers": figures}) + "\n")
    raise SystemExit(int(total["faults"] > 0))


if __name__ == "__main__":
    main()
