"""Start-up ratios C16 and C17, in fresh processes."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from coopgym.benchmarks.perf.measure import Ratio, compare


def _cpu_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def _python(statement: str) -> list[str]:
    return [sys.executable, "-c", statement]


def _startup(ours: list[str], theirs: list[str], quick: bool, **facts: str | float) -> Ratio:
    return compare(lambda: _cpu_seconds(ours), lambda: _cpu_seconds(theirs), quick, unit="CPU s", at_most=True, **facts)


def c16(quick: bool = False) -> Ratio:
    """Importing the package against importing Gymnasium."""
    return _startup(
        _python("import coopgym"), _python("import gymnasium"), quick,
        id="C16", title="import coopgym ÷ import gymnasium", floor=2.0, aim=1.2,
    )  # fmt: skip


def c17(quick: bool = False) -> Ratio:
    """Starting the command line against importing NumPy."""
    script = Path(sys.executable).with_name("coopgym")
    return _startup(
        [str(script), "--help"], _python("import numpy"), quick,
        id="C17", title="coopgym --help ÷ import numpy", floor=4.0, aim=2.0,
    )  # fmt: skip
