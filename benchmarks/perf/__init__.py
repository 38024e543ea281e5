"""Speed on this machine, as ratios of two things that are timed in the same run; run with ``coopgym bench``."""

from __future__ import annotations

import datetime
import importlib
import json
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from coopgym.extras import MissingExtraError, extras_named

if TYPE_CHECKING:
    from coopgym.benchmarks.perf.measure import Ratio

MEASUREMENTS = {
    "C1": "coopgym.benchmarks.perf.environments:c1",
    "C2": "coopgym.benchmarks.perf.environments:c2",
    "C3": "coopgym.benchmarks.perf.environments:c3",
    "C4": "coopgym.benchmarks.perf.environments:c4",
    "C5": "coopgym.benchmarks.perf.environments:c5",
    "C7": "coopgym.benchmarks.perf.environments:c7",
    "W1": "coopgym.benchmarks.perf.environments:w1",
    "W2": "coopgym.benchmarks.perf.environments:w2",
    "C8": "coopgym.benchmarks.perf.learning:c8",
    "C9": "coopgym.benchmarks.perf.learning:c9",
    "U_PPO": "coopgym.benchmarks.perf.learners:u_ppo",
    "U_SAC": "coopgym.benchmarks.perf.learners:u_sac",
    "C10": "coopgym.benchmarks.perf.harness:c10",
    "C11": "coopgym.benchmarks.perf.harness:c11",
    "C12": "coopgym.benchmarks.perf.corpora:c12",
    "C12b": "coopgym.benchmarks.perf.corpora:c12_bytes",
    "C13": "coopgym.benchmarks.perf.statistics:c13",
    "C14": "coopgym.benchmarks.perf.oracles:c14",
    "C20": "coopgym.benchmarks.perf.bandits:c20",
    "C16": "coopgym.benchmarks.perf.startup:c16",
    "C17": "coopgym.benchmarks.perf.startup:c17",
    "C18": "coopgym.benchmarks.perf.language:c18",
    "C18b": "coopgym.benchmarks.perf.language:c18_with_a_tool",
    "C18c": "coopgym.benchmarks.perf.language:c18_replayed",
    "R2": "coopgym.benchmarks.perf.reference:r2",
    "R6": "coopgym.benchmarks.perf.reference:r6",
    "R40": "coopgym.benchmarks.perf.reference:r40",
    "R2b": "coopgym.benchmarks.perf.reference:r2_batch",
    "R6b": "coopgym.benchmarks.perf.reference:r6_batch",
    "R40b": "coopgym.benchmarks.perf.reference:r40_batch",
    "G2": "coopgym.benchmarks.perf.device:g2",
    "G4": "coopgym.benchmarks.perf.device:g4",
    "G5": "coopgym.benchmarks.perf.device_learning:g5",
    "G6": "coopgym.benchmarks.perf.device_learning:g6",
    "G6b": "coopgym.benchmarks.perf.device_learning:g6_off_policy",
    "G7": "coopgym.benchmarks.perf.device_learning:g7",
    "G10": "coopgym.benchmarks.perf.device:g10",
}
"""Where each ratio is measured."""

ON_A_DEVICE = ("G2", "G4", "G5", "G6", "G6b", "G7", "G10")
"""Ratios that need a CUDA device: measured only when asked for."""


def run_all(
    ids: list[str] | None = None, quick: bool = False, out: Path | None = None, reference: Path | None = None
) -> list[Ratio]:
    """Measure ratios one after the other, print them as they come and write them to a JSON file.

    Args:
        ids: which ratios; None for all that need no GPU and compare with something that is here.
        quick: fewer pairs of measurements.
        out: the file to write; None for ``perf-<date>.json`` in the current folder.
        reference: the folder that holds the package of the reference implementation, where it is not installed.

    Raises:
        ValueError: an unknown id, a ratio that needs what is not here, or nothing in the reference's folder.
        MissingExtraError: a ratio that was asked for needs a package that is not installed.
    """
    chosen = ids or [id for id in MEASUREMENTS if id not in ON_A_DEVICE]
    unknown = [id for id in chosen if id not in MEASUREMENTS]
    if unknown:
        raise ValueError(f"unknown ratios {', '.join(unknown)}; known: {', '.join(MEASUREMENTS)}")
    from coopgym.benchmarks.perf.measure import UnavailableError

    if reference is not None:
        from coopgym.benchmarks.perf.reference import provide

        provide(reference)
    results = []
    for id in chosen:
        try:
            with extras_named(id):
                result = _measurement(MEASUREMENTS[id])(quick)
        except (UnavailableError, MissingExtraError) as error:
            if ids:
                raise
            print(f"{id:9} left out: {error}", flush=True)
            continue
        print(_line(result), flush=True)
        results.append(result)
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    path = out or Path(f"perf-{today}.json")
    options = [*(ids or []), *(["--quick"] if quick else []), *(["--reference FOLDER"] if reference else [])]
    path.write_text(json.dumps(_document(results, today, " ".join(["coopgym bench", *options])), indent=1) + "\n")
    print(f"written: {path}")
    return results


def _line(result: Ratio) -> str:
    sign = "≤" if result.at_most else "≥"
    bounds = f"floor {sign} {result.floor:g}, aim {sign} {result.aim:g}"
    interval = f"[{result.low:.3g}, {result.high:.3g}]" if result.pairs > 1 else ""
    return f"{result.id:9} {result.title:55} {result.ratio:10.3g} {interval:16} ({bounds}: {result.verdict})"


def _measurement(place: str) -> Callable[[bool], Ratio]:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _document(results: list[Ratio], today: str, command: str) -> dict[str, object]:
    packages = ("numpy", "gymnasium", "pettingzoo", "torch", "stable-baselines3")
    return {
        "date": today,
        "command": command,
        "machine": machine(),
        "versions": dict(_installed(packages)) | _reference_version(),
        "ratios": [result.record() for result in results],
    }


def machine() -> str:
    """Name this machine: architecture, system, processor and Python."""
    return f"{platform.machine()} {platform.system()}, {_processor()}, Python {platform.python_version()}"


def _installed(packages: Iterable[str]) -> Iterator[tuple[str, str]]:
    for package in packages:
        with suppress(PackageNotFoundError):
            yield package, version(package)


def _reference_version() -> dict[str, str]:
    """Return what the reference implementation says of itself, once it was timed."""
    from coopgym.benchmarks.perf.measure import REFERENCE

    module = sys.modules.get(REFERENCE)
    return {} if module is None else {REFERENCE: getattr(module, "__version__", "unknown")}


def _processor() -> str:
    """Return the model of the processor, as far as the system tells."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"
